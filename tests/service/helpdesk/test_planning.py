from dataclasses import replace

import pytest

from service.answering.records import Probability, Question
from service.answering.replying import Replier
from service.helpdesk.events import Action, Event
from service.helpdesk.planning import plan_actions
from service.helpdesk.texts import as_plain
from service.settings import Settings
from tests.service.helpdesk.payloads import QUESTION, connection


def plan(replier: Replier, text: str, probability: float | None, **changes: object) -> tuple[Action, ...]:
    reply = replier.reply(Question(text))
    if probability is not None:
        known = Probability(probability, "golden sha256:0123456789abcdef", 0.4)
        reply = replace(reply, answer=replace(reply.answer, probability=known))
    event = Event("zendesk", "help", "1", "35", "1", "customer", text)
    made = connection("zendesk", "https://desk.example.com", **changes)
    return plan_actions(event, reply, made, Settings(emergency_numbers=("112",), crisis_lines=("988 Lifeline",)))


def kinds(actions: tuple[Action, ...]) -> list[str]:
    return [action.kind for action in actions]


@pytest.mark.parametrize(
    ("probability", "reply_from", "second"),
    [(0.95, None, "draft"), (0.95, 0.9, "reply"), (0.9, 0.9, "reply"), (0.89, 0.9, "draft"), (None, 0.01, "draft")],
)
def test_customers_are_answered_only_where_it_was_asked_for(
    replier: Replier, probability: float | None, reply_from: float | None, second: str
) -> None:
    assert kinds(plan(replier, QUESTION, probability, reply_from=reply_from)) == ["note", second]


@pytest.mark.parametrize(
    "text",
    ["My back pain is no better after three weeks, how long does it last?", "Is it fine? I can't feel when I wipe."],
)
def test_no_answer_goes_out_beside_a_warning(replier: Replier, text: str) -> None:
    assert "reply" not in kinds(plan(replier, text, 0.99, reply_from=0.1))


def test_note_and_reply_as_they_are_read(replier: Replier) -> None:
    note, reply = plan(replier, QUESTION, 0.95, reply_from=0.9)
    lines = as_plain(note.lines).splitlines()
    assert lines[0] == "[Backline, private note: the customer cannot see this]"
    assert lines[1] == "DRAFT REPLY (check before you send)"
    assert lines[2].endswith("[1]")
    place = lines.index("SOURCES")
    assert lines[place + 1].startswith("[1] What Causes Back Spasms and How to Find Relief, Verywell Health, “")
    assert "Our digest. Read in the page's own text; dated 2024-09-21." in lines[place + 1]
    assert lines[place + 1].count("Brett Sears, PT") == 1
    assert lines[-1].startswith("Word for word from our digests, no AI writing | answer ans_")
    assert "| probability 0.95 (golden 012345) | note bln-" in lines[-1]
    sent = as_plain(reply.lines)
    assert sent.endswith("Information from health sources, not a diagnosis and no substitute for a doctor.")
    for never in ("Backline", "probability", "0.95", "ans_", "bln-", "snapshot"):
        assert never not in sent


def test_thoughts_of_self_harm_lead_with_the_crisis_line(replier: Replier) -> None:
    note, reply, tag, handoff = plan(replier, "I want to kill myself", None, emergency_to_customer=True)
    assert "Call 988 Lifeline, 112 or your local emergency number." in as_plain(reply.lines)
    assert as_plain(note.lines).splitlines()[1].startswith("EMERGENCY: contact the customer now. Matched “kill myself”")
    assert (handoff.kind, handoff.urgency, tag.tag) == ("handoff", "emergency", "triage-emergency")


def test_a_silence_names_its_reason(replier: Replier) -> None:
    note, tag, handoff = plan(replier, "Wie lange dauert ein Hexenschuss normalerweise?", None, reply_from=0.1)
    assert "No draft: in a language that is not checked for warning signs." in as_plain(note.lines)
    assert handoff.reason == "No draft: in a language that is not checked for warning signs."
    assert tag.tag == "backline-no-draft"
