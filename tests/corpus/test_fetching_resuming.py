"""Runs that are stopped, killed or out of space: no half page, and they go on."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.fetching.caching import FetchedPage
from corpus.fetching.fetching import fetch_pages
from corpus.fetching.refusals import FetchError
from tests.corpus.fetching_server import PAGE, Clock, Exchange, Site, fetch, fetch_page, kept_files, serve

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def test_a_stopped_run_goes_on_where_it_was_and_a_whole_one_begins_anew(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/a": PAGE, "/b": PAGE, "/c": PAGE}
    urls = [site.url(path) for path in ("/a", "/b", "/c")]
    items = fetch_pages(urls, tmp_path, policy=site.policy(), clock=Clock())
    next(items), next(items)
    items.close()  # type: ignore[attr-defined] # it is a generator
    site.requests.clear()
    outcomes = [item.outcome for item in fetch(site, tmp_path, "/a", "/b", "/c") if isinstance(item, FetchedPage)]
    assert outcomes == ["resumed", "resumed", "fetched"]
    assert site.paths == ["/robots.txt", "/c"]
    site.requests.clear()
    fetch(site, tmp_path, "/a", "/b", "/c")
    assert site.paths == ["/robots.txt", "/a", "/b", "/c"]


def test_the_state_of_another_list_is_not_taken(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/a": PAGE, "/b": PAGE}
    next(fetch_pages([site.url("/a"), site.url("/b")], tmp_path, policy=site.policy(), clock=Clock()))
    assert fetch_page(site, tmp_path, "/a").outcome == "fetched"


@pytest.mark.parametrize(
    "state", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 9, "run": "", "done": []}', b"\xff"]
)
def test_a_damaged_state_is_no_state(site: Site, tmp_path: Path, state: bytes) -> None:
    site.routes["/a"] = PAGE
    (tmp_path / "run.json").write_bytes(state)
    assert fetch_page(site, tmp_path, "/a").outcome == "fetched"


_CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from corpus.fetching.fetching import fetch_pages
from corpus.fetching.policy import FetchPolicy
from tests.corpus.fetching_server import Clock
policy = FetchPolicy(allow=frozenset({sys.argv[3]}))
for item in fetch_pages(sys.argv[4:], Path(sys.argv[2]), policy=policy, clock=Clock()):
    pass
"""


def test_a_run_killed_in_the_middle_of_a_page_leaves_whole_pages_and_goes_on(site: Site, tmp_path: Path) -> None:
    reached = threading.Event()

    def stall(exchange: Exchange) -> None:
        exchange.head(200, Content_Length=str(len(PAGE)))
        exchange.wfile.write(PAGE[:20])
        exchange.wfile.flush()
        reached.set()
        site.hold.wait(20)

    site.routes |= {"/a": PAGE, "/b": PAGE + b"\n", "/c": stall}
    urls = [site.url(path) for path in ("/a", "/b", "/c")]
    command = [sys.executable, "-c", _CHILD, str(_ROOT), str(tmp_path), f"127.0.0.1:{site.port}", *urls]
    child = subprocess.Popen(command)
    try:
        assert reached.wait(20)
    finally:
        child.kill()
        child.wait(10)
    contents = sorted(path.read_bytes().partition(b"\n")[2] for path in (tmp_path / "pages").iterdir())
    assert contents == [PAGE, PAGE + b"\n"]
    site.requests.clear()
    site.routes["/c"] = PAGE
    items = fetch(site, tmp_path, "/a", "/b", "/c")
    assert [item.outcome for item in items if isinstance(item, FetchedPage)] == ["resumed", "resumed", "fetched"]
    assert site.paths == ["/robots.txt", "/c"]


@pytest.mark.parametrize("step", ["write", "fsync", "rename"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_disk_that_fails_ends_the_run_without_half_a_page(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, nth: int
) -> None:
    site.routes |= {"/a": PAGE, "/b": PAGE}
    calls = 0

    def fail_at(nth_call: int) -> None:
        nonlocal calls
        calls += 1
        if calls >= nth_call:
            raise OSError(28, "No space left on device")

    real_fsync, real_replace, real_fdopen = os.fsync, Path.replace, os.fdopen

    def fsync(handle: int) -> None:
        fail_at(nth)
        real_fsync(handle)

    def rename(self: Path, target: Path) -> Path:
        fail_at(nth)
        return real_replace(self, target)

    def fdopen(handle: int, mode: str) -> object:
        file = real_fdopen(handle, mode)
        try:
            fail_at(nth)
        except OSError:
            file.close()
            raise
        return file

    with monkeypatch.context() as patched:
        if step == "fsync":
            patched.setattr(os, "fsync", fsync)
        elif step == "rename":
            patched.setattr(Path, "replace", rename)
        else:
            patched.setattr(os, "fdopen", fdopen)
        with pytest.raises(FetchError) as caught:
            fetch(site, tmp_path, "/a", "/b")
    assert caught.value.refusal.reason == "disk"
    kept = list((tmp_path / "pages").iterdir())
    assert all(path.suffix == ".page" and path.read_bytes().endswith(b"\n" + PAGE) for path in kept)
    assert not list(tmp_path.glob("*.part"))
    assert [type(item) for item in fetch(site, tmp_path, "/a", "/b")] == [FetchedPage, FetchedPage]


def test_left_overs_of_a_kill_are_cleared_once_they_are_old(site: Site, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    old, young = tmp_path / "pages" / "x.part", tmp_path / "pages" / "y.part"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    fetch(site, tmp_path, "/gone")
    assert kept_files(tmp_path) == ["y.part"]


def test_a_folder_that_is_a_file_is_a_disk_error(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FetchError) as caught:
        fetch(site, tmp_path / "file", "/a")
    assert caught.value.refusal.reason == "disk"
