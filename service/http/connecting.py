"""A connection: its headers must come soon and be small, and what is no HTTP is answered with a problem.

uvicorn limits neither: a half-sent header would stay open for as long as its sender likes.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import cast

from starlette.requests import Request
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.http.problems import KINDS, ProblemError, problem_response

HEADER_SECONDS = 10.0
HEADER_BYTES = 32_768

_PHRASES = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


class Connection(HttpToolsProtocol):
    """One connection to a client."""

    header_seconds = HEADER_SECONDS
    """Time from the first byte of a request, or from the opening of the connection, to the end of its headers."""

    turn_away: Callable[[Scope], bytes | None] | None = None
    """Returns headers and body of the refusal of a request that would find no place (``turning_away.py``), or None."""

    _timer: asyncio.TimerHandle | None = None
    _farewell: bytes | None = None
    _has_ended = False
    _in_body = False
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
        waiting, self._has_ended = self._timer is not None, False
        super().data_received(data)
        if self._timer is None and self._is_idle() and not (self._refused or self._has_ended):
            self._await_headers()  # something came that is no request yet, such as empty lines
        if waiting and self._timer is not None and not (self._in_body or self._has_ended):
            self._header_bytes += len(data)
            if self._header_bytes > HEADER_BYTES:
                self._refuse(ProblemError("headers-too-large", f"Send at most {HEADER_BYTES} bytes of headers."))

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_body = False
        self._unset_keepalive_if_required()  # it may have been set within what came together with this
        super().on_message_begin()
        self._await_headers()

    def on_headers_complete(self) -> None:
        """The headers are there; the rest of the time is the body's, unless there is no place for the request."""
        self._in_body = True
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEADER_BYTES:
            self._refuse(ProblemError("headers-too-large", f"Send at most {HEADER_BYTES} bytes of headers."))
            return
        if self.turn_away is not None and self._is_plain():
            self.scope["method"] = self.parser.get_method().decode("ascii")
            self.scope["path"] = self.url.decode("latin-1")
            self._farewell = self.turn_away(cast("Scope", self.scope))
            if self._farewell is not None:
                return  # the body is let pass, in the time that the headers had
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        if not self._refused and self._farewell is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body, self._has_ended = False, True
        if self._refused:
            return
        if self._farewell is not None:
            always = [name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers]
            self.transport.write(b"".join([STATUS_LINE[503], *always, self._farewell]))
            self._farewell = None
        else:
            super().on_message_complete()
        if self._is_idle():  # it was refused here, or answered before it was whole
            self._stop_waiting()
            self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        del msg
        self._refuse(ProblemError("not-http", "Send a request of HTTP/1.1."))

    def _is_plain(self) -> bool:
        """Whether the request came alone and is of the kind that a connection outlives, and the client reads."""
        parser = self.parser
        alone = self._is_idle() and not (self.pipeline or self._has_ended or self.flow.write_paused)
        alone = alone and not self.expect_100_continue
        return (
            alone and parser.get_http_version() == "1.1" and parser.should_keep_alive() and not parser.should_upgrade()
        )

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
