"""Two machines on one PostgreSQL, one Redis and one store: under load, one of them killed."""

import json
import secrets
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.drilling import NIGHT
from tests.end_to_end.conftest import BACKLINE, START_SECONDS, environment, run

pytestmark = pytest.mark.needs("postgresql", "redis-server")

SOON = 5.0
"""Seconds within which what one machine takes in is answered by the other, and what it deletes is gone."""

RATE = 40
FACT = "The Quorn clinic lends a zebra-striped stool for seven days."
QUESTION = "How long does the Quorn clinic lend its zebra-striped stool?"


@dataclass
class Machine:
    """One replica: a home of its own and a process."""

    home: Path
    address: str
    process: "subprocess.Popen[bytes]"

    def call(self, path: str, body: dict[str, Any] | None = None, key: str = "", method: str = "") -> tuple[int, Any]:
        """Return status and body; 0 when nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
        request = urllib.request.Request(self.address + path, data, headers, method=method or None)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
                return response.status, json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, {}
        except (OSError, ValueError):
            return 0, {}


@contextmanager
def machine(home: Path, variables: dict[str, str]) -> Iterator[Machine]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (home.parent / f"{home.name}.log").open("wb")
    process = subprocess.Popen(
        [BACKLINE, "serve", "--port", str(port)], env={**environment(home), **variables}, stdout=log, stderr=log
    )
    one = Machine(home, f"http://127.0.0.1:{port}", process)
    try:
        deadline = time.monotonic() + START_SECONDS
        while one.call("/readyz")[0] != 200:
            assert process.poll() is None, (home.parent / f"{home.name}.log").read_text()[-2_000:]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield one
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
        log.close()


@pytest.fixture
def variables(postgresql: str, redis_server: str, tmp_path: Path, warm: Path) -> dict[str, str]:
    """Return what leads to the shared servers; both homes have the exported model, and the first its vectors."""
    for name in ("one", "two"):
        shutil.copytree(warm / "models", tmp_path / name / "models")
    shutil.copytree(warm / "cache", tmp_path / "one" / "cache")
    return {
        "BACKLINE_DATABASE_URL": postgresql,
        "BACKLINE_REDIS_URL": f"{redis_server.rsplit('/', 1)[0]}/{1 + secrets.randbelow(14)}",
        "BACKLINE_SNAPSHOTS_URL": f"file://{tmp_path / 'shared'}",
    }


def seconds_until(true: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < 60, "it never came"
        time.sleep(0.05)
    return time.monotonic() - began


def cites(one: Machine, words: str) -> bool:
    _, reply = one.call("/v1/ask", {"question": QUESTION, "filters": {"collection": "clinic"}})
    return any(words in citation["quote"] for citation in reply.get("citations", ()))


@dataclass
class Load:
    """Askers that go from one machine to the other when one does not answer, as a proxy does."""

    machines: list[Machine]
    statuses: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        while not self.done.is_set():
            for one in self.machines:
                status, _ = one.call("/v1/ask", {"question": "How long does a back spasm last?"})
                self.statuses[status] += 1
                if status == 200:
                    break
            else:
                self.failed.append("no machine answered")
            time.sleep(0.05)


def test_one_of_two_is_killed_and_nothing_is_lost_doubled_or_silent(
    variables: dict[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    made = run(tmp_path / "one", "keys", "create", "w", "--scope", "ingest", "--scope", "ask", **variables)
    writer = made.stdout.strip()
    made = run(tmp_path / "one", "keys", "create", "r", "--scope", "search", "--rate", str(RATE), **variables)
    limited = made.stdout.strip()
    assert run(tmp_path / "one", "index", **variables).returncode == 0
    with machine(tmp_path / "one", variables) as one, machine(tmp_path / "two", variables) as two:
        # The second machine brought the index of the first.
        assert one.call("/readyz")[1]["snapshot_id"] == two.call("/readyz")[1]["snapshot_id"]

        status, stored = one.call("/v1/documents", {"text": FACT, "title": "Stool", "collection": "clinic"}, writer)
        assert status in {200, 201, 202}
        answered = seconds_until(lambda: cites(two, "zebra-striped"))

        name = stored["data"][0]["id"]
        assert one.call(f"/v1/documents/{name}", key=writer, method="DELETE")[0] == 200
        gone = seconds_until(lambda: not cites(two, "zebra-striped"))
        record_property("answered_seconds", answered)
        record_property("gone_seconds", gone)
        if NIGHT:  # times are measured where nothing else computes; by day it only has to come
            assert max(answered, gone) <= SOON

        load = Load([one, two])
        askers = [threading.Thread(target=load.ask) for _ in range(2)]
        accepted: list[str] = []
        allowed: list[int] = []

        def write() -> None:
            for number in range(12):
                text = f"Fact {number}: the marmalade ward has {number + 3} chairs."
                for each in (one, two) if number % 2 else (two, one):
                    body = {"text": text, "title": f"Ward {number}", "collection": "wards"}
                    if each.call("/v1/documents", body, writer)[0] in {200, 201, 202}:
                        accepted.append(text)
                        break
                time.sleep(0.1)

        def use() -> None:
            for number in range(RATE):
                each = (one, two)[number % 2]
                status, _ = each.call("/v1/search", {"query": "walking"}, limited)
                allowed.append(status)

        workers = [threading.Thread(target=write), threading.Thread(target=use), threading.Thread(target=use)]
        began = time.monotonic()
        for thread in (*askers, *workers):
            thread.start()
        seconds_until(lambda: len(accepted) >= 4)
        one.process.kill()
        for thread in workers:
            thread.join()
        minutes = 1 + int((time.monotonic() - began) / 60)  # windows that these uses may have touched
        load.done.set()
        for thread in askers:
            thread.join()

        assert load.failed == []
        assert load.statuses[200] > 5
        assert RATE / 2 <= allowed.count(200) <= RATE * minutes
        assert set(allowed) <= {200, 429, 503, 0}
        # Everything that was acknowledged, by whichever machine, is stored and will be answered by the one that lives.
        assert len(accepted) == 12
        assert seconds_until(lambda: holds(two, writer, accepted)) < 30


def holds(one: Machine, key: str, texts: list[str]) -> bool:
    _, page = one.call("/v1/documents?limit=100", key=key)
    searchable = [row["id"] for row in page.get("data", ()) if row["searchable"]]
    kept = {one.call(f"/v1/documents/{name}", key=key)[1].get("text") for name in searchable}
    return set(texts) <= kept
