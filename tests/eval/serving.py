"""Any fake target behind the ``/v1/ask`` of a real server on the loopback interface."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.eval.fakes import FakeTarget


@contextmanager
def served(target: FakeTarget, busy: int = 0) -> Iterator[str]:
    """Serve ``target`` and yield its address; the first ``busy`` questions get a 429."""
    left = [busy]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write a reply, or each waits for the other side's delayed acknowledgement

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = json.loads(self.rfile.read(length))
            if left[0]:
                left[0] -= 1
                self._send(429, {"title": "Too many"})
            elif self.path != "/v1/ask":
                self._send(404, {"title": "Not found"})
            else:
                try:
                    self._send(200, target.ask(body["question"], body.get("history", ())))
                except KeyError:
                    self._send(422, {"title": "Unknown question"})

        def do_GET(self) -> None:
            text = target.document_text(self.path.rpartition("/")[2])
            self._send(200 if text else 404, {"text": text})

        def _send(self, status: int, body: dict[str, Any]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.send_header("retry-after", "0")
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
