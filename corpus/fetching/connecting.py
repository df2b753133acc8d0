"""Asks one machine for one page over HTTP: the only file that knows httpcore.

httpcore is the engine of httpx. It is used without httpx because the connection must go to the address that the guard
checked, the address of the page must be read by the guard alone, and because httpx logs it with its query. So there are
no cookies, no proxies of the environment, no redirects and no second look-up of a name here, by construction.
"""

import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import certifi
import httpcore

from corpus.fetching.addresses import Lookup, Target, resolve
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import FetchError

Connect = Callable[[str, int, float], httpcore.NetworkStream]
"""Opens a connection to an IP address and port within some seconds."""
Headers = Mapping[str, str]
WantBody = Callable[[int, Headers], bool]
"""Looks at status and headers before the body comes; raises ``FetchError`` to refuse the page."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said.

    Attributes:
        status: HTTP status.
        headers: By lower-case name; the first of several with one name.
        content: The body, unpacked; empty if it was not wanted.
        whole: Whether the reply itself shows that nothing of the body is missing. A body that ends where the
            connection does shows nothing.
    """

    status: int
    headers: Headers
    content: bytes
    whole: bool


def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, as the system's resolver gives them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def connect_tcp(address: str, port: int, seconds: float) -> httpcore.NetworkStream:
    """Open a connection to an IP address."""
    return httpcore.SyncBackend().connect_tcp(address, port, timeout=seconds)


@dataclass(frozen=True, slots=True)
class Network:
    """How names are looked up and connections opened; tests put their own in place.

    Attributes:
        lookup: Name to addresses.
        connect: Address to connection.
    """

    lookup: Lookup = field(default=look_up)
    connect: Connect = field(default=connect_tcp)


def ask(
    target: Target,
    headers: Headers,
    most_bytes: int,
    want: WantBody,
    policy: FetchPolicy,
    via: Network,
    *,
    method: str = "GET",
    content: bytes | None = None,
) -> Reply:
    """Send one request and read the reply, within the policy's time limits.

    Args:
        target: What to ask for.
        headers: Request headers beside those that belong to the connection.
        most_bytes: Largest body, counted as it comes in and again as it is unpacked.
        want: Says whether the body is read.
        policy: Time limits, and the machines inside that may be asked.
        via: The way to the network.
        method: HTTP method.
        content: The body that is sent, or None; its type stands among the headers.

    Raises:
        FetchError: the address is refused, the machine cannot be reached, is too slow, or its reply is broken or too
            large; or what ``want`` raised.
    """
    backend = _GuardedBackend(target, policy, via)
    request = httpcore.Request(
        method=method,
        url=httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        ),
        headers=[
            ("Host", target.authority),
            *headers.items(),
            ("Accept-Encoding", "gzip"),
            ("Connection", "close"),
            *([] if content is None else [("Content-Length", str(len(content)))]),
        ],
        content=content,
        extensions={
            "timeout": {"connect": policy.connect_seconds, "read": policy.read_seconds, "write": policy.read_seconds}
        },
    )
    try:
        with httpcore.ConnectionPool(
            ssl_context=tls_context() if target.scheme == "https" else None,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=backend,
        ) as pool:
            return _read(target, pool, request, most_bytes, want)
    except httpcore.TimeoutException as error:
        raise FetchError(target.url, "slow", "the site did not answer in time") from error
    except _TlsFailedError as error:
        raise FetchError(target.url, "tls", "no encrypted connection to the site came about") from error
    except httpcore.ConnectError as error:
        raise FetchError(target.url, "unreachable", "the site does not accept the connection") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise FetchError(target.url, "broken", "the connection broke off, or the reply is no whole HTTP") from error


@cache
def tls_context() -> ssl.SSLContext:
    """Return the settings of encrypted connections: certificates and names are checked, against certifi's list."""
    return ssl.create_default_context(cafile=certifi.where())


def _read(
    target: Target, pool: httpcore.ConnectionPool, request: httpcore.Request, most_bytes: int, want: WantBody
) -> Reply:
    response = pool.handle_request(request)
    with closing(response):
        headers: dict[str, str] = {}
        for name, value in response.headers:
            headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        framed = "content-length" in headers or "transfer-encoding" in headers
        if not want(response.status, headers):
            return Reply(response.status, headers, b"", framed)
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > most_bytes:
            raise FetchError(target.url, "large", f"the page has {int(announced):,} bytes, the limit is {most_bytes:,}")
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "", "gzip", "x-gzip"}:
            raise FetchError(target.url, "broken", "the page is packed in a way that was not asked for")
        packed = encoding.endswith("gzip")
        pieces = response.iter_stream()
        content = _unpack(target, pieces, most_bytes) if packed else _collect(target, pieces, most_bytes)
        return Reply(response.status, headers, content, framed or packed)


def _collect(target: Target, pieces: Iterable[bytes], most_bytes: int) -> bytes:
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > most_bytes:
            raise FetchError(target.url, "large", f"the page is larger than the limit of {most_bytes:,} bytes")
    return bytes(content)


def _unpack(target: Target, pieces: Iterable[bytes], most_bytes: int) -> bytes:
    """Unpack gzip piece by piece: a small page may be packed air that fills all memory."""
    content = bytearray()
    received = 0
    unpacker = zlib.decompressobj(_GZIP)
    for piece in pieces:
        received += len(piece)
        left = piece
        while left and not unpacker.eof:
            try:
                content += unpacker.decompress(left, _PIECE_BYTES)
            except zlib.error as error:
                raise FetchError(target.url, "broken", "the page is packed wrongly") from error
            if max(received, len(content)) > most_bytes:
                raise FetchError(target.url, "large", f"the page is larger than the limit of {most_bytes:,} bytes")
            left = unpacker.unconsumed_tail
        if received > most_bytes:
            raise FetchError(target.url, "large", f"the page is larger than the limit of {most_bytes:,} bytes")
    if not unpacker.eof:
        raise FetchError(target.url, "broken", "the page is packed and its end is missing")
    return bytes(content)


class _TlsFailedError(httpcore.ConnectError):
    """The connection was opened, but not encrypted; httpcore tells the two apart by a cause that it then drops."""


class _GuardedBackend(httpcore.NetworkBackend):
    """Opens the one connection of a request: looks the name up once, checks, and connects to what was checked."""

    def __init__(self, target: Target, policy: FetchPolicy, via: Network) -> None:
        self._target = target
        self._policy = policy
        self._via = via
        self._deadline = time.monotonic() + policy.total_seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - of the interface
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - likewise
    ) -> httpcore.NetworkStream:
        if (host, port) != (self._target.host, self._target.port):
            raise FetchError(self._target.url, "address", "the connection would go elsewhere")
        until = min(self._deadline, time.monotonic() + self._policy.connect_seconds)
        addresses = resolve(self._target, self._policy.allow, lambda name, _port: self._look_up(name, until))
        until = min(self._deadline, time.monotonic() + (timeout or self._policy.connect_seconds))
        last: Exception = httpcore.ConnectTimeout("no time left")
        for address in addresses:
            try:
                return _TimedStream(self._via.connect(address, port, _left(until)), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    def _look_up(self, host: str, until: float) -> Sequence[str]:
        """Look a name up in a thread: the system's resolver knows no time limit."""
        answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put(self._via.lookup(host, self._target.port))
            except (OSError, UnicodeError) as error:
                answers.put(error if isinstance(error, OSError) else OSError("no name of a machine"))

        threading.Thread(target=work, name="backline-lookup", daemon=True).start()
        try:
            answer = answers.get(timeout=_left(until))
        except queue.Empty:
            raise httpcore.ConnectTimeout("the name was not found in time") from None
        if isinstance(answer, OSError):
            raise answer
        return answer


class _TimedStream(httpcore.NetworkStream):
    """A connection that ends with the time of its request, however slowly its bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            inner = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        except httpcore.ConnectError as error:
            raise _TlsFailedError(*error.args) from error
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None = None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time of the request is over")
    return left if timeout is None else min(left, timeout)
