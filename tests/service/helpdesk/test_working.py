"""From a stored message to a note in the help desk: the same cases over every platform."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.fetching.policy import FetchPolicy
from service.answering.replying import Replier
from service.application import open_delivering
from service.delivering import Deliverer
from service.helpdesk import calling
from service.helpdesk.events import Event
from service.helpdesk.receiving import Reception, accept, conversation_of
from service.helpdesk.texts import plain_from_html
from service.keeping import AnswerKeeper
from service.queueing import Gate
from service.serving import Serving
from service.settings import Settings
from service.storage import outbox
from service.storage.answers import delete_conversation, load_answers
from service.storage.connections import remove_connection, store_connection
from service.storage.database import open_database
from service.storage.outbox import Item
from tests.service.helpdesk.desks import FakeDesk, fake_desk
from tests.service.helpdesk.payloads import NOW, QUESTION, SAMPLES, connection, delivery

EVERY = pytest.mark.parametrize("platform", sorted(SAMPLES))
DESKS = pytest.mark.parametrize("platform", sorted(set(SAMPLES) - {"generic"}))
EMERGENCY = "My back hurts and I can't feel when I wipe."


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    with fake_desk() as found:
        yield found


class Working:
    """A connected platform, and what works for it."""

    def __init__(
        self, platform: str, desk: FakeDesk, home: Path, replier: Replier, days: int = 30, **changes: object
    ) -> None:
        settings = Settings(home=home, keep_answers=days, helpdesk_allow=(f"127.0.0.1:{desk.port}",))
        self.platform, self.database = platform, open_database(settings.database)
        store_connection(self.database, connection(platform, desk.url, **changes))
        gate = Gate()
        self.keeper = AnswerKeeper(self.database, settings.keep_answers)
        self.deliverer: Deliverer = open_delivering(settings, self.database, Serving(replier), gate, self.keeper)[0]

    def receive(self, number: int = 1, text: str = QUESTION) -> str:
        headers, body = delivery(self.platform, number, text)
        return str(Reception(self.database).receive(self.platform, self.platform, headers, body, NOW))

    def work(self) -> None:
        while self.deliverer.deliver_one():
            pass

    def waiting(self) -> Item | None:
        return outbox.next_due(self.database, ("helpdesk",), now=time.time() + 10**6)

    def work_later(self) -> None:
        """Work as if the wait were over."""
        item = self.waiting()
        assert item is not None
        outbox._set(self.database, item.id, due=0.0)
        self.work()


def opened(platform: str, desk: FakeDesk, home: Path, replier: Replier, days: int = 30, **changes: object) -> Working:
    return Working(platform, desk, home, replier, days, **changes)


@DESKS
def test_a_question_gets_one_private_note(platform: str, desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened(platform, desk, home, replier)
    assert [working.receive(), working.receive()] == ["accepted", "duplicate"]
    working.work()
    ((kind, text),) = desk.messages
    assert kind == "note"
    assert "a back spasm usually lasts from several hours to several days." in text
    assert "What Causes Back Spasms and How to Find Relief, Verywell Health" in text
    assert desk.changes == []
    assert working.waiting() is None


@DESKS
def test_an_emergency_is_marked_and_handed_over(platform: str, desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened(platform, desk, home, replier)
    working.receive(1, EMERGENCY)
    working.work()
    ((kind, text),) = desk.messages
    assert kind == "note"
    assert "EMERGENCY: contact the customer now." in text
    assert "DRAFT REPLY" not in text
    changed = [str(body) for _, _, body in desk.changes]
    assert any("triage-emergency" in body for body in changed)
    assert {"zendesk": "urgent", "freshdesk": "4", "chatwoot": "urgent", "zammad": "3 high"}[platform] in "".join(
        changed
    )
    handed = {"zendesk": "'group_id': 9", "freshdesk": "'group_id': 9", "zammad": "'People'", "chatwoot": "'open'"}
    assert handed[platform] in "".join(changed)
    if platform in {"freshdesk", "chatwoot"}:  # they replace all tags, so the old ones go with the new
        assert any("['old', 'triage-emergency']" in body for body in changed)


@DESKS
def test_the_operator_may_let_the_customer_hear_of_an_emergency(
    platform: str, desk: FakeDesk, home: Path, replier: Replier
) -> None:
    working = opened(platform, desk, home, replier, emergency_to_customer=True)
    working.receive(1, EMERGENCY)
    working.work()
    assert [kind for kind, _ in desk.messages] == ["note", "reply"]
    reply = desk.messages[1][1]
    assert "Get emergency help now" in reply
    for never in ("Backline", "RF01", "probability"):
        assert never not in reply


@DESKS
def test_a_silence_is_handed_over_and_says_why(platform: str, desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened(platform, desk, home, replier, reply_from=0.01)
    working.receive(1, "What is the capital of France?")
    working.work()
    ((kind, text),) = desk.messages
    assert kind == "note"
    assert "No draft:" in text
    assert any("backline-no-draft" in str(body) for _, _, body in desk.changes)


@DESKS
def test_nothing_is_written_twice_when_an_answer_is_lost(
    platform: str, desk: FakeDesk, home: Path, replier: Replier
) -> None:
    working = opened(platform, desk, home, replier, emergency_to_customer=True)
    working.receive(1, EMERGENCY)
    desk.faults = [None, "lost"]  # the look, then the note: it is written, but we hear nothing
    working.work()
    assert [kind for kind, _ in desk.messages] == ["note"]
    # The look for the note, the look for the reply, where Zammad reads the article that is answered, and the reply.
    desk.faults = [None, None, *([None] if platform == "zammad" else []), "lost"]
    working.work_later()
    assert [kind for kind, _ in desk.messages] == ["note", "reply"]
    working.work_later()
    assert [kind for kind, _ in desk.messages] == ["note", "reply"]
    assert working.waiting() is None
    assert any("triage-emergency" in str(body) for _, _, body in desk.changes)


@EVERY
def test_a_rate_limit_is_waited_out(platform: str, desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened(platform, desk, home, replier)
    working.receive()
    desk.faults = [(429, {"retry-after": "120"})]
    working.work()
    item = working.waiting()
    assert item is not None
    assert 100 < item.due - time.time() <= 120
    assert item.reason == "the help desk says 429"
    working.work_later()
    assert working.waiting() is None


@EVERY
@pytest.mark.parametrize("fault", [(500, {}), (503, {}), (302, {"location": "http://127.0.0.1/"}), (401, {}), "slow"])
def test_a_help_desk_in_trouble_is_tried_again(
    platform: str, fault: object, desk: FakeDesk, home: Path, replier: Replier, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = FetchPolicy(allow=frozenset({f"127.0.0.1:{desk.port}"}), read_seconds=0.9)
    monkeypatch.setattr(calling, "FetchPolicy", lambda **_: hasty)
    working = opened(platform, desk, home, replier)
    working.receive()
    desk.faults = [fault]
    begin = time.time()
    working.work()
    item = working.waiting()
    assert item is not None
    assert item.attempts == 1
    assert begin + 1 <= item.due <= time.time() + 2
    working.work_later()
    assert working.waiting() is None


@DESKS
def test_nonsense_is_tried_again(platform: str, desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened(platform, desk, home, replier)
    working.receive()
    desk.faults = ["nonsense"]
    working.work()
    item = working.waiting()
    assert item is not None
    assert item.reason.startswith("the help desk's answer cannot be read")
    assert desk.messages == []
    working.work_later()
    assert [kind for kind, _ in desk.messages] == ["note"]


@EVERY
def test_what_is_refused_for_good_is_kept_for_a_person(
    platform: str, desk: FakeDesk, home: Path, replier: Replier
) -> None:
    working = opened(platform, desk, home, replier)
    working.receive()
    desk.faults = [(404, {})]
    working.work()
    (dead,) = outbox.list_dead(working.database)
    assert dead.reason == "the help desk says 404"
    assert outbox.resend(working.database, dead.id) == 1
    working.work()
    assert outbox.list_dead(working.database) == []
    assert working.receive() == "duplicate"


@EVERY
def test_a_help_desk_that_is_down_loses_nothing(platform: str, home: Path, replier: Replier) -> None:
    with fake_desk() as gone:
        pass
    working = opened(platform, gone, home, replier)
    working.receive()
    working.work()
    item = working.waiting()
    assert item is not None
    assert item.attempts == 1


def test_addresses_inside_the_network_need_the_operators_word(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("zammad", desk, home, replier)
    store_connection(working.database, connection("zammad", "http://169.254.169.254"))
    working.receive()
    working.work()
    (dead,) = outbox.list_dead(working.database)
    assert dead.reason.startswith("call refused: the host is a link-local")
    assert desk.calls == []


def test_a_removed_connection_is_not_worked_for(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("zammad", desk, home, replier)
    working.receive()
    remove_connection(working.database, "zammad")
    working.work()
    assert desk.calls == []
    assert outbox.list_dead(working.database)[0].reason == "the connection was removed"


def test_many_messages_in_a_short_time_are_for_agents_only(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("chatwoot", desk, home, replier, emergency_to_customer=True)
    for number in range(1, 14):
        assert working.receive(number, EMERGENCY) == "accepted"
    working.work()
    kinds = [kind for kind, _ in desk.messages]
    assert kinds.count("note") == 13
    assert kinds.count("reply") == 0


def test_a_message_that_is_too_long_is_screened_and_handed_over(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("zendesk", desk, home, replier)
    working.receive(1, f"{EMERGENCY} {'My back hurts. ' * 600}")
    working.work()
    ((_, text),) = desk.messages
    assert "EMERGENCY: contact the customer now." in text
    assert "No draft: the message has" in text
    assert any("triage-emergency" in str(body) for _, _, body in desk.changes)
    assert any("urgent" in str(body) for _, _, body in desk.changes)


def test_generic_actions_are_signed_and_keep_their_ids(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("generic", desk, home, replier)
    working.receive(1, EMERGENCY)
    desk.faults = [None, "lost"]
    working.work()
    working.work_later()
    kinds = [body["type"] for _, _, body in desk.changes]
    assert kinds == ["action.note", "action.tag", "action.tag", "action.handoff"]
    names = [headers["webhook-id"] for _, _, headers in desk.calls]
    assert names[1] == names[2]
    assert len(set(names)) == 3
    assert desk.calls[0][2]["webhook-signature"].startswith("v1,")
    assert desk.changes[0][2]["data"]["text"].splitlines()[1].startswith("EMERGENCY: contact the customer now.")
    assert desk.changes[3][2]["data"]["reason"] == "Emergency: contact the customer now."


def test_no_text_of_a_person_stays_when_the_work_is_done(
    desk: FakeDesk, home: Path, replier: Replier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    working = opened("zendesk", desk, home, replier)
    secret = "My number is 555-0142, ann.private@example.com, and how long does a back spasm last?"
    working.receive(1, secret)
    desk.faults = [(500, {})]
    working.work()
    working.work_later()
    assert len(desk.messages) == 1
    working.database.dispose()
    for planted in ("555-0142", "ann.private@example.com", "t-1"):
        assert planted not in caplog.text
    stored = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert b"ann.private@example.com" not in stored


@pytest.mark.parametrize("days", [0, 30])
def test_questions_and_answers_are_kept_as_the_setting_says(
    days: int, desk: FakeDesk, home: Path, replier: Replier
) -> None:
    working = opened("zendesk", desk, home, replier, days=days)
    working.receive()
    working.keeper.start()
    working.work()
    working.keeper.stop()
    kept = list(load_answers(working.database, "2000"))
    assert [(one.asker, one.question.splitlines()[-1]) for one in kept] == [("desk:zendesk", QUESTION)][: days > 0]
    if kept:
        assert kept[0].id in desk.messages[0][1]
        assert delete_conversation(working.database, kept[0].conversation_id) == 1


def test_what_was_given_up_is_erased_in_time_and_still_told(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("zendesk", desk, home, replier)
    working.receive()
    desk.faults = [(404, {})]
    working.work()
    now = time.time()
    assert outbox.erase_dead(working.database, now - 60) == 0
    assert outbox.erase_dead(working.database, now + 60, "handoff") == 0
    assert outbox.erase_dead(working.database, now + 60) == 1
    (dead,) = outbox.list_dead(working.database)
    assert (dead.ticket, dead.erased, dead.reason) == ("35", True, "the help desk says 404")
    assert outbox.resend(working.database) == 0
    assert working.receive() == "duplicate"
    working.database.dispose()
    stored = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert QUESTION.encode() not in stored
    outbox.forget(working.database, now + 60)
    assert outbox.list_dead(working.database) == []
    assert working.receive() == "accepted"


def test_what_waits_or_was_given_up_goes_with_its_ticket_and_is_not_taken_again(
    desk: FakeDesk, home: Path, replier: Replier
) -> None:
    working = opened("zendesk", desk, home, replier)
    working.receive()
    assert outbox.delete_of_conversation(working.database, conversation_of("zendesk", "36")) == 0
    assert outbox.delete_of_conversation(working.database, conversation_of("zendesk", "35")) == 1
    assert working.waiting() is None
    assert working.receive() == "duplicate"


@pytest.mark.parametrize("days", [0, 30])
def test_a_follow_up_is_read_with_what_was_kept_of_its_ticket(
    days: int, desk: FakeDesk, home: Path, replier: Replier
) -> None:
    working = opened("zendesk", desk, home, replier, days=days)
    working.keeper.start()
    working.receive(1, EMERGENCY)
    working.work()
    working.receive(2, "What should I do now?")
    working.work()
    working.keeper.stop()
    assert ("in an earlier message" in desk.messages[1][1]) is (days > 0)


@EVERY
def test_a_rate_limit_holds_back_everything_for_that_help_desk(
    platform: str, desk: FakeDesk, home: Path, replier: Replier
) -> None:
    working = opened(platform, desk, home, replier)
    for number in range(3):
        working.receive(number)
    desk.faults = [(429, {"retry-after": "120"})]
    working.work()
    assert len(desk.calls) == 1
    assert outbox.next_due(working.database, ("helpdesk",), now=time.time() + 100) is None


def test_somebody_elses_change_at_the_same_moment_is_waited_out(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("zendesk", desk, home, replier)
    working.receive()
    desk.faults = [None, (409, {})]
    working.work()
    assert outbox.list_dead(working.database) == []
    working.work_later()
    assert [kind for kind, _ in desk.messages] == ["note"]


def test_a_tag_that_is_not_taken_keeps_no_one_from_the_hand_over(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("zendesk", desk, home, replier)
    working.receive(1, EMERGENCY)
    desk.faults = [None, None, (422, {})]  # the look and the note, then the tag
    working.work()
    assert [body for _, _, body in desk.changes] == [{"ticket": {"priority": "urgent", "group_id": 9}}]
    assert working.waiting() is None


def test_nothing_of_a_trial_goes_to_a_customer(desk: FakeDesk, home: Path, replier: Replier) -> None:
    working = opened("zendesk", desk, home, replier, emergency_to_customer=True, reply_from=0.01)
    event = Event("zendesk", "zendesk", "t", "35", "1", "customer", EMERGENCY, trial=True)
    assert accept(working.database, event) == "accepted"
    working.work()
    assert [kind for kind, _ in desk.messages] == ["note"]


@pytest.mark.parametrize("platform", ["zammad", "freshdesk"])
def test_an_auto_responder_that_quotes_a_notice_does_not_get_it_again(
    platform: str, desk: FakeDesk, home: Path, replier: Replier
) -> None:
    working = opened(platform, desk, home, replier, emergency_to_customer=True)
    working.receive(1, EMERGENCY)
    working.work()
    notice = desk.messages[1][1]
    working.receive(2, f"I am away until Monday. You wrote: {plain_from_html(notice)} {EMERGENCY}")
    working.work()
    assert [kind for kind, _ in desk.messages] == ["note", "reply", "note"]
