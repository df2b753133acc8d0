import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from sqlalchemy import create_engine

from service.storage.counters import DAY, Counters, CountersUnavailableError, FileCounters, Limit, open_counters
from service.storage.redis_counters import RedisCounters

NOON = 1_700_000_000 - 1_700_000_000 % DAY + DAY / 2


class Clock:
    """A clock that stands still until it is set."""

    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["file", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where the counters are, of each kind in turn: what holds in one has to hold in the other."""
    if request.param == "file":
        return tmp_path / "c.sqlite"
    address: str = request.getfixturevalue("redis_server")
    redis.Redis.from_url(address).flushdb()
    return address


@pytest.fixture
def counters(place: Path | str, clock: Clock) -> Counters:
    if isinstance(place, str):
        return RedisCounters(redis.Redis.from_url(place), clock)
    open_counters(place)
    return FileCounters(create_engine(f"sqlite:///{place}"), clock)


def use(counters: Counters, *limits: Limit) -> list[tuple[int, int, bool]]:
    return [(count.left, count.reset_seconds, count.refused) for count in counters.use(limits)]


def test_the_one_after_the_last_is_refused_until_the_minute_of_the_first_is_over(
    counters: Counters, clock: Clock
) -> None:
    limit = Limit("key_a", 2)
    assert use(counters, limit) == [(1, 60, False)]
    clock.now += 20
    assert use(counters, limit) == [(0, 40, False)]
    assert use(counters, limit) == [(0, 40, True)]
    assert use(counters, Limit("key_b", 2)) == [(1, 60, False)]
    clock.now += 39.5
    assert use(counters, limit) == [(0, 1, True)]
    clock.now += 0.5
    assert use(counters, limit) == [(1, 60, False)]


def test_a_day_ends_at_midnight_whenever_it_began(counters: Counters, clock: Clock) -> None:
    limit = Limit("day:*", 1, DAY)
    assert use(counters, limit) == [(0, DAY // 2, False)]
    assert use(counters, limit) == [(0, DAY // 2, True)]
    assert counters.read("day:*") == 1
    clock.now += DAY / 2
    assert counters.read("day:*") == 0
    assert use(counters, limit) == [(0, DAY, False)]


def test_what_one_limit_refuses_counts_against_none(counters: Counters) -> None:
    full = Limit("full", 1, DAY)
    use(counters, full)
    for _ in range(3):
        assert use(counters, Limit("other", 5, DAY), full) == [(0, DAY // 2, True)]
    assert counters.read("other") == 0
    assert counters.read("full") == 1


def test_a_clock_that_was_set_back_does_not_lock_anyone_out(counters: Counters, clock: Clock) -> None:
    limit = Limit("key_a", 1)
    use(counters, limit)
    clock.now -= 7 * DAY
    assert use(counters, limit) == [(0, 60, False)]


def test_who_looked_at_the_clock_a_moment_before_counts_in_the_same_window(counters: Counters, clock: Clock) -> None:
    limit = Limit("key_a", 1)
    use(counters, limit)
    clock.now -= 1
    [count] = counters.use([limit])
    assert count.refused


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_old_windows_are_forgotten(counters: Counters, clock: Clock) -> None:
    use(counters, Limit("old", 1, DAY))
    clock.now += 3 * DAY
    use(counters, Limit("new", 1, DAY))
    counters.prune()
    clock.now -= 3 * DAY
    assert counters.read("old") == 0


@pytest.mark.parametrize("place", [pytest.param("redis", marks=pytest.mark.needs("redis-server"))], indirect=True)
def test_old_windows_go_from_redis_by_themselves(counters: Counters, place: str) -> None:
    use(counters, Limit("old", 5), Limit("day:*", 5, DAY))
    client = redis.Redis.from_url(place)
    assert {name: 0 < client.ttl(name) <= DAY + 3600 for name in client.scan_iter()} == {
        b"{backline}:old": True,
        b"{backline}:day:*": True,
    }


@pytest.mark.needs("redis-server")
def test_redis_counts_by_its_own_clock(redis_server: str) -> None:
    redis.Redis.from_url(redis_server).flushdb()
    counters = open_counters(redis_server)
    assert use(counters, Limit("k", 1)) == [(0, 60, False)]
    [again] = counters.use([Limit("k", 1)])
    assert again.refused
    assert counters.read("k") == 1


def test_a_redis_that_does_not_answer_lets_nothing_through() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        counters = open_counters(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with pytest.raises(CountersUnavailableError):
            counters.use([Limit("k", 1)])
        with pytest.raises(CountersUnavailableError):
            counters.read("k")


def test_two_processes_let_through_no_more_than_one(place: Path | str) -> None:
    code = (
        "import sys; from pathlib import Path; from service.storage.counters import Limit, open_counters\n"
        "place = sys.argv[1]; counters = open_counters(place if place.startswith('redis:') else Path(place))\n"
        "print(sum(not counters.use([Limit('k', 150, 3600)])[0].refused for _ in range(100)))"
    )
    command = [sys.executable, "-c", code, str(place)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in running]
    assert sum(map(int, said)) == 150
