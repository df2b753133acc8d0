from sqlalchemy import Engine

from service.storage import outbox


def test_what_has_a_key_is_stored_once(engine: Engine) -> None:
    assert outbox.put(engine, "c", "t", {"a": 1}, "key") is not None
    assert outbox.put(engine, "c", "t", {"a": 1}, "key") is None
    assert outbox.put(engine, "c", "t", {"a": 1}) is not None
    assert outbox.put(engine, "c", "t", {"a": 1}) is not None


def test_the_oldest_that_is_due_comes_first_and_one_at_a_time_to_each_target(engine: Engine) -> None:
    for number, target in enumerate(("a", "a", "b")):
        outbox.put(engine, "c", target, {"n": number}, now=100.0 + number)
    first = outbox.next_due(engine, ("c",), now=200.0)
    assert first is not None
    assert first.payload == {"n": 0}
    other = outbox.next_due(engine, ("c",), busy=("a",), now=200.0)
    assert other is not None
    assert other.payload == {"n": 2}
    assert outbox.next_due(engine, ("c",), now=99.0) is None
    assert outbox.next_due(engine, ("d",), now=200.0) is None


def test_waits_double_with_jitter_and_end(engine: Engine) -> None:
    outbox.put(engine, "c", "t", {}, now=0.0)
    bounds = []
    for attempt in range(outbox.MOST_ATTEMPTS):
        item = outbox.next_due(engine, ("c",), now=10.0**9)
        assert item is not None
        assert item.attempts == attempt
        outbox.fail(engine, item, "down", now=1000.0)
        later = outbox.next_due(engine, ("c",), now=10.0**9)
        bounds.append(None if later is None else later.due - 1000.0)
    for attempt, wait in enumerate(bounds[:-1]):
        longest = min(2.0 * 2.0**attempt, 3600.0)
        assert wait is not None
        assert longest / 2 <= wait <= longest
    assert bounds[-1] is None
    (dead,) = outbox.list_dead(engine)
    assert (dead.reason, dead.attempts) == ("down", 14)


def test_the_other_side_may_ask_for_a_longer_wait_but_not_for_ever(engine: Engine) -> None:
    outbox.put(engine, "c", "t", {}, now=0.0)
    for asked, wait in ((90.0, 90.0), (10.0**9, 3600.0)):
        item = outbox.next_due(engine, ("c",), now=10.0**9)
        assert item is not None
        outbox.fail(engine, item, "busy", asked, now=0.0)
        later = outbox.next_due(engine, ("c",), now=10.0**9)
        assert later is not None
        assert later.due == wait


def test_what_is_done_keeps_its_key_and_nothing_else(engine: Engine) -> None:
    name = outbox.put(engine, "c", "t", {"text": "private"}, "key", now=0.0)
    assert name is not None
    outbox.finish(engine, name)
    assert outbox.next_due(engine, ("c",)) is None
    assert outbox.put(engine, "c", "t", {}, "key") is None
    outbox.forget(engine, 10.0)
    assert outbox.put(engine, "c", "t", {}, "key") is not None
