"""Sitemaps of a web server on loopback, well-formed and not."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.fetching import sitemaps
from corpus.fetching.refusals import Refusal
from corpus.fetching.sitemaps import list_pages
from corpus.sandbox import Sandbox
from tests.corpus.fetching_server import Clock, Exchange, Site, serve

_SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def urlset(*addresses: str) -> bytes:
    return f"<urlset {_SPACE}>{''.join(f'<url><loc> {a} </loc></url>' for a in addresses)}</urlset>".encode()


def index(*addresses: str) -> bytes:
    entries = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    return f'<?xml version="1.0"?><sitemapindex {_SPACE}>{entries}</sitemapindex>'.encode()


def add(site: Site, path: str, content: bytes, kind: str = "application/xml") -> None:
    site.routes[path] = lambda exchange: Exchange.send(exchange, 200, content, kind)


def pages(site: Site, folder: Path, *urls: str) -> tuple[list[str], list[Refusal]]:
    refused: list[Refusal] = []
    with Sandbox() as sandbox:
        listed = list_pages(
            [url if "//" in url else site.url(url) for url in urls],
            folder,
            policy=site.policy(),
            sandbox=sandbox,
            on_refusal=refused.append,
            clock=Clock(),
        )
    return [page.removeprefix(site.url("")) for page in listed], refused


def test_a_sitemap_stands_for_its_pages_once_each_and_other_addresses_stay(site: Site, tmp_path: Path) -> None:
    add(site, "/sitemap.xml", urlset(site.url("/a"), site.url("/b"), site.url("/a")))
    assert pages(site, tmp_path, "/b", "/sitemap.xml", "/c") == (["/b", "/a", "/c"], [])
    assert site.paths == ["/robots.txt", "/sitemap.xml"]


def test_an_index_is_followed_one_step_and_packed_files_are_unpacked(site: Site, tmp_path: Path) -> None:
    add(site, "/index.xml", index(site.url("/one.xml"), site.url("/two.xml.gz"), site.url("/deep.xml")))
    add(site, "/one.xml", urlset(site.url("/a")), "text/xml")
    add(site, "/two.xml.gz", gzip.compress(urlset(site.url("/b"))), "application/x-gzip")
    add(site, "/deep.xml", index(site.url("/index.xml")))
    assert pages(site, tmp_path, "/index.xml") == (["/a", "/b"], [])
    assert site.paths.count("/index.xml") == 1


def test_pages_of_other_sites_and_inside_the_network_are_left_out(site: Site, tmp_path: Path) -> None:
    add(site, "/sitemap.xml", urlset(site.url("/a"), "https://example.org/b", "http://192.168.0.1/", "file:///etc/x"))
    listed, refused = pages(site, tmp_path, "/sitemap.xml")
    assert listed == ["/a"]
    assert refused[-1].detail == "the sitemap lists pages of another site"
    assert {refusal.reason for refusal in refused} == {"address"}


@pytest.mark.parametrize(
    "content",
    [
        b"<urlset><url>",
        b"not XML",
        b"<html><body>No</body></html>",
        b'<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset><url><loc>&x;</loc></url></urlset>',
        b'<!DOCTYPE u [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>',
        gzip.compress(b"<urlset></urlset>", mtime=0)[:-9],
        b"\x1f\x8b broken",
    ],
)
def test_a_broken_or_hostile_sitemap_gives_no_page_and_stops_no_other(
    content: bytes, site: Site, tmp_path: Path
) -> None:
    add(site, "/bad.xml", content)
    add(site, "/good.xml", urlset(site.url("/a")))
    listed, refused = pages(site, tmp_path, "/bad.xml", "/missing.xml", "/good.xml")
    assert listed == ["/a"]
    assert site.url("/missing.xml") in {refusal.url for refusal in refused}


def test_there_is_an_end_to_pages_and_files(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MOST_PAGES", 2)
    monkeypatch.setattr(sitemaps, "MOST_FILES", 2)
    add(site, "/index.xml", index(site.url("/one.xml"), site.url("/two.xml")))
    add(site, "/one.xml", urlset(*(site.url(f"/{n}") for n in range(5))))
    listed, refused = pages(site, tmp_path, "/index.xml")
    assert listed == ["/0", "/1"]
    assert [refusal.reason for refusal in refused] == ["large", "large"]
    assert site.paths == ["/robots.txt", "/index.xml", "/robots.txt", "/one.xml"]
