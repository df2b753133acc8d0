"""A help desk on loopback that speaks five platforms' interfaces as far as Backline calls them, and can misbehave."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FakeDesk:
    """What the desk holds, and how it behaves.

    Attributes:
        messages: Kind (``note`` or ``reply``) and text of what was written, in order.
        changes: Method, path and body of every other change.
        calls: Headers by path of everything that came.
        faults: What the next calls get instead of an answer: status and headers, ``nonsense``, ``slow`` or ``lost``
            (it is done, but nobody hears so).
    """

    messages: list[tuple[str, str]] = field(default_factory=list)
    changes: list[tuple[str, str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    faults: list[Any] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Do what was asked, and return what the platform would say."""
        plain = path.partition("?")[0]
        if method == "GET":
            return self._read(plain)
        written = self._written(plain, body)
        if written is None:
            self.changes.append((method, plain, body))
        else:
            self.messages.append(written)
        return {"id": 1}

    def _written(self, path: str, body: Any) -> tuple[str, str] | None:
        if "comment" in body.get("ticket", {}):
            comment = body["ticket"]["comment"]
            return ("reply" if comment["public"] else "note"), comment["html_body"]
        if path.endswith("/notes"):
            assert body["private"] is True
            return "note", body["body"]
        if path.endswith("/reply"):
            return "reply", body["body"]
        if path.endswith("/messages"):
            return ("note" if body["private"] else "reply"), body["content"]
        if path.endswith("/ticket_articles"):
            return ("note" if body["internal"] else "reply"), body["body"]
        return None

    def _read(self, path: str) -> Any:
        rows = [(number, kind == "note", text) for number, (kind, text) in enumerate(self.messages, start=100)]
        if path.endswith("/comments.json"):
            return {"comments": [{"id": n, "public": not own, "html_body": text} for n, own, text in rows[::-1]]}
        if path.endswith("/conversations") and "/tickets/" in path:
            return [{"id": n, "private": own, "body": text} for n, own, text in rows]
        if path.endswith("/messages"):
            return {"payload": [{"id": n, "private": own, "content": text} for n, own, text in rows]}
        if "/by_ticket/" in path:
            return [{"id": n, "internal": own, "body": text} for n, own, text in rows]
        if path.endswith("/labels"):
            return {"payload": ["old"]}
        if "/ticket_articles/" in path:
            return {"type": "email", "from": "ann@example.com", "subject": "Spasm"}
        return {"id": 7, "user": {"id": 7}, "tags": ["old"], "data": {}}


@contextmanager
def fake_desk() -> Iterator[FakeDesk]:
    """Run the desk."""
    desk = FakeDesk()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            desk.calls.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
            fault = desk.faults.pop(0) if desk.faults else None
            if fault == "slow":
                time.sleep(1.5)
                return
            if isinstance(fault, tuple):
                self._send(fault[0], b"{}", fault[1])
                return
            said = desk.answer(self.command, self.path, json.loads(body or b"{}"))
            if fault == "lost":
                return
            self._send(200, b"<html>please log in</html>" if fault == "nonsense" else json.dumps(said).encode(), {})

        do_GET = do_POST = do_PUT = handle_one  # noqa: N815 - as the library has it

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library has it
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
