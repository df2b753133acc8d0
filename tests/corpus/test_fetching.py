"""Fetching from a real server on loopback: whole pages, what is refused, what is broken and slow."""

import gzip
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.fetching.caching import FetchedPage
from corpus.fetching.connecting import Network
from corpus.fetching.fetching import fetch_pages
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import Reason, Refusal
from tests.corpus.fetching_server import (
    PAGE,
    Clock,
    Exchange,
    Route,
    Site,
    cut_length,
    fetch,
    fetch_page,
    fetch_refusal,
    serve,
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def test_a_page_comes_whole_with_what_is_known_of_it(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = lambda x: x.send(200, PAGE, "Text/HTML; charset=utf-8", ETag='"1"', Last_Modified="Mon, 02 Nov")
    page = fetch_page(site, tmp_path, "/a")
    assert page.url == page.final_url == site.url("/a")
    assert (page.content, page.media_type, page.charset, page.outcome) == (PAGE, "text/html", "utf-8", "fetched")
    assert (page.etag, page.last_modified) == ('"1"', "Mon, 02 Nov")
    assert page.sha256 == hashlib.sha256(PAGE).hexdigest()
    assert page.fetched_at.endswith("+00:00")
    assert site.requests[1].headers["user-agent"].startswith("Backline/")
    assert "cookie" not in site.requests[1].headers


def test_pages_and_refusals_come_in_the_order_of_the_list(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/a": PAGE, "/c": PAGE}
    items = fetch(site, tmp_path, "/a", "/b", "/c", "/a")
    assert [item.url for item in items] == [site.url(path) for path in ("/a", "/b", "/c", "/a")]
    assert [type(item) for item in items] == [FetchedPage, Refusal, FetchedPage, FetchedPage]
    assert site.paths == ["/robots.txt", "/a", "/b", "/c"]


def test_the_next_item_is_not_fetched_before_it_is_wanted(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/a": PAGE, "/b": PAGE}
    items = fetch_pages([site.url("/a"), site.url("/b")], tmp_path, policy=site.policy(), clock=Clock())
    next(items)
    assert site.paths == ["/robots.txt", "/a"]


def test_a_packed_page_is_unpacked(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = lambda x: x.send(200, gzip.compress(PAGE), Content_Encoding="gzip")
    assert fetch_page(site, tmp_path, "/a").content == PAGE


def test_a_page_in_pieces_is_put_together(site: Site, tmp_path: Path) -> None:
    def route(exchange: Exchange) -> None:
        exchange.protocol_version = "HTTP/1.1"
        exchange.head(200, Transfer_Encoding="chunked", Connection="close")
        for piece in (PAGE[:7], PAGE[7:]):
            exchange.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        exchange.wfile.write(b"0\r\n\r\n")

    site.routes["/a"] = route
    assert fetch_page(site, tmp_path, "/a").content == PAGE


def test_a_pdf_keeps_its_bytes_and_has_no_text(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = lambda x: x.send(200, b"%PDF-1.7\n\xff\xfe%%EOF", "application/pdf")
    page = fetch_page(site, tmp_path, "/a")
    assert (page.charset, page.text, page.readable_content) == ("", None, b"%PDF-1.7\n\xff\xfe%%EOF")


@pytest.mark.parametrize(("content", "kind"), [(PAGE, "text/html"), (b"%PDF-1.7 %%EOF", "application/pdf")])
def test_a_page_without_a_kind_is_told_by_its_content(site: Site, tmp_path: Path, content: bytes, kind: str) -> None:
    site.routes["/a"] = lambda x: x.send(200, content, None)
    assert fetch_page(site, tmp_path, "/a").media_type == kind


def test_a_wrong_charset_of_the_server_does_not_spoil_the_letters(site: Site, tmp_path: Path) -> None:
    content = '<html><meta charset="koi8-r"><p>Rücken – “back”</p></html>'.encode()
    site.routes["/a"] = lambda x: x.send(200, content, "text/html; charset=iso-8859-1")
    page = fetch_page(site, tmp_path, "/a")
    assert "Rücken – “back”" in str(page.text)
    assert page.readable_content == b"\xef\xbb\xbf" + content


def test_the_words_of_another_charset_reach_the_readers_as_utf8(site: Site, tmp_path: Path) -> None:
    content = '<html><meta charset="utf-8"><p>Боль</p></html>'.encode("cp1251")
    site.routes["/a"] = lambda x: x.send(200, content, "text/html; charset=windows-1251")
    assert "Боль".encode() in fetch_page(site, tmp_path, "/a").readable_content


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "gone"), (410, "gone"), (401, "status"), (403, "status"), (500, "status"), (204, "status"), (206, "status"),
     (304, "status"), (429, "busy"), (503, "busy")],
)  # fmt: skip
def test_a_status_refuses_with_its_reason(site: Site, tmp_path: Path, status: int, reason: Reason) -> None:
    site.routes["/a"] = lambda x: x.send(status, b"" if status in {204, 304} else PAGE)
    refusal = fetch_refusal(site, tmp_path, "/a")
    assert refusal.reason == reason
    assert str(status) in refusal.detail
    assert refusal.advice


@pytest.mark.parametrize("kind", ["image/png", "application/zip", "video/mp4", "application/json", "x"])
def test_other_kinds_are_refused_before_their_body_is_read(site: Site, tmp_path: Path, kind: str) -> None:
    def route(exchange: Exchange) -> None:
        exchange.head(200, kind, Content_Length="1000000")
        site.hold.wait(10)  # the body never comes

    site.routes["/a"] = route
    assert fetch_refusal(site, tmp_path, "/a").reason == "kind"


def test_a_page_of_no_kind_that_is_no_html_is_refused(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = lambda x: x.send(200, b"\x00\x01\x02", None)
    assert fetch_refusal(site, tmp_path, "/a").reason == "kind"


def test_letters_that_cannot_be_told_are_refused(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = lambda x: x.send(200, "Rücken für üben".encode() + b"\xff", "text/plain; charset=utf-8")
    assert fetch_refusal(site, tmp_path, "/a").reason == "charset"


def test_200_megabytes_are_refused_by_their_announcement(site: Site, tmp_path: Path) -> None:
    def route(exchange: Exchange) -> None:
        exchange.head(200, Content_Length=str(200 * 1024 * 1024))
        site.hold.wait(10)

    site.routes["/a"] = route
    refusal = fetch_refusal(site, tmp_path, "/a")
    assert (refusal.reason, "209,715,200" in refusal.detail) == ("large", True)


def test_200_megabytes_without_announcement_are_refused_once_the_limit_is_passed(site: Site, tmp_path: Path) -> None:
    sent = []

    def route(exchange: Exchange) -> None:
        exchange.head(200)
        try:
            for _ in range(200):
                exchange.wfile.write(b" " * 1024 * 1024)
                sent.append(1)
        except OSError:
            pass

    site.routes["/a"] = route
    assert fetch_refusal(site, tmp_path, "/a", site.policy(page_bytes=1024 * 1024)).reason == "large"
    assert len(sent) < 50


def test_200_megabytes_packed_into_few_are_refused(site: Site, tmp_path: Path) -> None:
    bomb = gzip.compress(b" " * 200 * 1024 * 1024, 1)
    site.routes["/a"] = lambda x: x.send(200, bomb, Content_Encoding="gzip")
    assert len(bomb) < 2 * 1024 * 1024
    assert fetch_refusal(site, tmp_path, "/a", site.policy(page_bytes=2 * 1024 * 1024)).reason == "large"


def test_a_page_of_exactly_the_limit_is_taken(site: Site, tmp_path: Path) -> None:
    site.routes["/a"] = PAGE
    assert fetch_page(site, tmp_path, "/a", site.policy(page_bytes=len(PAGE))).content == PAGE
    site.routes["/b"] = PAGE + b" "
    (item,) = fetch(site, tmp_path, "/b", policy=site.policy(page_bytes=len(PAGE)))
    assert isinstance(item, Refusal)


def _cut_chunk(exchange: Exchange) -> None:
    exchange.protocol_version = "HTTP/1.1"
    exchange.head(200, Transfer_Encoding="chunked", Connection="close")
    exchange.wfile.write(b"%x\r\n%b\r\n" % (len(PAGE), PAGE))


def _cut_gzip(exchange: Exchange) -> None:
    exchange.send(200, gzip.compress(PAGE)[:-4], Content_Encoding="gzip")


def _bad_gzip(exchange: Exchange) -> None:
    exchange.send(200, PAGE, Content_Encoding="gzip")


def _unasked_packing(exchange: Exchange) -> None:
    exchange.send(200, PAGE, Content_Encoding="br")


def _no_end(exchange: Exchange) -> None:
    exchange.head(200)
    exchange.wfile.write(PAGE[:30])


def _no_end_of_pdf(exchange: Exchange) -> None:
    exchange.head(200, "application/pdf")
    exchange.wfile.write(b"%PDF-1.7 and then")


def _reset(exchange: Exchange) -> None:
    exchange.head(200, Content_Length="1000")
    exchange.wfile.write(PAGE)
    exchange.wfile.flush()
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def _no_http(exchange: Exchange) -> None:
    exchange.wfile.write(b"220 smtp.example ESMTP\r\n")


def _silence(exchange: Exchange) -> None:
    exchange.close_connection = True


@pytest.mark.parametrize(
    "route",
    [
        cut_length,
        _cut_chunk,
        _cut_gzip,
        _bad_gzip,
        _unasked_packing,
        _no_end,
        _no_end_of_pdf,
        _reset,
        _no_http,
        _silence,
    ],
)
def test_half_a_page_is_no_page(site: Site, tmp_path: Path, route: Route) -> None:
    site.routes["/a"] = route
    assert fetch_refusal(site, tmp_path, "/a").reason == "broken"


def test_a_page_without_length_is_taken_when_its_end_is_there(site: Site, tmp_path: Path) -> None:
    def route(exchange: Exchange) -> None:
        exchange.head(200)
        exchange.wfile.write(PAGE + b"\n<!-- served -->\n")

    site.routes["/a"] = route
    assert fetch_page(site, tmp_path, "/a").content == PAGE + b"\n<!-- served -->\n"


@pytest.mark.parametrize(("read", "total"), [(0.2, 60), (60, 0.2)])
def test_a_site_that_does_not_answer_is_left(site: Site, tmp_path: Path, read: float, total: float) -> None:
    def stall(_exchange: Exchange) -> None:
        site.hold.wait(10)

    site.routes["/a"] = stall
    began = time.monotonic()
    assert fetch_refusal(site, tmp_path, "/a", site.policy(read_seconds=read, total_seconds=total)).reason == "slow"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_dripping_site_is_left_when_the_time_of_the_request_is_over(site: Site, tmp_path: Path, part: str) -> None:
    def route(exchange: Exchange) -> None:
        if part == "body":
            exchange.head(200, Content_Length="100000")
        else:
            exchange.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            while not site.hold.wait(0.05):
                exchange.wfile.write(b"a")
        except OSError:
            pass

    site.routes["/a"] = route
    began = time.monotonic()
    assert fetch_refusal(site, tmp_path, "/a", site.policy(read_seconds=5, total_seconds=0.4)).reason == "slow"
    assert time.monotonic() - began < 2


def test_a_slow_look_up_is_left(site: Site, tmp_path: Path) -> None:
    def lookup(_host: str, _port: int) -> tuple[str, ...]:
        site.hold.wait(10)
        return ("8.8.8.8",)

    policy = FetchPolicy(connect_seconds=0.2)
    urls = ["http://pages.example/"]
    (item,) = fetch_pages(urls, tmp_path, policy=policy, network=Network(lookup=lookup), clock=Clock())
    assert isinstance(item, Refusal)
    assert item.reason == "slow"


def test_a_closed_port_is_unreachable_and_asked_once_a_run(tmp_path: Path) -> None:
    with serve() as gone:
        pass
    items = fetch(gone, tmp_path, "/a", "/b")
    assert [item.reason for item in items if isinstance(item, Refusal)] == ["unreachable", "unreachable"]


@pytest.mark.parametrize(
    "changes",
    [
        {"user_agent": ""},
        {"user_agent": "Back\r\nline"},
        {"user_agent": "/1"},
        {"seconds_between_requests": 0.5},
        {"longest_delay_seconds": 0.5},
        {"read_seconds": 0.0},
        {"page_bytes": 0},
        {"redirects": 6},
        {"allow": frozenset({"localhost"})},
        {"allow": frozenset({"http://localhost:80"})},
        {"allow": frozenset({"*:80"})},
    ],
)
def test_a_policy_checks_itself(changes: dict[str, float | str | frozenset[str]]) -> None:
    with pytest.raises(ValueError, match=r"user_agent|allow|seconds|limits"):
        FetchPolicy(**changes)  # type: ignore[arg-type] # wrong on purpose


def test_a_page_checks_its_hash() -> None:
    with pytest.raises(ValueError, match="hash"):
        FetchedPage("u", "u", "text/html", "utf-8", b"a", "00", "", "", "", "fetched")


def test_a_refusal_checks_itself() -> None:
    with pytest.raises(ValueError, match="reason"):
        Refusal("u", "whim", "x", "y")  # type: ignore[arg-type] # wrong on purpose


def test_the_state_holds_no_address(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/a?key=hunter2": PAGE, "/b": PAGE}
    next(fetch_pages([site.url("/a?key=hunter2"), site.url("/b")], tmp_path, policy=site.policy(), clock=Clock()))
    state = json.loads((tmp_path / "run.json").read_text())
    assert (len(state["done"]), "hunter2" in str(state)) == (1, False)
