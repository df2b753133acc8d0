"""One kept connection to a service that speaks JSON over HTTP."""

import json
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from eval.errors import TargetError

_TIMEOUT_SECONDS = 60.0
_MOST_TRIES = 4
_LONGEST_WAIT_SECONDS = 5.0
_BUSY = frozenset({429, 503})


class ServiceConnection:
    """A connection that is kept open.

    A reply of 429 or 503 is asked again after the stated wait, a few times; everything else that is no 2xx fails.

    Args:
        url: Address of the service, such as ``http://127.0.0.1:8000``; its path comes before every path asked.
        headers: Sent with each request, such as a key.

    Raises:
        TargetError: ``url`` is no address.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise TargetError(url, "is no address such as http://127.0.0.1:8000")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.name = url
        self._connection = kind(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
        self._root = parts.path.rstrip("/")
        self._headers = {"content-type": "application/json", "accept": "application/json", **(headers or {})}

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """Send ``body`` as JSON, without any where it is None, and return the JSON that comes back.

        Raises:
            TargetError: no connection, another status than 2xx, or no JSON.
        """
        raw_body = None if body is None else json.dumps(body).encode()
        status, raw = self._exchange(method, path, raw_body)
        if not 200 <= status < 300:
            raise TargetError(self.name, f"{method} {path} gave status {status}")
        try:
            return json.loads(raw)
        except ValueError as fault:
            raise TargetError(self.name, f"{method} {path} gave no JSON") from fault

    def object(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Like :meth:`json`, but nothing except a JSON object will do."""
        value = self.json(method, path, body)
        if not isinstance(value, dict):
            raise TargetError(self.name, f"{method} {path} gave no JSON object")
        return value

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        reason = "the service stays busy"
        for _ in range(_MOST_TRIES):
            try:
                self._connection.request(method, self._root + path, body, self._headers)
                response = self._connection.getresponse()
                raw = response.read()
            except (OSError, HTTPException) as fault:
                # A kept connection may have been closed from the other side: a fresh one opens on the next try.
                self._connection.close()
                reason = f"no connection: {fault}"
                continue
            if response.status not in _BUSY:
                return response.status, raw
            time.sleep(_wait_seconds(response))
        raise TargetError(self.name, reason)


def _wait_seconds(response: HTTPResponse) -> float:
    stated = response.headers.get("Retry-After", "")
    wanted = float(stated) if stated.isdigit() else 0.5
    return min(wanted, _LONGEST_WAIT_SECONDS)
