"""What is taken in and what is not: the same cases over every platform that delivers to us."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.helpdesk.platforms import platforms
from service.helpdesk.receiving import Reception
from service.storage import outbox
from service.storage.connections import store_connection
from service.storage.database import open_database
from tests.service.helpdesk.payloads import NOW, OTHER, QUESTION, SAMPLES, SECRET, connection, delivery

EVERY = pytest.mark.parametrize("platform", sorted(SAMPLES))


@pytest.fixture
def database(home: Path) -> Engine:
    return open_database(home / "backline.sqlite")


def open_reception(database: Engine, platform: str) -> Reception:
    store_connection(database, connection(platform, "https://desk.example.com"))
    return Reception(database)


def waiting(database: Engine) -> list[str]:
    item = outbox.next_due(database, ("helpdesk",))
    return [] if item is None else [item.payload["event"]["text"]]


def test_every_platform_that_delivers_has_its_samples() -> None:
    assert {name for name, one in platforms().items() if one.HOOK != "none"} == set(SAMPLES)


@pytest.mark.drill("R20")
@EVERY
def test_a_good_delivery_is_taken_once(database: Engine, platform: str) -> None:
    reception = open_reception(database, platform)
    headers, body = delivery(platform)
    assert reception.receive(platform, platform, headers, body, NOW) == "accepted"
    assert waiting(database)[0].endswith(QUESTION)
    # Replayed within the five minutes, also under another delivery id, which no signature covers.
    assert reception.receive(platform, platform, headers, body, NOW + 60) == "duplicate"
    loud = {**headers, "x-zammad-delivery": "d-2", "x-chatwoot-delivery": "d-2"}
    assert reception.receive(platform, platform, loud, body, NOW + 60) == "duplicate"
    headers, body = delivery(platform, 2)
    assert reception.receive(platform, platform, headers, body, NOW) == "accepted"


@pytest.mark.drill("R20")
@EVERY
def test_a_wrong_or_missing_signature_is_refused(database: Engine, platform: str) -> None:
    reception = open_reception(database, platform)
    headers, body = delivery(platform, secret=OTHER)
    assert reception.receive(platform, platform, headers, body, NOW) == "refused"
    assert reception.receive(platform, platform, {}, body, NOW) == "refused"
    for name in delivery(platform)[0]:
        assert reception.receive(platform, platform, {**headers, name: "\udcff"}, body, NOW) == "refused"
    assert waiting(database) == []


@pytest.mark.drill("R20")
@EVERY
def test_any_changed_byte_is_refused_where_the_signature_covers_the_body(database: Engine, platform: str) -> None:
    reception = open_reception(database, platform)
    headers, body = delivery(platform)
    if SAMPLES[platform].covered:
        for place in range(len(body)):
            changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
            assert reception.receive(platform, platform, headers, changed, NOW) == "refused"
        assert waiting(database) == []
    else:
        assert platform == "freshdesk"  # signs nothing; its page says so


@pytest.mark.drill("R20")
@EVERY
def test_an_old_or_early_delivery_is_refused_where_a_time_is_signed(database: Engine, platform: str) -> None:
    reception = open_reception(database, platform)
    headers, body = delivery(platform)
    limit = 3_600 if platform == "zammad" else 300
    for late in (limit + 1, -limit - 1, 10**6):
        found = reception.receive(platform, platform, headers, body, NOW + late)
        assert found == ("refused" if SAMPLES[platform].timed else "accepted")
        if not SAMPLES[platform].timed:
            return
    assert reception.receive(platform, platform, headers, body, NOW + limit) == "accepted"


@pytest.mark.drill("R20")
@EVERY
def test_two_secrets_count_while_one_replaces_the_other(database: Engine, platform: str) -> None:
    reception = Reception(database)
    store_connection(database, connection(platform, "https://desk.example.com", hook_secrets=(OTHER, SECRET)))
    assert reception.receive(platform, platform, *delivery(platform, 1, secret=SECRET), NOW) == "accepted"
    assert reception.receive(platform, platform, *delivery(platform, 2, secret=OTHER), NOW) == "accepted"
    store_connection(database, connection(platform, "https://desk.example.com", hook_secrets=(OTHER,)))
    assert reception.receive(platform, platform, *delivery(platform, 3, secret=SECRET), NOW) == "refused"


@EVERY
def test_the_loop_guard_passes_over_what_no_customer_wrote(database: Engine, platform: str) -> None:
    if platform == "freshdesk":
        pytest.skip("the rule that its page gives fires for customers alone")
    reception = open_reception(database, platform)
    sample = SAMPLES[platform]
    body = json.dumps(sample.agent(sample.body(1, QUESTION, NOW))).encode()
    assert reception.receive(platform, platform, sample.sign(SECRET, body, NOW), body, NOW) == "ignored"
    assert waiting(database) == []


def test_an_automatic_message_is_passed_over(database: Engine) -> None:
    reception = open_reception(database, "zammad")
    sample = SAMPLES["zammad"]
    body = sample.body(1, QUESTION, NOW)
    body["article"]["preferences"] = {"is-auto-response": True}
    content = json.dumps(body).encode()
    assert reception.receive("zammad", "zammad", sample.sign(SECRET, content, NOW), content, NOW) == "ignored"


@EVERY
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"event": 1}', b'"x"', b"\xff", b"[" * 100_000])
def test_signed_nonsense_is_told_from_messages(database: Engine, platform: str, content: bytes) -> None:
    reception = open_reception(database, platform)
    headers = SAMPLES[platform].sign(SECRET, content, NOW)
    assert reception.receive(platform, platform, headers, content, NOW) in {"nonsense", "refused", "ignored"}
    assert waiting(database) == []


def test_unknown_connections_look_like_wrong_signatures(database: Engine) -> None:
    reception = open_reception(database, "zammad")
    headers, body = delivery("zammad")
    assert reception.receive("zammad", "other", headers, body, NOW) == "refused"
    assert reception.receive("chatwoot", "zammad", headers, body, NOW) == "refused"
    assert reception.receive("nothing", "zammad", headers, body, NOW) == "refused"


def test_a_connection_never_shows_its_secrets(caplog: pytest.LogCaptureFixture, database: Engine) -> None:
    made = connection("zendesk", "https://desk.example.com")
    assert SECRET not in repr(made)
    assert "t-1" not in repr(made)
    assert "t-1" not in repr(replace(made, reply_from=0.5))
    caplog.set_level("DEBUG")
    reception = open_reception(database, "zendesk")
    reception.receive("zendesk", "zendesk", {}, b"a secret of somebody", NOW)
    assert "somebody" not in caplog.text
    assert SECRET not in caplog.text


def test_two_messages_of_one_minute_are_two(database: Engine) -> None:
    reception = open_reception(database, "zendesk")
    sample = SAMPLES["zendesk"]
    for text, receipt in ((QUESTION, "accepted"), ("I can't feel when I wipe.", "accepted"), (QUESTION, "duplicate")):
        body = json.dumps(sample.body(1, text, NOW)).encode()
        assert reception.receive("zendesk", "zendesk", sample.sign(SECRET, body, NOW), body, NOW) == receipt


@pytest.mark.parametrize("platform", ["zendesk", "freshdesk"])
@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('It is a "pulled" back.\nHow long?', 'It is a "pulled" back.\nHow long?'),
        ('Numb", "ticket_id": "99', 'Numb", "ticket_id": "99'),
        ('It said \\"wait\\".\\nNumb.', 'It said "wait".\nNumb.'),
        ("How long?}", "How long?}"),
    ],
)
def test_words_that_are_put_into_a_template_as_they_are_arrive(
    platform: str, text: str, read: str, database: Engine
) -> None:
    reception = open_reception(database, platform)
    template = platforms()[platform]._BODY  # type: ignore[attr-defined] # what operators are told to paste
    values = {
        "{{ticket.id}}": "35",
        "{{ticket.requester.id}}": "12",
        "{{current_user.id}}": "12",
        "{{ticket.updated_at_with_timestamp}}": "2026-11-22T10:00Z",
        "{{ticket.latest_public_comment}}": text,
    }
    for name, value in values.items():
        template = template.replace(name, value)
    body = re.sub(r"{{.*?}}", "", template).encode()
    headers = SAMPLES[platform].sign(SECRET, body, NOW)
    assert reception.receive(platform, platform, headers, body, NOW) == "accepted"
    item = outbox.next_due(database, ("helpdesk",))
    assert item is not None
    assert (item.ticket, item.payload["event"]["text"]) == ("35", read)
