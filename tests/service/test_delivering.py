import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.delivering import Deliver, Deliverer, GiveUpError, RetryLaterError, wait_seconds
from service.handing_over import HANDOFF, Handoff, deliver_to
from service.settings import Settings
from service.signing import check_webhook
from service.storage import outbox
from service.storage.outbox import MOST_ATTEMPTS, Item, list_dead, put, resend
from tests.service.hook_receiver import Receiver, open_receiver

SECRET = f"whsec_{'c2VjcmV0' * 4}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as opened:
        yield opened


def settings(receiver: Receiver, **more: object) -> Settings:
    given = {"handoff_allow": receiver.place, "handoff_secret": SECRET, "handoff_url": receiver.url, **more}
    return Settings.model_validate(given)


def rows(engine: Engine) -> list[tuple[str, int, str]]:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT state, attempts, reason FROM outbox ORDER BY created, id")
        return [(row[0], row[1], row[2]) for row in found]


def make_due(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET due = 0")


def put_handoff(engine: Engine) -> str:
    handoff = Handoff(outbox.new_id(), "2026-01-01T00:00:00Z", "Who helps – now?", None, None, None, None, None)
    stored = put(engine, HANDOFF, HANDOFF, handoff.payload(), row_id=handoff.id, asker="loopback")
    assert stored == handoff.id
    return stored


def deliverer(engine: Engine, tmp_path: Path, deliver: Deliver, channel: str = HANDOFF) -> Deliverer:
    return Deliverer(engine, tmp_path / "lock", {channel: deliver}, seconds=0.01)


def test_a_hand_over_arrives_signed_and_is_not_kept(engine: Engine, receiver: Receiver, tmp_path: Path) -> None:
    name = put_handoff(engine)
    assert deliverer(engine, tmp_path, deliver_to(settings(receiver))).deliver_one()
    [(headers, body)] = receiver.came
    assert json.loads(body)["data"]["question"] == "Who helps – now?"
    assert check_webhook([SECRET], headers, body, time.time()) == name
    assert headers["content-type"] == "application/json"
    assert rows(engine) == [("done", 0, "")]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT payload FROM outbox").scalar_one() == "{}"


@pytest.mark.drill("R20")
def test_what_does_not_arrive_is_tried_again_later_under_the_same_id(
    engine: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.statuses = [500, 302]
    put_handoff(engine)
    worker = deliverer(engine, tmp_path, deliver_to(settings(receiver)))
    assert worker.deliver_one()
    assert rows(engine) == [("waiting", 1, "status 500")]
    assert not worker.deliver_one()
    for _ in range(2):
        make_due(engine)
        assert worker.deliver_one()
    assert [state for state, _, _ in rows(engine)] == ["done"]
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1


def test_a_busy_receiver_is_left_alone_as_long_as_it_says(engine: Engine, receiver: Receiver, tmp_path: Path) -> None:
    receiver.statuses, receiver.headers = [429], {"retry-after": "900"}
    put_handoff(engine)
    before = time.time()
    deliverer(engine, tmp_path, deliver_to(settings(receiver))).deliver_one()
    with engine.connect() as connection:
        due = connection.exec_driver_sql("SELECT due FROM outbox").scalar_one()
    assert 900 <= due - before < 930


def test_a_receiver_that_is_gone_for_good_is_not_asked_again(
    engine: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.statuses = [410]
    put_handoff(engine)
    deliverer(engine, tmp_path, deliver_to(settings(receiver))).deliver_one()
    assert rows(engine) == [("dead", 1, "status 410")]


@pytest.mark.drill("R20")
def test_a_thing_is_given_up_in_the_end_and_can_be_sent_again(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tried = []

    def deliver(item: Item) -> None:
        tried.append(item.attempts)
        raise RetryLaterError("unreachable")

    name = put(engine, "test", "there", {"text": "quokkazebra"})
    worker = deliverer(engine, tmp_path, deliver, "test")
    for _ in range(MOST_ATTEMPTS + 3):
        make_due(engine)
        worker.deliver_one()
    assert tried == list(range(MOST_ATTEMPTS))
    assert rows(engine) == [("dead", MOST_ATTEMPTS, "unreachable")]
    assert [item.id for item in list_dead(engine)] == [name]
    assert "quokkazebra" not in caplog.text
    assert resend(engine, name) == 1
    assert resend(engine, name) == 0
    assert deliverer(engine, tmp_path, lambda _: None, "test").deliver_one()
    assert [state for state, _, _ in rows(engine)] == ["done"]


def test_a_machine_that_is_not_allowed_is_never_asked(engine: Engine, receiver: Receiver, tmp_path: Path) -> None:
    public = Settings.model_validate({"handoff_secret": SECRET, "handoff_url": "https://desk.example.org/"})
    inside = public.model_copy(update={"handoff_url": receiver.url})
    put_handoff(engine)
    deliverer(engine, tmp_path, deliver_to(inside)).deliver_one()
    assert receiver.came == []
    assert rows(engine) == [("waiting", 1, "address")]


def test_a_fault_of_ours_stops_no_other_thing(engine: Engine, tmp_path: Path) -> None:
    done = []

    def deliver(item: Item) -> None:
        if item.payload["text"] == "bad":
            raise KeyError(item.payload["text"])
        done.append(item.payload["text"])

    for text in ("bad", "good"):
        put(engine, "test", text, {"text": text})
    worker = deliverer(engine, tmp_path, deliver, "test")
    while worker.deliver_one():
        pass
    assert done == ["good"]
    assert set(rows(engine)) == {("waiting", 1, "fault KeyError"), ("done", 0, "")}


def test_giving_up_is_final(engine: Engine, tmp_path: Path) -> None:
    def deliver(_: Item) -> None:
        raise GiveUpError("gone")

    put(engine, "test", "there", {})
    worker = deliverer(engine, tmp_path, deliver, "test")
    assert worker.deliver_one()
    make_due(engine)
    assert not worker.deliver_one()


def test_a_running_deliverer_finds_things_by_itself_and_a_second_one_waits(
    engine: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    first = deliverer(engine, tmp_path, deliver_to(settings(receiver)))
    second = deliverer(engine, tmp_path, deliver_to(settings(receiver)))
    for worker in (first, second):
        worker.start()
    for _ in range(5):
        put_handoff(engine)
    deadline = time.monotonic() + 10
    while [state for state, _, _ in rows(engine)] != ["done"] * 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for worker in (first, second):
        worker.stop()
    assert len(receiver.came) == 5


def test_what_came_from_a_conversation_goes_with_it(engine: Engine) -> None:
    for asker, conversation in (("a", "one"), ("b", "one"), ("a", "two")):
        put(engine, "test", "there", {}, asker=asker, conversation_id=conversation)
    assert outbox.delete_of_conversation(engine, "one", "a") == 1
    assert outbox.delete_of_conversation(engine, "one") == 1
    assert len(rows(engine)) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("", None), ("soon", None), ("-3", None), ("²", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert wait_seconds(value) == seconds
