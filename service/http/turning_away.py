"""The shortest way out: what a request hears that would find no place, said before anything stands around it.

Under load four of five requests are refused, and each takes a little of the interpreter from those who are answered.
A plain request is therefore refused here, by the connection itself, before it becomes a task; one with an ``Origin``
goes on to the door, which says the same.
"""

from collections.abc import Iterable

from starlette.types import Scope

from service.http.guarding import HEADERS, REQUEST_ID, host_name
from service.http.limiting import COMPUTES, Admission
from service.http.origins import CROSS_ORIGIN
from service.http.problems import problem_response

_PLACE = "?"
STATUS = 503


class Usher:
    """Says at once that there is no place.

    Args:
        admission: Who is inside.
        hosts: Host names that are served, without port.
        max_body_bytes: What says that it brings more goes on to the door.
    """

    def __init__(self, admission: Admission, hosts: Iterable[str], max_body_bytes: int) -> None:
        self._admission = admission
        self._hosts = frozenset(hosts)
        self._limit = max_body_bytes
        response = problem_response(None, admission.overloaded(), _PLACE)
        self._before, self._after = bytes(response.body).split(f'"{_PLACE}"'.encode())
        own = {"content-length", "x-request-id"}
        fixed = [(name, value) for name, value in response.raw_headers if name.decode() not in own]
        fixed += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        self._headers = {
            path: b"".join(
                name + b": " + value + b"\r\n"
                for name, value in [*fixed, *([(b"vary", b"Origin")] if path in CROSS_ORIGIN else [])]
            )
            for path in COMPUTES
        }

    def turn_away(self, scope: Scope, request_id: str) -> bytes | None:
        """Return headers and body of the response, or None where the request has to go on.

        Args:
            scope: The request.
            request_id: What it is called, unless it names itself.
        """
        if not self._admission.refuses(scope["method"], scope["path"]):
            return None
        host = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"x-request-id" and REQUEST_ID.match(value.decode("latin-1")):
                request_id = value.decode()
            elif name == b"origin" or (name == b"content-length" and not self._fits(value)):
                return None
        if host_name(host.decode("latin-1")) not in self._hosts:
            return None
        scope.setdefault("state", {})["request_id"] = request_id
        body = self._before + f'"{request_id}"'.encode() + self._after
        own = b"content-length: %d\r\nx-request-id: %s\r\n\r\n" % (len(body), request_id.encode())
        return self._headers[scope["path"]] + own + body

    def _fits(self, length: bytes) -> bool:
        return length.isdigit() and int(length) <= self._limit
