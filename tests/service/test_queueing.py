import threading
import time

import pytest

from service.queueing import Gate


def test_so_many_are_in_and_the_others_follow_in_their_order() -> None:
    gate = Gate(2)
    came: list[int] = []
    inside: list[int] = []
    most = [0]
    leave = threading.Semaphore(0)
    lock = threading.Lock()

    def visit(number: int) -> None:
        with gate:
            with lock:
                came.append(number)
                inside.append(number)
                most[0] = max(most[0], len(inside))
            leave.acquire(timeout=10)
            with lock:
                inside.remove(number)

    threads = []
    for number in range(12):
        threads.append(threading.Thread(target=visit, args=(number,)))
        threads[-1].start()
        deadline = time.monotonic() + 10
        while number > 1 and len(gate._waiting) < number - 1 and time.monotonic() < deadline:
            time.sleep(0.001)
    assert sorted(came) == [0, 1]
    for gone in range(12):
        leave.release()  # one goes, and so one comes in
        deadline = time.monotonic() + 10
        while len(came) < min(12, gone + 3) and time.monotonic() < deadline:
            time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert most == [2]
    assert came[2:] == list(range(2, 12))
    with gate, gate:
        assert came[-1] in {10, 11}


def test_a_fault_inside_gives_the_place_back() -> None:
    gate = Gate(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate:
            1 / 0  # noqa: B018 - the fault is meant
    with gate:
        pass
