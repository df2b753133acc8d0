import threading

import pytest

from service.rebuilding import Rebuilder

SECONDS = 10.0


def state(rebuilder: Rebuilder) -> str:
    return rebuilder.state


def test_many_requests_while_one_build_runs_make_one_more() -> None:
    entered, leave, published = threading.Semaphore(0), threading.Semaphore(0), threading.Semaphore(0)

    def build() -> None:
        entered.release()
        assert leave.acquire(timeout=SECONDS)

    rebuilder = Rebuilder(build, published.release, seconds=0.0)
    assert state(rebuilder) == "current"
    rebuilder.start()
    try:
        rebuilder.request()
        assert entered.acquire(timeout=SECONDS)
        for _ in range(5):
            rebuilder.request()
        leave.release()
        assert published.acquire(timeout=SECONDS)
        assert state(rebuilder) == "building"
        assert entered.acquire(timeout=SECONDS)
        leave.release()
        assert published.acquire(timeout=SECONDS)
        assert not entered.acquire(timeout=0.1)
        assert state(rebuilder) == "current"
    finally:
        leave.release(9)
        rebuilder.stop()


def test_a_build_that_fails_is_told_and_the_next_one_heals_it(caplog: pytest.LogCaptureFixture) -> None:
    tried, published = threading.Semaphore(0), threading.Semaphore(0)
    faults = [OSError("zebra-7-quokka"), None]

    def build() -> None:
        fault = faults.pop(0)
        tried.release()
        if fault is not None:
            raise fault

    rebuilder = Rebuilder(build, published.release, seconds=0.0)
    rebuilder.start()
    try:
        rebuilder.request()
        assert tried.acquire(timeout=SECONDS)
        for _ in range(100):
            if state(rebuilder) == "failed":
                break
            threading.Event().wait(0.02)
        assert state(rebuilder) == "failed"
        rebuilder.request()
        assert published.acquire(timeout=SECONDS)
    finally:
        rebuilder.stop()
    assert "OSError" in caplog.text
    assert "zebra" not in caplog.text


def test_a_build_that_failed_is_tried_again_without_being_asked() -> None:
    published = threading.Semaphore(0)
    faults = [OSError("no room"), OSError("no room"), None]

    def build() -> None:
        fault = faults.pop(0)
        if fault is not None:
            raise fault

    rebuilder = Rebuilder(build, published.release, seconds=0.0, again_seconds=0.01)
    rebuilder.start()
    try:
        rebuilder.request()
        assert published.acquire(timeout=SECONDS)
        assert faults == []
    finally:
        rebuilder.stop()
    assert state(rebuilder) == "current"
