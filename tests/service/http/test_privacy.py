"""Planted identifiers pass through every door, and none of them is logged; deletion leaves none on disk."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from service.delivering import Deliverer
from service.handing_over import HANDOFF
from service.storage.outbox import Item
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service

PLANTED = (
    "jo.bloggs@example.org",
    "mary+back@mail.example.co.uk",
    "k.o'neil@clinic.example",
    "info@xn--bcher-kva.example",
    "+44 20 7946 0958",
    "(555) 867-5309",
    "0151 23456789",
    "+1-202-555-0143",
    "943 476 5919",
    "QQ123456C",
    "078-05-1120",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
    "A12345678",
    "1985-04-12 Bloggs",
    "12 Quokka Lane",
    "sk-quokka1234567890abcdef",
    "ghp_quokkaquokkaquokkaquokka1234",
    "AKIAQUOKKA7EXAMPLE99",
    "bl_quokkaquokkaquokkaquokkaquokkaquokkaquokkaq",
)


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    handoff: dict[str, Any] = {
        "handoff_secret": f"whsec_{'c2VjcmV0' * 4}",
        "handoff_url": "https://desk.example.org/hook",
    }
    opened = open_service(home, load_rules(), **handoff)
    with opened.client:
        yield opened


def pass_through_every_door(service: Service, planted: str) -> list[str]:
    """Send one identifier every way there is; return the conversations."""
    post, ingest = service.client.post, service.key("ingest")
    text = f"My back hurts, I am {planted}. How long does a back spasm last?"
    answer = post("/v1/ask", json={"question": text}).json()
    post("/v1/ask", json={"question": text, "stream": True, "conversation_id": answer["conversation_id"]})
    post("/v1/ask", json={"question": "and heat?", "history": [text], "conversation_id": answer["conversation_id"]})
    post("/v1/ask", json={"question": "How long?", "conversation_id": planted})
    post("/v1/ask", json={"question": [planted], planted: 1})
    post("/v1/ask", content=f'{{"question": "{planted}'.encode(), headers={"content-type": "application/json"})
    post("/v1/search", json={"query": text})
    post("/v1/feedback", json={"answer_id": answer["id"], "verdict": "no", "text": planted})
    post("/v1/feedback", json={"answer_id": planted, "verdict": planted})
    handed = post("/v1/handoffs", json={"question": text, "contact": planted, "answer_id": answer["id"]})
    assert handed.status_code == 202
    post("/v1/verify", json={"sentences": [text], "passages": [planted]})
    headers = {"x-request-id": planted, "user-agent": planted, "authorization": f"Bearer {planted}"}
    service.client.get("/v1/sources", headers=headers)
    service.client.get(f"/v1/answers/{planted}", params={"q": planted})
    service.client.get(f"/nowhere/{planted}")
    post("/v1/documents", json={"text": "", "title": planted}, headers=ingest)
    post("/v1/documents", files={"file": (f"{planted}.pdf", b"%PDF-1.4 broken")}, headers=ingest)
    return [str(answer["conversation_id"])]


def break_the_database(service: Service, planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything that writes and answers fail with the identifier in the words of the error."""

    def fail(*_: object, **__: object) -> None:
        raise OperationalError(f"INSERT {planted}", {"question": planted}, RuntimeError(planted))

    def fault(*_: object, **__: object) -> None:
        raise RuntimeError(planted)

    for place in ("service.keeping.store_answers", "service.http.routes.judging.store_feedback"):
        monkeypatch.setattr(place, fail)
    answer = service.client.post("/v1/ask", json={"question": f"{planted}: how long does it last?"}).json()
    service.client.get(f"/v1/answers/{answer['id']}")
    monkeypatch.setattr("service.http.routes.asking.take_turn", fault)
    assert service.client.post("/v1/ask", json={"question": planted}).status_code == 500
    monkeypatch.undo()


def deliver_badly(service: Service) -> None:
    """Try the hand-over that waits, in vain, with its words in the words of the error."""

    def deliver(item: Item) -> None:
        raise RuntimeError(str(item.payload))

    worker = Deliverer(service.database, service.home / ".test.lock", {HANDOFF: deliver})
    assert worker.deliver_one()


def on_disk(service: Service, planted: str) -> bool:
    files = list(service.home.glob("backline.sqlite*"))
    assert files
    return any(planted.encode() in file.read_bytes() for file in files)


@pytest.mark.drill("R22")
def test_nothing_that_was_planted_is_logged(
    service: Service,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    for client in ("httpx", "httpx2"):  # the test's own client, no part of the service
        caplog.set_level(logging.WARNING, client)
    for planted in PLANTED:
        pass_through_every_door(service, planted)
        deliver_badly(service)
    break_the_database(service, PLANTED[0], monkeypatch)
    written = caplog.text + "".join(capfd.readouterr())
    assert "failed: RuntimeError" in written
    assert "answers are not kept" in written
    assert [planted for planted in PLANTED if planted in written] == []


@pytest.mark.drill("R22")
def test_deleting_a_conversation_leaves_nothing_on_disk(service: Service) -> None:
    for planted in PLANTED[:5]:
        [conversation] = pass_through_every_door(service, planted)
        assert service.desk.keeper is not None
        service.desk.keeper.flush()
        assert on_disk(service, planted)
        receipt = service.client.delete(f"/v1/conversations/{conversation}").json()
        assert (receipt["answers"], receipt["feedback"], receipt["handoffs"]) == (3, 1, 1)
        assert not on_disk(service, planted)
