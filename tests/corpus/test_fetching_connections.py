"""R15 on the wire: redirects, names, and the address that a connection goes to."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.fetching.caching import FetchedPage
from corpus.fetching.connecting import Network, tls_context
from corpus.fetching.fetching import fetch_pages
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import FetchError, Refusal
from tests.corpus.fetching_server import PAGE, Clock, Site, Street, fetch, fetch_page, fetch_refusal, redirect_to, serve


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_the_final_address_kept(site: Site, tmp_path: Path, status: int) -> None:
    site.routes |= {"/a": redirect_to("/b%20c?d", status), "/b%20c?d": PAGE}
    page = fetch_page(site, tmp_path, "/a")
    assert (page.url, page.final_url, page.content) == (site.url("/a"), site.url("/b%20c?d"), PAGE)


def test_five_redirects_are_followed_and_six_are_not(site: Site, tmp_path: Path) -> None:
    site.routes |= {f"/{number}": redirect_to(f"/{number + 1}") for number in range(6)} | {"/6": PAGE}
    items = fetch(site, tmp_path, "/1", "/0")
    assert isinstance(items[0], FetchedPage)
    assert isinstance(items[1], Refusal)
    assert items[1].reason == "redirect"


@pytest.mark.drill("R15")
@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/",
        "http://127.0.0.1/",
        "http://localhost/",
        "//192.168.1.1/a",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1]/",
        "http://user:secret@example.org/",
        "http://example.org:22/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "javascript:alert(1)",
        "http://metadata.google.internal/",
        "/\\evil.example",
    ],
)
def test_a_redirect_is_checked_like_any_address(site: Site, tmp_path: Path, location: str) -> None:
    site.routes["/a"] = redirect_to(location)
    refusal = fetch_refusal(site, tmp_path, "/a")
    assert (refusal.url, refusal.reason) == (site.url("/a"), "address")
    assert "secret" not in str(refusal)
    assert site.paths == ["/robots.txt", "/a"]


@pytest.mark.parametrize("headers", [{}, {"Location": ""}])
def test_a_redirect_to_nowhere_is_refused(site: Site, tmp_path: Path, headers: dict[str, str]) -> None:
    site.routes["/a"] = lambda x: x.send(302, b"", **headers)
    assert fetch_refusal(site, tmp_path, "/a").reason == "redirect"


def test_a_redirect_of_robots_txt_to_the_inside_is_refused(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/robots.txt": redirect_to("http://169.254.169.254/"), "/a": PAGE}
    assert fetch_refusal(site, tmp_path, "/a").reason == "address"
    assert site.paths == ["/robots.txt"]


@pytest.mark.drill("R15")
def test_the_connection_goes_to_the_address_that_was_checked_with_the_name_in_the_host_header(
    site: Site, tmp_path: Path
) -> None:
    site.routes["pages.example/a"] = PAGE
    street = Street(site, pages_example=[("8.8.8.8", "8.8.4.4")])
    urls = ["http://pages.example/a"]
    (page,) = fetch_pages(urls, tmp_path, policy=FetchPolicy(), network=street.network, clock=Clock())
    assert isinstance(page, FetchedPage)
    assert street.dialled == [("8.8.8.8", 80), ("8.8.8.8", 80)]  # robots.txt, then the page
    assert street.lookups == ["pages.example", "pages.example"]
    assert {seen.host for seen in site.requests} == {"pages.example"}


@pytest.mark.drill("R15")
def test_a_name_that_changes_its_address_is_caught_and_never_connected_to(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = PAGE
    street = Street(site, pages_example=[("8.8.8.8",), ("127.0.0.1",)])
    urls = ["http://pages.example/a"]
    (item,) = fetch_pages(urls, tmp_path, policy=FetchPolicy(), network=street.network, clock=Clock())
    assert isinstance(item, Refusal)
    assert item.reason == "address"
    assert street.dialled == [("8.8.8.8", 80)]


@pytest.mark.drill("R15")
def test_a_redirect_to_a_name_that_leads_inside_is_refused(site: Site, tmp_path: Path) -> None:
    site.routes["good.example/a"] = redirect_to("http://evil.example/")
    street = Street(site, good_example=[("8.8.8.8",)], evil_example=[("8.8.4.4", "10.0.0.7")])
    urls = ["http://good.example/a"]
    (item,) = fetch_pages(urls, tmp_path, policy=FetchPolicy(), network=street.network, clock=Clock())
    assert isinstance(item, Refusal)
    assert (item.url, item.reason) == ("http://good.example/a", "address")
    assert {address for address, _ in street.dialled} == {"8.8.8.8"}


def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer(site: Site, tmp_path: Path) -> None:
    import httpcore

    site.routes["/a"] = PAGE
    street = Street(site, pages_example=[("8.8.8.8", "8.8.4.4")])
    tried = []

    def connect(address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        tried.append(address)
        if address == "8.8.8.8":
            raise httpcore.ConnectError("refused")
        return street.network.connect(address, port, seconds)

    network = Network(street.network.lookup, connect)
    (page,) = fetch_pages(["http://pages.example/a"], tmp_path, policy=FetchPolicy(), network=network, clock=Clock())
    assert isinstance(page, FetchedPage)
    assert tried == ["8.8.8.8", "8.8.4.4"] * 2


def test_an_encrypted_connection_names_the_host_and_trusts_no_stranger(tmp_path: Path) -> None:
    import httpcore

    hellos: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                hellos.append(connection.recv(4096))
                connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # TLS alert: handshake failure

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        network = Network(
            lambda _host, _port: ("8.8.8.8",),
            lambda _address, _port, seconds: httpcore.SyncBackend().connect_tcp("127.0.0.1", port, timeout=seconds),
        )
        urls = ["https://pages.example/a"]
        (item,) = fetch_pages(urls, tmp_path, policy=FetchPolicy(), network=network, clock=Clock())
        thread.join(5)
    assert isinstance(item, Refusal)
    assert item.reason == "tls"
    assert b"pages.example" in hellos[0]
    assert tls_context().check_hostname
    assert tls_context().verify_mode.name == "CERT_REQUIRED"


def test_proxies_of_the_environment_are_not_used(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.routes["/a"] = PAGE
    assert fetch_page(site, tmp_path, "/a").content == PAGE


def test_without_leave_the_server_of_the_test_itself_is_refused(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = PAGE
    assert fetch_refusal(site, tmp_path, "/a", FetchPolicy()).reason == "address"
    assert site.requests == []


def test_a_refusal_shows_no_query(site: Site, tmp_path: Path) -> None:
    refusal = fetch_refusal(site, tmp_path, "/a?token=hunter2")
    assert refusal.url == site.url("/a?")
    assert "hunter2" not in str(refusal)


def test_a_redirect_may_not_leave_the_encrypted_connection(site: Site, tmp_path: Path) -> None:
    from corpus.fetching.addresses import check_url
    from corpus.fetching.caching import PageCache
    from corpus.fetching.connecting import Reply
    from corpus.fetching.fetching import _Visit

    visit = _Visit(PageCache(tmp_path), site.policy(), Network(), Clock())
    secure = check_url("https://pages.example/a")
    assert visit._follow(secure, Reply(301, {"location": "//www.pages.example/b"}, b"", whole=True)).scheme == "https"
    with pytest.raises(FetchError) as caught:
        visit._follow(secure, Reply(301, {"location": "http://pages.example/a"}, b"", whole=True))
    assert caught.value.refusal.reason == "redirect"
