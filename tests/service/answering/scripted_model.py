"""A server on loopback that speaks OpenAI's protocol and answers as it is told to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from service.answering.chat_models import LangChainModel

Script = Callable[[dict[str, Any]], str]
"""From what the model is given to read (question and passages) to what it writes."""


def sentences(*rows: tuple[str, int, str]) -> str:
    """Return the reply that holds text, passage and quote of each sentence."""
    return json.dumps({"sentences": [{"text": t, "passage": p, "quote": q} for t, p, q in rows]})


class ScriptedModel:
    """What the server writes, and what it was sent.

    Attributes:
        url: Its address.
        script: Writes the replies.
        bodies: The requests that came.
        status: HTTP status of the replies.
        refusal: Sent instead of a text, where it is not "".
        before: Called before each reply: sleeps, or breaks off.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: Script = lambda _data: sentences()
        self.bodies: list[dict[str, Any]] = []
        self.status = 200
        self.before: Callable[[BaseHTTPRequestHandler], None] = lambda _handler: None
        self.refusal = ""

    def model(self, seconds: float = 10.0) -> LangChainModel:
        return LangChainModel("openai:scripted", f"{self.url}/v1", "sk-test", seconds)

    def reply(self, body: dict[str, Any]) -> bytes:
        self.bodies.append(body)
        content = self.script(json.loads(body["messages"][-1]["content"]))
        message: dict[str, Any] = {"role": "assistant", "content": None if self.refusal else content}
        if self.refusal:
            message["refusal"] = self.refusal
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return json.dumps(
            {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        ).encode()


@contextmanager
def scripted_model() -> Iterator[ScriptedModel]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together: two small packets wait for each other

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            served.before(self)
            if self.close_connection:
                return
            payload = served.reply(body)
            self.send_response(served.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = ScriptedModel(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
