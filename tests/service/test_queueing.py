import threading
import time
from collections.abc import Callable

import pytest

from service.queueing import Gate


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not until() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert until()


def test_one_is_in_and_the_others_follow_in_their_order() -> None:
    gate = Gate()
    came: list[int] = []
    inside: list[int] = []
    most = [0]
    leave = threading.Semaphore(0)

    def visit(number: int) -> None:
        with gate:
            came.append(number)
            inside.append(number)
            most[0] = max(most[0], len(inside))
            leave.acquire(timeout=10)
            inside.remove(number)

    threads = []
    for number in range(12):
        threads.append(threading.Thread(target=visit, args=(number,)))
        threads[-1].start()
        wait(lambda number=number: gate.waiting == number)  # type: ignore[misc] # a default binds it
    assert came == [0]
    for gone in range(12):
        leave.release()  # one goes, and so the next comes in
        wait(lambda gone=gone: len(came) == min(12, gone + 2))  # type: ignore[misc] # likewise
    for thread in threads:
        thread.join(10)
    assert most == [1]
    assert came == list(range(12))
    assert gate.waiting == 0


def test_who_steps_aside_lets_the_next_compute_and_comes_back_in_turn() -> None:
    gate = Gate()
    events: list[str] = []
    model = threading.Event()

    def first() -> None:
        with gate:
            events.append("first computes")
            with gate.aside():
                events.append("first waits for the model")
                model.wait(10)
            events.append("first goes on")

    def second() -> None:
        with gate:
            events.append("second computes")
            model.set()
            wait(lambda: gate.waiting == 1)  # the first has its vector, and has to wait for its turn
            events.append("second is done")

    one = threading.Thread(target=first)
    one.start()
    wait(lambda: len(events) == 2)
    other = threading.Thread(target=second)
    other.start()
    for thread in (one, other):
        thread.join(10)
    assert events == [
        "first computes",
        "first waits for the model",
        "second computes",
        "second is done",
        "first goes on",
    ]


def test_stepping_aside_outside_changes_nothing() -> None:
    gate = Gate()
    with gate.aside(), gate:  # nobody was inside: there is nothing to give back
        assert gate.waiting == 0
    with gate, gate.aside(), gate.aside(), gate:  # the inner one has nothing to give back either
        pass
    with gate:
        pass


def test_a_fault_inside_or_aside_gives_the_turn_back() -> None:
    gate = Gate()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate:
            1 / 0  # noqa: B018 - the fault is meant
        with pytest.raises(ZeroDivisionError), gate, gate.aside():
            1 / 0  # noqa: B018 - likewise
    with gate:
        pass
