"""At the door: request ids, body limits, host and origin, security headers. Plain ASGI, so that bytes are counted."""

import asyncio
import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.limiting import Admission, rate_headers
from service.http.origins import CROSS_ORIGIN, Origins, is_own, preflight_headers, share
from service.http.problems import ProblemError, problem_response

_log = logging.getLogger(__name__)

BODY_SECONDS = 10.0
"""Time for a body to come in; each 50,000 bytes that came earn one second more."""

_PACE_BYTES = 50_000
REQUEST_ID = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Door:
    """Checks every request before the routes see it.

    Args:
        app: The application behind the door.
        max_body_bytes: Largest body; bytes are counted as they come, whatever the length header says.
        hosts: Host names that are served, without port.
        origins: The sites whose pages may call.
        limits: Largest body by method and path, where it is another than ``max_body_bytes``.
        admission: The queue before what computes; None lets everything in.
        body_seconds: Time for a body to come in.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int,
        hosts: Iterable[str],
        origins: Origins,
        limits: Mapping[tuple[str, str], int] = MappingProxyType({}),
        admission: Admission | None = None,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._limit = max_body_bytes
        self._limits = dict(limits)
        self._hosts = frozenset(hosts)
        self._origins = origins
        self._admission = admission
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        scope.setdefault("state", {})["request_id"] = given if REQUEST_ID.match(given) else secrets.token_hex(12)
        limit = self._limits.get((scope["method"], scope["path"]), self._limit)
        body = _Body(receive, limit, self._body_seconds)
        exit_ = _Exit(scope, send, body, self._shared_with(scope, headers))
        refusal = self._refusal(scope, headers, limit)
        if refusal is None and scope["method"] == "OPTIONS" and exit_.shared_with is not None:
            asked = headers.get("access-control-request-method", "")
            await Response(status_code=204, headers=preflight_headers(asked))(scope, receive, exit_.send)
            return
        problem = refusal or await self._answer(scope, body, exit_)
        if body.problem is not None:
            problem, body.problem = body.problem, None
        if problem is not None and not exit_.started:
            await problem_response(Request(scope), problem)(scope, receive, exit_.send)

    async def _answer(self, scope: Scope, body: "_Body", exit_: "_Exit") -> ProblemError | None:
        """Let the routes answer; return what is to be said in their place."""
        # What can be read can be looked at: HEAD is GET without its body.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, body, exit_.send)
        except (_BodyRefusedError, ClientDisconnect):
            pass  # the first is answered by the caller; whoever hung up hears nothing
        except Exception as error:  # noqa: BLE001 - the last place where a fault can still become an answer
            request_id = scope["state"]["request_id"]
            _log.error("request %s failed: %s", request_id, type(error).__name__, exc_info=_places_only(error))
            return ProblemError("internal-error", "Try again; if it stays, send us the request id.")
        finally:
            scope.setdefault("route", inner.get("route"))
        return None

    def _shared_with(self, scope: Scope, headers: Headers) -> str | None:
        """Return the other origin whose page may read the response, if there is one."""
        origin = headers.get("origin")
        if origin is None or is_own(headers):
            return None
        asked = headers.get("access-control-request-method", "") if scope["method"] == "OPTIONS" else scope["method"]
        return origin if self._origins.allow(origin, scope["path"], asked) else None

    def _refusal(self, scope: Scope, headers: Headers, limit: int) -> ProblemError | None:
        if host_name(headers.get("host", "")) not in self._hosts:
            detail = "Use the address that the service printed when it started; BACKLINE_HOSTS adds names."
            return ProblemError("foreign-host", detail)
        if headers.get("origin") == "null":
            return ProblemError("foreign-origin", "Pages without an origin may not call this service.")
        if "origin" in headers and not is_own(headers) and self._shared_with(scope, headers) is None:
            detail = "Pages of this site may not call this; the operator allows sites with BACKLINE_WIDGET_ORIGINS."
            return ProblemError("foreign-origin", detail)
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > limit:
            return _too_large(limit)
        full = self._admission is not None and self._admission.refuses(scope["method"], scope["path"])
        return Admission.overloaded() if full else None


class _BodyRefusedError(Exception):
    """More bytes came than are allowed, or they came too slowly."""


class _Body:
    """Counts the bytes of a body as they come, and the time that they take."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._taken = 0
        self._complete = False
        self._ends = asyncio.get_running_loop().time() + seconds
        self.problem: ProblemError | None = None

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends + self._taken / _PACE_BYTES):
                message = await self._receive()
        except TimeoutError:
            detail = "Send the body faster: it must come within seconds."
            self.problem = ProblemError("too-slow", detail, headers={"connection": "close"})
            raise _BodyRefusedError from None
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        self._taken += len(message.get("body", b""))
        if self._taken > self._limit:
            self.problem = _too_large(self._limit)
            raise _BodyRefusedError
        return message


class _Exit:
    """Sends what leaves, with the headers that every response carries."""

    def __init__(self, scope: Scope, send: Send, body: _Body, shared_with: str | None) -> None:
        self._scope = scope
        self._send = send
        self._body = body
        self.shared_with = shared_with
        self.started = False

    async def send(self, message: Message) -> None:
        """Send one message."""
        if self._body.problem is not None and not self.started:
            return  # whatever the routes made of half a body: the answer is the body's problem
        if message["type"] == "http.response.start":
            self.started = True
            self._complete(MutableHeaders(scope=message))
        elif self._scope["method"] == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)

    def _complete(self, headers: MutableHeaders) -> None:
        state, path = self._scope["state"], self._scope["path"]
        headers["x-request-id"] = state["request_id"]
        for name, value in (rate_headers(state["rate"]) if "rate" in state else {}).items():
            headers.setdefault(name, value)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if path in CROSS_ORIGIN or path[: path.rfind("/") + 1] in CROSS_ORIGIN:
            headers.add_vary_header("Origin")
        if self.shared_with is not None:
            share(headers, self.shared_with)


def _too_large(limit: int) -> ProblemError:
    return ProblemError("body-too-large", f"Send at most {limit} bytes at once.")


def _places_only(error: Exception) -> BaseException:
    """Return the error with its places in the code but without its words, which may hold what a person wrote."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)


@lru_cache(maxsize=64)
def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, lower case, without its port; "" where there is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
