"""What the operator sees, and what nobody must see there."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.http.telemetry import JsonLines
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service

PLANTED = (
    "jane.roe@example.org", "+1 202 555 0143", "0171 5550199", "NHS 943 476 5919", "123-45-6789", "4111 1111 1111 1111",
    "DE89370400440532013000", "bl_c2VjcmV0c2VjcmV0", "sk-test-51H8xY2", "10.1.2.3", "Room 14B", "Marjorie Quill", "1987-03-02",
    "W1A 1AA", "@marj_q", "passport X1234567", "MRN-0099812", "policy 77-A", "plate KX51 ABC", "ward 7 bed 3",
)  # fmt: skip


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    opened = open_service(tmp_path / "home", load_rules())
    with opened.client:
        yield opened


def samples(service: Service) -> dict[tuple[str, tuple[str, ...]], float]:
    text = service.client.get("/metrics").text
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_replies_notices_stages_and_refusals_are_counted(service: Service) -> None:
    service.client.post("/v1/ask", json={"question": "How long do back spasms last?"})
    service.client.post("/v1/ask", json={"question": "I can't pee and my back hurts"})
    service.client.post("/v1/search", json={"query": "numb between the legs since my back went"})
    service.client.post("/v1/ask", json={})
    service.client.get("/nowhere")
    service.client.get("/healthz", headers={"host": "elsewhere.example"})
    seen = samples(service)
    assert seen["backline_requests_total", ("POST", "/v1/ask", "200")] == 2
    assert seen["backline_requests_total", ("POST", "/v1/ask", "422")] == 1
    assert seen["backline_requests_total", ("GET", "(none)", "404")] == 1
    assert seen["backline_requests_total", ("GET", "(none)", "400")] == 1
    assert seen["backline_replies_total", ("", "answered")] == 1
    assert seen["backline_notices_total", ("emergency",)] == 2
    assert seen["backline_stage_seconds_count", ("triage",)] == 2
    assert seen["backline_ready", ()] == 1
    assert seen["backline_requests_running", ()] == 1  # this look itself
    age = next(value for (name, _), value in seen.items() if name == "backline_snapshot_age_seconds")
    assert 0 <= age < 600


def test_chat_completions_are_counted_as_replies(service: Service) -> None:
    body = {"messages": [{"role": "user", "content": "How long do back spasms last?"}]}
    service.client.post("/v1/chat/completions", json=body)
    assert samples(service)["backline_replies_total", ("", "answered")] == 1


def test_once_told_to_stop_readiness_says_so(service: Service) -> None:
    assert service.client.get("/readyz").status_code == 200
    service.desk.stopping.set()
    stopped = service.client.get("/readyz")
    assert (stopped.status_code, stopped.json()["status"]) == (503, "stopping")
    assert service.client.get("/healthz").status_code == 200
    assert samples(service)["backline_ready", ()] == 0


def test_a_request_is_one_json_line(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        response = service.client.get("/healthz", headers={"x-request-id": "request-0001"})
    assert response.headers["x-request-id"] == "request-0001"
    (record,) = [record for record in caplog.records if record.name == "backline.requests"]
    line = json.loads(JsonLines().format(record))
    assert line["request_id"] == "request-0001"
    assert (line["route"], line["method"], line["status"], line["event"]) == ("/healthz", "GET", 200, "request")


@pytest.mark.drill("R22")
def test_nothing_that_people_write_reaches_logs_or_metrics(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for planted in PLANTED:
            words = f"My back hurts. Reach me: {planted}"
            service.client.post("/v1/ask", json={"question": words})
            service.client.post("/v1/ask", json={"question": words, words: 1})
            service.client.post("/v1/search", json={"query": words})
            service.client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": words}]})
            service.client.get(f"/v1/documents/{planted}", params={"q": planted}, headers={"x-planted": planted})
            service.client.request("ASKED", "/healthz", headers={"authorization": f"Bearer {planted}"})
            files = {"file": (f"{planted}.txt", b"Walk.")}
            service.client.post("/v1/documents", files=files, headers={"authorization": f"Bearer {planted}"})
    formatter = JsonLines()
    written = "\n".join(formatter.format(record) for record in caplog.records if not record.name.startswith("httpx"))
    written += service.client.get("/metrics").text
    assert "request" in written
    assert [planted for planted in PLANTED if planted in written] == []
