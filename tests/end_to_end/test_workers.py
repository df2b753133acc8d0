"""Several workers on one socket: a change counts in all of them, and the death of one is nobody's loss."""

import json
import os
import shutil
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.drilling import NIGHT, rounds
from tests.end_to_end.conftest import run, start_serving

CLINIC = "When does the Riverside clinic open?"


@dataclass
class Site:
    """A service of two workers and a key that may bring documents."""

    address: str
    pid: int
    key: str
    failed: list[str] = field(default_factory=list)
    asked: int = 0

    def call(self, method: str, path: str, body: object = None, *, key: bool = False) -> Any:
        """Return what comes back, over a connection of its own: any worker may take it."""
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {self.key}"} if key else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{path}", data, headers, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            return json.loads(response.read())

    @property
    def workers(self) -> list[int]:
        """Their process ids."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(one) for one in children if b"multiprocessing.spawn" in Path(f"/proc/{one}/cmdline").read_bytes()]


@pytest.fixture
def site(warm: Path, tmp_path: Path) -> Iterator[Site]:
    mine = tmp_path / "var"
    shutil.copytree(warm, mine)  # nobody else builds there meanwhile
    made = run(mine, "keys", "create", "writer", "--scope", "ingest", "--scope", "admin")
    assert made.returncode == 0, made.stderr
    with start_serving(mine, "--workers", "2") as (address, process):
        yield Site(address, process.pid, made.stdout.strip())


class Readers:
    """Ask and search without a pause; what fails, and what shows a deleted passage after its receipt, is noted."""

    def __init__(self, site: Site, count: int = 3) -> None:
        self.site = site
        self.gone: dict[str, float] = {}
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.read, args=(number,)) for number in range(count)]

    def __enter__(self) -> "Readers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=60)

    def read(self, number: int) -> None:
        turn = number
        while not self.stop.is_set() and self.site.asked < 100_000:
            turn += 1
            begun = time.monotonic()
            try:
                if turn % 3:
                    said = json.dumps(self.site.call("POST", "/v1/ask", {"question": CLINIC}))
                else:
                    said = json.dumps(self.site.call("POST", "/v1/search", {"query": CLINIC}))
            except (OSError, ValueError) as error:
                self.site.failed.append(repr(error))
                continue
            self.site.asked += 1
            self.site.failed += [
                f"{mark} after its receipt" for mark, at in self.gone.items() if at < begun and mark in said
            ]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> float:
    """Wait until something is so; return the seconds that it took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, "it did not come about"
        time.sleep(0.05)
    return time.monotonic() - begin


def used_seconds(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.drill("R6")
def test_two_workers_lose_no_request_and_serve_nothing_that_was_deleted(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    before = {pid: used_seconds(pid) for pid in site.workers}
    assert len(before) == 2
    slowest = 0.0
    turns = rounds(3, 25)
    with Readers(site) as readers:
        for turn in range(turns):
            mark = f"Ward {turn}x{turn}"
            body = {
                "markdown": f"# Clinic\n\nThe Riverside clinic opens at seven for {mark}.\n",
                "external_id": "hours",
            }
            brought = site.call("POST", "/v1/documents", body, key=True)
            name = brought["data"][0]["id"]

            def shown(name: str = name) -> bool:
                page = site.call("GET", "/v1/documents?limit=200")
                return any(row["id"] == name and row["searchable"] for row in page["data"])

            wait_for(shown)

            def everywhere(mark: str = mark) -> bool:
                # Either worker may take a request: all have followed when a run of replies comes from one snapshot.
                seen = {site.call("GET", "/readyz")["snapshot_id"] for _ in range(12)}
                return len(seen) == 1 and mark in json.dumps(site.call("POST", "/v1/search", {"query": CLINIC}))

            slowest = max(slowest, wait_for(everywhere))
            site.call("DELETE", f"/v1/documents/{name}", key=True)
            readers.gone[mark] = time.monotonic()
            assert all(mark not in json.dumps(site.call("POST", "/v1/search", {"query": CLINIC})) for _ in range(12))
    assert site.failed == []
    assert site.asked > 10 * turns
    assert all(used_seconds(pid) > before[pid] for pid in before), "one worker did nothing"
    if NIGHT:
        assert slowest <= 2.0
    record_property("two workers, documents brought and deleted", turns)
    record_property("requests meanwhile", site.asked)
    record_property("slowest to follow, s", f"{slowest:.1f}")


def test_what_workers_count_is_counted_together(site: Site) -> None:
    for _ in range(12):
        site.call("POST", "/v1/ask", {"question": "How long does a back spasm last?"})
    request = urllib.request.Request(f"{site.address}/metrics", headers={"authorization": f"Bearer {site.key}"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
        text = response.read().decode()
    assert 'backline_replies_total{reason="",status="answered"} 12.0' in text
    assert "\nbackline_ready 1.0" in text
    assert text.count("\nbackline_snapshot_age_seconds{") == 1


def test_a_worker_that_dies_is_replaced_and_the_other_serves_on(site: Site) -> None:
    first = site.workers
    os.kill(first[0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len(set(site.workers) - set(first)) < 1 and time.monotonic() < deadline:
        assert site.call("GET", "/healthz")["status"] == "ok"
    assert first[1] in site.workers
    wait_for(lambda: len(site.workers) == 2)
    assert site.call("POST", "/v1/ask", {"question": "How long does a back spasm last?"})["status"] == "answered"


def is_over(pid: int) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_workers_end_with_the_process_that_started_them(site: Site) -> None:
    workers = site.workers
    os.kill(site.pid, signal.SIGKILL)
    wait_for(lambda: all(is_over(pid) for pid in workers), seconds=20)
    with pytest.raises(urllib.error.URLError):
        site.call("GET", "/healthz")
