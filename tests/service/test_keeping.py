import time

import pytest
from sqlalchemy import Engine

from service import keeping
from service.keeping import AnswerKeeper
from service.storage.answers import StoredAnswer, load_answers, moment, store_answers


def answer(name: str, days_ago: float = 0.0, conversation: str = "c") -> StoredAnswer:
    return StoredAnswer(f"ans_{name}", "loopback", conversation, "default", f"{name}?", "{}", moment(days_ago))


def names(engine: Engine) -> list[str]:
    return [row.id for row in load_answers(engine, "")]


def wait_until_gone(engine: Engine, name: str) -> None:
    deadline = time.monotonic() + 10
    while name in names(engine):
        assert time.monotonic() < deadline, "nothing was swept"
        time.sleep(0.01)


def test_what_is_over_is_not_read_even_before_it_is_swept(engine: Engine) -> None:
    new = answer("new", 6)
    store_answers(engine, [answer("old", 8), new])
    keeper = AnswerKeeper(engine, days=7)
    assert keeper.find("ans_old") is None
    assert keeper.find("ans_new") == new
    assert keeper.earlier_questions("loopback", "c") == ("new?",)
    assert names(engine) == ["ans_old", "ans_new"]


def test_what_is_over_is_swept(engine: Engine) -> None:
    store_answers(engine, [answer("old", 8), answer("new", 6)])
    keeper = AnswerKeeper(engine, days=7)
    keeper.start()
    wait_until_gone(engine, "ans_old")
    keeper.stop()
    assert names(engine) == ["ans_new"]


def test_switched_off_it_removes_what_was_kept_before(engine: Engine) -> None:
    store_answers(engine, [answer("now")])
    keeper = AnswerKeeper(engine, days=0)
    assert keeper.find("ans_now") is None
    keeper.start()
    wait_until_gone(engine, "ans_now")
    keeper.keep(answer("later"))
    keeper.stop()
    assert names(engine) == []


def test_the_end_writes_what_waits(engine: Engine) -> None:
    keeper = AnswerKeeper(engine, days=7)
    for number in range(50):
        keeper.keep(answer(str(number)))
    keeper.start()
    keeper.stop()
    assert names(engine) == [f"ans_{number}" for number in range(50)]


def test_only_the_last_turns_are_taken_in_order(engine: Engine) -> None:
    store_answers(engine, [answer(str(number)) for number in range(15)])
    found = AnswerKeeper(engine, days=7).earlier_questions("loopback", "c")
    assert found == tuple(f"{number}?" for number in range(5, 15))


def test_what_waits_is_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_WAITING", 3)
    keeper = AnswerKeeper(engine, days=7)
    for number in range(5):
        keeper.keep(answer(str(number)))
    assert keeper.reason is not None
    keeper.start()
    keeper.stop()
    assert names(engine) == ["ans_2", "ans_3", "ans_4"]


def test_what_cannot_be_read_is_no_history(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE answers RENAME TO elsewhere")
    assert AnswerKeeper(engine, days=7).earlier_questions("loopback", "c") == ()
    assert "a conversation cannot be read: " in caplog.text
