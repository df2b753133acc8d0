"""A connection: its headers must come soon and be small, and what is no HTTP is answered with a problem.

uvicorn limits neither: a half-sent header would stay open for as long as its sender likes.
"""

import asyncio
import secrets

from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.http.problems import KINDS, ProblemError, problem_response

HEADER_SECONDS = 10.0
HEADER_BYTES = 32_768

_PHRASES = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


class Connection(HttpToolsProtocol):
    """One connection to a client."""

    header_seconds = HEADER_SECONDS
    """Time from the first byte of a request, or from the opening of the connection, to the end of its headers."""

    _timer: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        if self._refused:
            return
        waiting = self._timer is not None
        super().data_received(data)
        if self._timer is None and self._is_idle() and not self._refused:
            self._await_headers()  # something came that is no request yet, such as empty lines
        if waiting and self._timer is not None:
            self._header_bytes += len(data)
            if self._header_bytes > HEADER_BYTES:
                self._refuse(ProblemError("headers-too-large", f"Send at most {HEADER_BYTES} bytes of headers."))

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._await_headers()

    def on_headers_complete(self) -> None:
        """The headers are there; the rest of the time is the body's."""
        self._stop_waiting()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEADER_BYTES:
            self._refuse(ProblemError("headers-too-large", f"Send at most {HEADER_BYTES} bytes of headers."))
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        del msg
        self._refuse(ProblemError("not-http", "Send a request of HTTP/1.1."))

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_headers(self) -> None:
        if self._timer is None:
            self._header_bytes = 0
            self._timer = self.loop.call_later(self.header_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._is_idle():
            self._refuse(ProblemError("too-slow", "Send the headers faster: they must come within seconds."))
        else:
            self.cycle.keep_alive = False  # an answer is under way: the connection ends after it

    def _refuse(self, problem: ProblemError) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._stop_waiting()
        request_id = secrets.token_hex(12)
        scope = {"type": "http", "headers": [], "state": {"request_id": request_id}}
        response = problem_response(Request(scope), problem)
        response.headers.update({"connection": "close", "x-request-id": request_id, "cache-control": "no-store"})
        status = KINDS[problem.code].status
        lines = [f"HTTP/1.1 {status} {_PHRASES[status]}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body))
        self.transport.close()
