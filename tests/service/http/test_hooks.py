"""Where help desks deliver, over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.storage import outbox
from service.storage.connections import store_connection
from service.triage.screening import load_rules
from tests.service.helpdesk.payloads import SAMPLES, SECRET, connection, delivery
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

PATH = "/v1/hooks/zammad/zammad"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    opened = open_service(tmp_path / "home", load_rules())
    store_connection(opened.database, connection("zammad", "https://desk.example.com"))
    with opened.client:
        yield opened


def test_a_delivery_is_stored_before_it_is_acknowledged(service: Service) -> None:
    headers, body = delivery("zammad", at=time.time())
    first = service.client.post(PATH, content=body, headers=headers)
    assert (first.status_code, first.json()) == (200, {"state": "accepted"})
    item = outbox.next_due(service.database, ("helpdesk",))
    assert item is not None
    assert item.payload["event"]["conversation_ref"] == "35"
    again = service.client.post(PATH, content=body, headers=headers)
    assert (again.status_code, again.json()) == (200, {"state": "duplicate"})


@pytest.mark.drill("R20")
def test_what_is_not_signed_gets_no_further(service: Service) -> None:
    headers, body = delivery("zammad", at=time.time())
    for path in (PATH, "/v1/hooks/zammad/other", "/v1/hooks/nothing/zammad"):
        response = service.client.post(path, content=body + b" ", headers=headers)
        check_problem(response, 401, "hook-refused")
    assert outbox.next_due(service.database, ("helpdesk",)) is None


@pytest.mark.drill("R20")
def test_an_old_delivery_is_refused(service: Service) -> None:
    headers, body = delivery("zammad", at=time.time() - 4_000)
    check_problem(service.client.post(PATH, content=body, headers=headers), 401, "hook-refused")


def test_a_signed_delivery_that_cannot_be_read_is_told_so(service: Service) -> None:
    store_connection(service.database, connection("generic", "https://desk.example.com"))
    body = b'{"type": "message.created", "data": {"text": "secret words"}}'
    headers = SAMPLES["generic"].sign(SECRET, body, time.time())
    response = service.client.post("/v1/hooks/generic/generic", content=body, headers=headers)
    check_problem(response, 422, "invalid-request")
    assert "secret words" not in response.text


def test_a_delivery_that_is_too_large_is_refused(service: Service) -> None:
    check_problem(service.client.post(PATH, content=b"x" * 1_000_001), 413, "body-too-large")
