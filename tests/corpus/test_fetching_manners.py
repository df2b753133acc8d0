"""robots.txt, time between requests, and pages that are not asked for twice."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.fetching.caching import FetchedPage, PageCache
from corpus.fetching.fetching import fetch_pages
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import Refusal
from tests.corpus.fetching_server import (
    PAGE,
    Clock,
    Exchange,
    Site,
    Street,
    cut_length,
    fetch,
    fetch_page,
    fetch_refusal,
    kept_files,
    redirect_to,
    serve,
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def test_robots_txt_is_asked_once_and_obeyed(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/robots.txt": b"User-agent: *\nDisallow: /shut", "/shut/a": PAGE, "/open": PAGE}
    items = fetch(site, tmp_path, "/shut/a", "/open", "/shut/b")
    assert [item.reason if isinstance(item, Refusal) else item.outcome for item in items] == [
        "robots",
        "fetched",
        "robots",
    ]
    assert site.paths == ["/robots.txt", "/open"]


def test_robots_txt_is_obeyed_where_a_redirect_leads(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/robots.txt": b"User-agent: *\nDisallow: /shut", "/a": redirect_to("/shut"), "/shut": PAGE}
    assert fetch_refusal(site, tmp_path, "/a").reason == "robots"
    assert site.paths == ["/robots.txt", "/a"]


@pytest.mark.parametrize(("status", "fetched"), [(404, True), (410, True), (403, False), (500, False), (503, False)])
def test_the_status_of_robots_txt_decides(site: Site, tmp_path: Path, status: int, *, fetched: bool) -> None:
    site.routes |= {"/robots.txt": lambda x: x.send(status, b"no"), "/a": PAGE}
    (item,) = fetch(site, tmp_path, "/a")
    assert isinstance(item, FetchedPage) is fetched
    assert ("/a" in site.paths) is fetched


def test_a_broken_robots_txt_forbids(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/robots.txt": cut_length, "/a": PAGE}
    assert fetch_refusal(site, tmp_path, "/a").reason == "broken"
    assert site.paths == ["/robots.txt"]


def test_a_robots_txt_above_its_limit_forbids(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/robots.txt": b"#" * 2_000, "/a": PAGE}
    assert fetch_refusal(site, tmp_path, "/a", site.policy(robots_bytes=1_999)).reason == "large"


def test_requests_to_a_host_are_a_second_apart(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/a": PAGE, "/b": redirect_to("/c"), "/c": PAGE}
    clock = Clock()
    fetch(site, tmp_path, "/a", "/b", clock=clock)
    assert clock.slept == [1.0, 1.0, 1.0]


def test_hosts_are_paced_apart(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = PAGE
    street = Street(site, one_example=[("8.8.8.8",)], two_example=[("8.8.4.4",)])
    clock = Clock()
    urls = ["http://one.example/a", "http://two.example/a"]
    list(fetch_pages(urls, tmp_path, policy=FetchPolicy(), network=street.network, clock=clock))
    assert clock.slept == [1.0, 1.0]


def test_a_site_that_wants_more_time_gets_it(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/robots.txt": b"User-agent: Backline\nCrawl-delay: 7", "/a": PAGE, "/b": PAGE}
    clock = Clock()
    fetch(site, tmp_path, "/a", "/b", clock=clock)
    assert clock.slept == [7.0, 7.0]


def test_a_site_that_wants_an_hour_is_left_alone(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/robots.txt": b"User-agent: *\nCrawl-delay: 3600", "/a": PAGE}
    assert fetch_refusal(site, tmp_path, "/a").reason == "robots"


def test_a_busy_site_is_left_in_peace_for_as_long_as_it_says(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/a": lambda x: x.send(429, b"", Retry_After="20"), "/b": PAGE}
    clock = Clock()
    items = fetch(site, tmp_path, "/a", "/b", clock=clock)
    assert clock.slept == [1.0, 20.0]
    assert isinstance(items[0], Refusal)
    assert "20 s" in items[0].detail


def _conditional(exchange: Exchange) -> None:
    if exchange.headers.get("If-None-Match") == '"1"':
        exchange.send_response(304)
        exchange.end_headers()
    else:
        exchange.send(200, PAGE, ETag='"1"', Last_Modified="Mon, 02 Nov 2026 10:00:00 GMT")


def test_a_page_that_has_not_changed_is_not_sent_again(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = _conditional
    first, second = fetch_page(site, tmp_path, "/a"), fetch_page(site, tmp_path, "/a")
    assert (second.outcome, second.content, second.fetched_at) == ("unchanged", PAGE, first.fetched_at)
    assert site.requests[-1].headers["if-modified-since"] == "Mon, 02 Nov 2026 10:00:00 GMT"


def test_a_changed_page_takes_the_place_of_the_old(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = lambda x: x.send(200, PAGE, ETag='"1"')
    fetch_page(site, tmp_path, "/a")
    site.routes["/a"] = lambda x: x.send(200, PAGE * 2, ETag='"2"')
    page = fetch_page(site, tmp_path, "/a")
    assert (page.outcome, page.content, page.etag) == ("fetched", PAGE * 2, '"2"')
    assert len(kept_files(tmp_path)) == 1


def test_the_marks_of_one_address_are_not_sent_to_another(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/a": redirect_to("/b"), "/b": _conditional}
    fetch_page(site, tmp_path, "/a")
    assert fetch_page(site, tmp_path, "/a").outcome == "unchanged"
    by_path = [("if-none-match" in seen.headers) for seen in site.requests if seen.path == "/a"]
    assert by_path == [False, False]


def test_a_failed_visit_keeps_the_page_of_the_last(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = _conditional
    fetch_page(site, tmp_path, "/a")
    site.routes["/a"] = cut_length
    (item,) = fetch(site, tmp_path, "/a")
    assert isinstance(item, Refusal)
    kept = PageCache(tmp_path).read(site.url("/a"), "unchanged")
    assert kept is not None
    assert kept.content == PAGE


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "header", "version"])
def test_a_damaged_page_on_disk_is_fetched_again(site: Site, tmp_path: Path, damage: str) -> None:
    site.routes["/a"] = _conditional
    fetch_page(site, tmp_path, "/a")
    (path,) = (tmp_path / "pages").iterdir()
    content = path.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    path.write_bytes(
        {"cut": content[:-1], "flipped": flipped, "empty": b"", "header": b"[]\n" + PAGE,
         "version": content.replace(b'"version": 1', b'"version": 2', 1)}[damage]
    )  # fmt: skip
    page = fetch_page(site, tmp_path, "/a")
    assert (page.outcome, page.content) == ("fetched", PAGE)


def test_the_files_are_for_their_owner_alone_and_named_without_the_address(site: Site, tmp_path: Path) -> None:
    site.routes["/..%2f..%2fetc/passwd"] = PAGE
    fetch_page(site, tmp_path, "/..%2f..%2fetc/passwd")
    (path,) = (tmp_path / "pages").iterdir()
    assert path.stem == hashlib.sha256(site.url("/..%2f..%2fetc/passwd").encode()).hexdigest()
    assert path.stat().st_mode & 0o077 == 0
