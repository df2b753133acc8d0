"""Backline in a real Request Tracker 5, over its real REST interface."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.answering.replying import Replier
from service.application import open_delivering
from service.delivering import GiveUpError
from service.helpdesk.calling import run, sender
from service.helpdesk.events import Action, Event, Line
from service.helpdesk.platforms import rt
from service.helpdesk.polling import poll_connection
from service.keeping import AnswerKeeper
from service.queueing import Gate
from service.serving import Serving
from service.settings import Settings
from service.storage.connections import Connection, store_connection, write_mark
from service.storage.database import open_database
from tests.service.helpdesk.dying import STEPS
from tests.service.helpdesk.request_tracker import PASSWORD, RequestTracker, wait_for

pytestmark = pytest.mark.needs("request-tracker5")


def connect(
    tracker: RequestTracker, home: Path, *, emergency_to_customer: bool = False, **options: str
) -> tuple[Settings, Connection]:
    settings = Settings(home=home, helpdesk_allow=(f"127.0.0.1:{tracker.port}",))
    asked = {
        "url": tracker.url,
        "user": "backline",
        "password": PASSWORD,
        "queue": "General",
        "handover_queue": "",
        "handover_owner": "",
        "tag_field": "",
        **options,
    }
    connection = Connection("rt", "rt", asked, (), emergency_to_customer=emergency_to_customer)
    database = open_database(settings.database)
    write_mark(database, "rt", run(rt.probe(connection), sender(settings.helpdesk_allow)))
    store_connection(database, connection)
    return settings, connection


@contextmanager
def running(settings: Settings, replier: Replier) -> Iterator[None]:
    database = open_database(settings.database)
    parts = open_delivering(settings, database, Serving(replier), Gate(), AnswerKeeper(database, 0))
    for part in parts:
        part.start()
    try:
        yield
    finally:
        for part in parts:
            part.stop()


def test_a_customers_ticket_gets_one_private_note_and_an_emergency_goes_to_people(
    tracker: RequestTracker, home: Path, replier: Replier
) -> None:
    settings, _ = connect(tracker, home, handover_queue="People", tag_field="Backline")
    with running(settings, replier):
        calm = tracker.write("ann@example.com", "Muscle spasm", "How long does a back spasm last?")
        wait_for(lambda: tracker.comments(calm))
        # Ten seconds, where RT answers a plain call in half a second; a busy test machine is given in proportion.
        assert tracker.seconds_until_comment(calm) <= 10 * max(1.0, tracker.pace() / 0.5)
        urgent = tracker.write("bob@example.com", "Odd feeling", "My back hurts and I can't feel when I wipe.")
        wait_for(lambda: tracker.call(f"ticket/{urgent}")["Priority"] == "100")
    (note,) = tracker.comments(calm)
    assert note.startswith("<p>[Backline, private note: the customer cannot see this]</p>")
    assert "DRAFT REPLY (check before you send)" in note
    assert "a back spasm usually lasts from several hours to several days. [1]" in note
    assert "[1] What Causes Back Spasms and How to Find Relief, Verywell Health" in note
    assert tracker.call(f"ticket/{calm}")["Priority"] == "0"
    (warning,) = tracker.comments(urgent)
    assert "EMERGENCY: contact the customer now.</strong> Matched “can&#x27;t feel when I wipe” (RF01)." in warning
    assert "DRAFT REPLY" not in warning
    moved = tracker.call(f"ticket/{urgent}")
    assert tracker.call(f"queue/{moved['Queue']['id']}")["Name"] == "People"
    assert [field["values"] for field in moved["CustomFields"]] == [["triage-emergency"]]
    for ticket in (calm, urgent):  # nothing of ours went to the customer
        assert ("Correspond", "backline") not in tracker.history(ticket)


def test_only_customers_are_answered(tracker: RequestTracker, home: Path) -> None:
    settings, connection = connect(tracker, home)
    database = open_database(settings.database)
    send = sender(settings.helpdesk_allow)
    ticket = tracker.write("cat@example.com", "Loops", "Is walking good for back pain?")
    assert poll_connection(database, connection, send) == 1
    page = {"Content": "<p>Is walking good for back pain?</p>", "ContentType": "text/html"}
    tracker.call(f"ticket/{ticket}/comment", page, user="backline")
    tracker.call(f"ticket/{ticket}/correspond", page, user="backline")
    tracker.call(f"ticket/{ticket}/correspond", page)  # an agent
    subject = f"[test #{ticket}] Loops"
    tracker.mail("cat@example.com", subject, "I am away. Is walking good?", Auto_Submitted="auto-replied")
    assert poll_connection(database, connection, send) == 0
    page = {"Content": "And swimming?", "ContentType": "text/plain"}
    tracker.call(f"ticket/{ticket}/correspond", page, user="cat@example.com")
    polled = run(rt.poll(connection, '{"last": 0, "recent": []}'), send)
    assert [event.text for event in polled.events if event.conversation_ref == str(ticket)][-1] == "And swimming?"
    assert polled.events[-1].history[0] == "Is walking good for back pain?"
    assert poll_connection(database, connection, send) == 1
    assert poll_connection(database, connection, send) == 0


def test_a_kill_at_any_step_loses_and_doubles_nothing(tracker: RequestTracker, home: Path) -> None:
    connect(tracker, home, emergency_to_customer=True, tag_field="Backline")
    ticket = tracker.write("dan@example.com", "Killed", "My back hurts and I can't feel when I wipe.")
    command = [sys.executable, "-m", "tests.service.helpdesk.dying", str(home), f"127.0.0.1:{tracker.port}"]
    path = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=900, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.stdout.splitlines() == [*(f"{step}: killed" for step in STEPS), "to the end: 0"], done.stderr
    (note,) = tracker.comments(ticket)
    assert "EMERGENCY: contact the customer now." in note
    found = tracker.call(f"ticket/{ticket}")
    assert found["Priority"] == "100"
    assert [field["values"] for field in found["CustomFields"]] == [["triage-emergency"]]
    ours = [kind for kind, author in tracker.history(ticket) if author == "backline"]
    assert [kind for kind in ours if kind != "Status"] == ["Comment", "Correspond", "CustomField", "Set"]


def test_tags_are_added_to_those_that_a_ticket_has(tracker: RequestTracker, home: Path) -> None:
    settings, connection = connect(tracker, home, tag_field="Backline")
    ticket = tracker.write("ann@example.com", "Tags", "Two of them.")
    event = Event("rt", "rt", "1", str(ticket), "1", "customer", "")
    for tag in ("triage-today", "backline-no-draft", "triage-today"):
        run(rt.perform(Action("tag", tag=tag), event, connection, 0.0), sender(settings.helpdesk_allow))
    (field,) = tracker.call(f"ticket/{ticket}")["CustomFields"]
    assert sorted(field["values"]) == ["backline-no-draft", "triage-today"]


@pytest.mark.parametrize(
    ("setting", "value", "action", "reason"),
    [
        ("handover_owner", "ann@example.com", Action("handoff"), "did not change the owner"),
        ("tag_field", "Nothing", Action("tag", tag="a"), "did not take the tag"),
    ],
)
def test_what_request_tracker_silently_refuses_is_told(
    setting: str, value: str, action: Action, reason: str, tracker: RequestTracker, home: Path
) -> None:
    settings, connection = connect(tracker, home)
    connection.options[setting] = value
    ticket = tracker.write("ann@example.com", "Refused", "Nothing will change.")
    event = Event("rt", "rt", "1", str(ticket), "1", "customer", "")
    with pytest.raises(GiveUpError, match=reason):
        run(rt.perform(action, event, connection, 0.0), sender(settings.helpdesk_allow))


def test_a_queue_that_its_user_does_not_see_is_not_connected(tracker: RequestTracker, home: Path) -> None:
    with pytest.raises(GiveUpError, match="no queue of the name in handover_queue"):
        connect(tracker, home, handover_queue="Nowhere")


def test_its_own_name_is_known_in_every_spelling(tracker: RequestTracker, home: Path) -> None:
    settings, connection = connect(tracker, home, user="Backline")
    ticket = tracker.write("bob@example.com", "Spelling", "Is walking good for back pain?")
    events = [
        event
        for event in run(rt.poll(connection, '{"last": 0, "recent": []}'), sender(settings.helpdesk_allow)).events
        if event.conversation_ref == str(ticket)
    ]
    note = Action("note", (Line("A note bln-spelling"),), marker="bln-spelling")
    run(rt.perform(note, events[0], connection, 0.0), sender(settings.helpdesk_allow))
    assert run(rt.is_done(note, events[0], connection), sender(settings.helpdesk_allow))
