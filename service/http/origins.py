"""Which pages may call: our own, and those of the sites on the allow-list, on the addresses that are meant for them."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from service.settings import normalise_origin

CROSS_ORIGIN = {
    "/widget.js": "GET",
    "/static/": "GET",
    "/v1/widget-tokens": "POST",
    "/v1/ask": "POST",
    "/v1/search": "POST",
    "/v1/feedback": "POST",
    "/v1/handoffs": "POST",
    "/v1/answers/": "GET",
}
"""Method by address (or by the beginning of it, up to a slash) that pages of allowed sites may use."""

_REQUEST_HEADERS = "authorization, content-type, accept, x-request-id, idempotency-key"
_RESPONSE_HEADERS = "retry-after, x-request-id, ratelimit-limit, ratelimit-remaining, ratelimit-reset"
_PREFLIGHT_SECONDS = 600


class Origins:
    """Tells our own pages, allowed sites and all others apart.

    Args:
        allowed: Origins of the sites that may show the widget; none means that no other site may.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    @property
    def allowed(self) -> frozenset[str]:
        """The allow-list."""
        return self._allowed

    def allow(self, origin: str, path: str, method: str) -> bool:
        """Whether a page of another origin may call a path with a method."""
        taken = CROSS_ORIGIN.get(path) or CROSS_ORIGIN.get(path[: path.rfind("/") + 1])
        wanted = {"GET": {"GET", "HEAD"}, "POST": {"POST"}}.get(taken or "", set())
        return origin in self._allowed and method in wanted


def is_own(headers: Headers) -> bool:
    """Whether the page that calls came from this service, under the host name that it calls."""
    origin = headers.get("origin", "")
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    host = f"{parts.scheme}://{headers.get('host', '')}"
    return normalise_origin(origin) == normalise_origin(host)


def share(headers: MutableHeaders, origin: str) -> None:
    """Let a page of an allowed origin read a response. Credentials are never allowed: tokens travel in a header."""
    headers["access-control-allow-origin"] = origin
    headers["access-control-expose-headers"] = _RESPONSE_HEADERS


def preflight_headers(method: str) -> dict[str, str]:
    """Return what a browser wants to know before it sends the request itself."""
    return {
        "access-control-allow-methods": method,
        "access-control-allow-headers": _REQUEST_HEADERS,
        "access-control-max-age": str(_PREFLIGHT_SECONDS),
    }
