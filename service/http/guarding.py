"""At the door: request ids, body limits, host and origin, security headers. Plain ASGI, so that bytes are counted."""

import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.problems import ProblemError, problem_response

_log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Door:
    """Checks every request before the routes see it.

    Args:
        app: The application behind the door.
        max_body_bytes: Largest body; bytes are counted as they come, whatever the length header says.
        hosts: Host names that are served, without port; ``*`` serves all.
        limits: Largest body by method and path, where it is another than ``max_body_bytes``.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int,
        hosts: Iterable[str],
        limits: Mapping[tuple[str, str], int] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._limit = max_body_bytes
        self._limits = dict(limits)
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(12)
        scope.setdefault("state", {})["request_id"] = request_id
        limit = self._limits.get((scope["method"], scope["path"]), self._limit)
        counted = _Counter(receive, limit)

        async def send_with_headers(message: Message) -> None:
            if counted.exceeded and not counted.answered:
                return  # whatever the routes made of half a body: the answer is the one below
            if message["type"] == "http.response.start":
                counted.answered = True
                out = MutableHeaders(scope=message)
                out["x-request-id"] = request_id
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        problem = self._refusal(headers, limit)
        if problem is None:
            try:
                await self._app(scope, counted, send_with_headers)
            except (_BodyTooLargeError, ClientDisconnect):
                pass  # the first is answered below; whoever hung up hears nothing
            except Exception as error:  # noqa: BLE001 - the last place where a fault can still become an answer
                _log.error("request %s failed: %s", request_id, type(error).__name__, exc_info=_places_only(error))
                problem = ProblemError("internal-error", "Try again; if it stays, send us the request id.")
        if counted.exceeded:
            problem, counted.exceeded = _too_large(limit), False
        if problem is not None and not counted.answered:
            await problem_response(Request(scope), problem)(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers, limit: int) -> ProblemError | None:
        host = headers.get("host", "")
        if "*" not in self._hosts and _name(f"//{host}") not in self._hosts:
            return ProblemError("foreign-host", "Use the address that the service printed when it started.")
        origin = headers.get("origin")
        if origin is not None and origin != "null" and _name(origin) != _name(f"//{host}"):
            return ProblemError("foreign-origin", "Pages of other sites may not call this service.")
        if origin == "null":
            return ProblemError("foreign-origin", "Pages without an origin may not call this service.")
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > limit:
            return _too_large(limit)
        return None


class _BodyTooLargeError(Exception):
    """More bytes came than are allowed."""


class _Counter:
    """Counts the bytes of a body as they come."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self.answered = False
        self.exceeded = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.exceeded = True
                raise _BodyTooLargeError
        return message


def _too_large(limit: int) -> ProblemError:
    return ProblemError("body-too-large", f"Send at most {limit} bytes at once.")


def _places_only(error: Exception) -> BaseException:
    """Return the error with its places in the code but without its words, which may hold what a person wrote."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
