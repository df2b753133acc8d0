"""Small servers that speak the HTTP shapes of other systems, as their documentation gives them.

LangServe: ``POST <chain>/invoke`` with ``input``; the reply has ``output`` and ``metadata``. txtai: ``GET /rag`` gives
answer and reference, ``GET /search`` rows of id, text and score. Chat completions: ``choices`` with a ``message``, whose
``annotations`` hold ``url_citation`` objects.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Speak = Callable[[str, str, dict[str, str], Any], Any]
"""Method, path, query and body to the JSON of the reply; KeyError is a 404."""

ANSWER = "A spasm lasts hours to several days. Do not stay in bed for long."
FIRST, SECOND = "A spasm lasts hours to several days.", "Do not stay in bed for long."
SILENT = "what is the capital of France?"


@contextmanager
def spoken(speak: Speak) -> Iterator[tuple[str, list[Any]]]:
    """Serve ``speak`` and yield its address, and what was sent to it."""
    sent: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            self._reply("GET", None)

        def do_POST(self) -> None:
            self._reply("POST", json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def _reply(self, method: str, body: Any) -> None:
            parts = urlsplit(self.path)
            sent.append(body if body is not None else dict(parse_qsl(parts.query)))
            try:
                status, value = 200, speak(method, parts.path, dict(parse_qsl(parts.query)), body)
            except KeyError:
                status, value = 404, {"detail": "Not Found"}
            raw = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def langserve(method: str, path: str, _query: dict[str, str], body: Any) -> Any:
    if (method, path) != ("POST", "/chain/invoke"):
        raise KeyError(path)
    question = body["input"]["input"]
    documents = [
        {"id": None, "metadata": {"source": "docs/spasm.md"}, "page_content": FIRST, "type": "Document"},
        {"id": None, "metadata": {"source": "docs/bed-rest.md"}, "page_content": SECOND, "type": "Document"},
    ]
    answer = "I don't know." if question == SILENT else ANSWER
    return {
        "output": {"input": question, "chat_history": [], "context": documents, "answer": answer},
        "metadata": {"run_id": "8f0a2c1e-0000-0000-0000-000000000000", "feedback_tokens": []},
    }


def txtai(method: str, path: str, query: dict[str, str], _body: Any) -> Any:
    if method != "GET":
        raise KeyError(path)
    silent = query["query"] == SILENT
    rows = [{"id": "bed-rest.md#2", "text": SECOND, "score": 0.7}, {"id": "spasm.md#0", "text": ANSWER, "score": 0.6}]
    answer = "I don't have data on that" if silent else ANSWER
    return {"/rag": {"answer": answer, "reference": "spasm.md#0"}, "/search": rows}[path]


def chat(method: str, path: str, _query: dict[str, str], body: Any) -> Any:
    if (method, path) != ("POST", "/v1/chat/completions"):
        raise KeyError(path)
    silent = body["messages"][-1]["content"] == SILENT
    place = ANSWER.index(SECOND)
    notes = [
        {
            "type": "url_citation",
            "url_citation": {"url": url, "title": "A page", "start_index": start, "end_index": end},
        }
        for url, start, end in (
            ("https://example.org/health/spasm.html?utm=1", 0, len(FIRST)),
            ("https://example.org/health/bed-rest/", place, len(ANSWER)),
        )
    ]
    message = {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": notes}
    if silent:
        message = {"role": "assistant", "content": None, "refusal": "I can't help with that.", "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
