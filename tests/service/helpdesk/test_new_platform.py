"""A help desk that nobody has written yet needs one file: here Slack's kind of hook, in a file that goes with the test."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.answering.replying import Replier
from service.helpdesk import platforms as package
from service.helpdesk.receiving import Reception
from service.storage.connections import Connection, store_connection
from tests.service.helpdesk.desks import FakeDesk, fake_desk
from tests.service.helpdesk.payloads import NOW, QUESTION
from tests.service.helpdesk.test_working import Working
from tests.service.test_hooks_command import run

MODULE = """
from service.helpdesk.events import Event
from service.helpdesk.platforms import (
    Call, Field, Greeting, Written, base_url, nothing_to_poll, objects, required, stands_in, text_of
)
from service.helpdesk.texts import as_plain
from service.signing import check_any, check_time, hmac_hex

FIELDS = (Field("url", "Address"), Field("token", "Token", secret=True), Field("hook_secret", "Secret", secret=True))
HOOK = "theirs"
poll = nothing_to_poll

def check(delivery, connection):
    stamp = delivery.headers.get("x-talk-request-timestamp", "")
    check_time(stamp, delivery.now)
    signed = f"v0:{stamp}:".encode() + delivery.body
    wanted = ["v0=" + hmac_hex(secret.encode(), signed, "sha256") for secret in connection.hook_secrets]
    check_any(wanted, [delivery.headers.get("x-talk-signature", "")])

def read(delivery, connection):
    body = delivery.json()
    if text_of(body, "type") == "url_verification":
        return Greeting({"challenge": required(body, "challenge")})
    said = body["event"]
    role = "bot" if said.get("bot_id") else "customer"
    place = f"{required(said, 'channel')}-{required(said, 'ts')}"
    return Event("talk", connection.name, required(body, "event_id"), place, required(said, "ts"), role, said["text"])

def perform(action, event, connection, now):
    if action.kind in {"note", "reply"}:
        body = {"private": action.kind == "note", "content": as_plain(action.lines)}
        yield Call("POST", f"{base_url(connection)}/{event.conversation_ref}/messages", {}, body)

def is_done(action, event, connection):
    answered = yield Call("GET", f"{base_url(connection)}/{event.conversation_ref}/messages", {})
    found = objects(answered.json().get("payload"))
    return stands_in(action, [Written(text_of(one, "content"), one["private"]) for one in found])

def probe(connection):
    answered = yield Call("GET", f"{base_url(connection)}/me", {})
    required(answered.json(), "id")
    return ""

def instructions(connection, hook_url):
    return f"Make a subscription to {hook_url}"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the new file lies: the package looks there as if it were its own folder."""
    made = tmp_path / "more"
    made.mkdir()
    (made / "talk.py").write_text(MODULE)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(made)])
    package.platforms.cache_clear()
    yield made
    package.platforms.cache_clear()


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    with fake_desk() as found:
        yield found


def signed(body: object) -> tuple[dict[str, str], bytes]:
    content = json.dumps(body).encode()
    base = f"v0:{int(NOW)}:".encode() + content
    signature = hmac.new(b"talk secret", base, hashlib.sha256).hexdigest()
    return {"X-Talk-Signature": f"v0={signature}", "X-Talk-Request-Timestamp": str(int(NOW))}, content


def test_one_new_file_makes_a_help_desk(folder: Path, desk: FakeDesk, home: Path, replier: Replier) -> None:
    assert folder.is_dir()
    working = Working("zammad", desk, home, replier)
    made = Connection("talk", "talk", {"url": desk.url, "token": "t"}, ("talk secret",), emergency_to_customer=False)
    store_connection(working.database, made)
    reception = Reception(working.database)
    greeting = {"type": "url_verification", "challenge": "3eZbrw1aB"}
    assert reception.receive("talk", "talk", *signed(greeting), NOW) == {"challenge": "3eZbrw1aB"}
    assert reception.receive("talk", "talk", {}, signed(greeting)[1], NOW) == "refused"
    said = {"event_id": "E1", "event": {"channel": "C1", "ts": "17.05", "text": QUESTION}}
    assert reception.receive("talk", "talk", *signed(said), NOW) == "accepted"
    assert reception.receive("talk", "talk", *signed(said), NOW) == "duplicate"
    said["event"] = {"channel": "C1", "ts": "18.05", "text": QUESTION, "bot_id": "B1"}
    assert reception.receive("talk", "talk", *signed(said), NOW) == "ignored"
    working.work()
    ((kind, text),) = desk.messages
    assert kind == "note"
    assert "a back spasm usually lasts from several hours to several days. [1]" in text


def test_the_commands_know_no_list_of_their_own(home: Path, desk: FakeDesk) -> None:
    done = run(home, desk, "connect", "anything")
    assert done.returncode == 2
    for name in package.platforms():
        assert name in done.stderr
