"""A web server on loopback that behaves as a test wants: slowly, wrongly, or well."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpcore

from corpus.fetching.caching import FetchedPage
from corpus.fetching.connecting import Network
from corpus.fetching.fetching import fetch_pages
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import Refusal

PAGE = b"<!doctype html><title>Back</title><p>Rest for a day.</p></html>"


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Exchange(BaseHTTPRequestHandler):
    """One request; a route answers it through ``send`` or by hand."""

    server: "_Server"

    def do_GET(self) -> None:
        host = self.headers["Host"]
        self.server.site.requests.append(Seen(self.path, host, {k.lower(): v for k, v in self.headers.items()}))
        route = self.server.site.routes.get(f"{host}{self.path}") or self.server.site.routes.get(self.path)
        if route is None:
            self.send(404, b"nothing here", "text/plain")
        elif callable(route):
            route(self)
        else:
            self.send(200, route)

    def send(self, status: int, content: bytes = b"", kind: str | None = "text/html", **headers: str) -> None:
        """Send a whole reply; underscores in the names of headers stand for dashes."""
        self.head(status, kind, Content_Length=str(len(content)), **headers)
        self.wfile.write(content)

    def head(self, status: int, kind: str | None = "text/html", **headers: str) -> None:
        self.send_response(status)
        if kind is not None:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


Route = Callable[[Exchange], None] | bytes


@dataclass(frozen=True, slots=True)
class Seen:
    path: str
    host: str
    headers: dict[str, str]


@dataclass(slots=True)
class Site:
    """A running server.

    Attributes:
        port: Where it listens on 127.0.0.1.
        routes: What each path answers, or each host with path; another path gives 404.
        requests: What was asked, in order.
        hold: Set when the test is over; a route that stalls waits for it.
    """

    port: int = 0
    routes: dict[str, Route] = field(default_factory=dict)
    requests: list[Seen] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [seen.path for seen in self.requests]

    def policy(self, **changes: float | str | frozenset[str]) -> FetchPolicy:
        """Return a policy that may ask this server."""
        return FetchPolicy(allow=frozenset({f"127.0.0.1:{self.port}"}), **changes)  # type: ignore[arg-type] # by name


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, site: Site) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.site = site

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that leave early are what is tested


@contextmanager
def serve() -> Iterator[Site]:
    site = Site()
    server = _Server(site)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.hold.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class Street:
    """A small internet: names with addresses, every one of which is really the site on loopback.

    Attributes:
        names: Addresses that each look-up of a name gives, one tuple a look-up; the last stays.
        lookups: Names that were looked up, in order.
        dialled: Addresses and ports that connections were opened to, in order.
    """

    def __init__(self, site: Site, **names: Sequence[tuple[str, ...]]) -> None:
        self._site = site
        self.names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.lookups: list[str] = []
        self.dialled: list[tuple[str, int]] = []

    @property
    def network(self) -> Network:
        return Network(self._lookup, self._connect)

    def _lookup(self, host: str, _port: int) -> tuple[str, ...]:
        self.lookups.append(host)
        answers = self.names.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _connect(self, address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        self.dialled.append((address, port))
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self._site.port, timeout=seconds)


def fetch(
    site: Site, folder: Path, *paths: str, policy: FetchPolicy | None = None, clock: Clock | None = None
) -> list[FetchedPage | Refusal]:
    urls = [site.url(path) for path in paths]
    return list(fetch_pages(urls, folder, policy=policy or site.policy(), clock=clock or Clock()))


def fetch_page(site: Site, folder: Path, path: str, policy: FetchPolicy | None = None) -> FetchedPage:
    (item,) = fetch(site, folder, path, policy=policy)
    assert isinstance(item, FetchedPage), item
    return item


def fetch_refusal(site: Site, folder: Path, path: str, policy: FetchPolicy | None = None) -> Refusal:
    (item,) = fetch(site, folder, path, policy=policy)
    assert isinstance(item, Refusal), item
    assert kept_files(folder) == []
    return item


def kept_files(folder: Path) -> list[str]:
    """Return every file of the folder that is no finished state: pages and left-overs."""
    return sorted(path.name for path in (folder / "pages").iterdir())


def redirect_to(location: str, status: int = 302) -> Route:
    return lambda exchange: exchange.send(status, b"", Location=location)


def cut_length(exchange: Exchange) -> None:
    exchange.head(200, Content_Length=str(len(PAGE) + 100))
    exchange.wfile.write(PAGE)
