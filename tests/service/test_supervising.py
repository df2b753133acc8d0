"""Workers are replaced, given up, and stopped."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service import supervising
from service.supervising import CANNOT_OPEN, Supervisor


def cannot_open() -> None:
    raise SystemExit(CANNOT_OPEN)


def die() -> None:
    os._exit(7)


def live(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(60)


@pytest.fixture(autouse=True)
def _signals_and_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back what a supervisor takes for its process."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


def test_when_a_worker_cannot_open_the_service_no_other_is_tried() -> None:
    assert Supervisor(cannot_open, (), 2).run() is False


def test_workers_that_die_again_and_again_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "MOST_DEATHS", 2)
    monkeypatch.setattr(supervising, "_PAUSE_SECONDS", 0.01)
    assert Supervisor(die, (), 1).run() is False


def test_a_worker_that_was_killed_is_replaced_and_all_end_when_told_to(tmp_path: Path) -> None:
    supervisor = Supervisor(live, (tmp_path,), 2)
    seen: list[int] = []

    def act() -> None:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(int(next(tmp_path.iterdir()).name), signal.SIGKILL)
        while len(list(tmp_path.iterdir())) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        seen.extend(int(path.name) for path in tmp_path.iterdir())
        os.kill(os.getpid(), signal.SIGTERM)

    acting = threading.Thread(target=act)
    acting.start()
    assert supervisor.run() is True
    acting.join(10)
    assert len(seen) == 3
    for pid in seen:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
