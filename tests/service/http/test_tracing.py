"""Traces arrive at a collector, hold together, and hold nothing that people write."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from service.http.app import create_app
from service.http.state import Desk
from service.http.telemetry import Telemetry
from service.http.tracing import Tracing
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service

PLANTED = "zebra-7-quokka@example.org"


class Collector:
    """Keeps what is sent to it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200 if self.path == "/v1/traces" else 404)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def spans(self) -> list[Any]:
        found = []
        for body in self.bodies:
            request = ExportTraceServiceRequest()
            request.ParseFromString(body)
            for resource in request.resource_spans:
                names = {one.key: one.value.string_value for one in resource.resource.attributes}
                assert names["service.name"] == "backline"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    one.thread.start()
    yield one
    one.server.shutdown()
    one.thread.join()
    one.server.server_close()


def traced(home: Path, url: str) -> tuple[Service, TestClient]:
    """Return a service and a client to it that is traced."""
    service = open_service(home, load_rules())
    tracing = Tracing(url)
    desk = Desk(
        **{
            **{name: getattr(service.desk, name) for name in Desk.__slots__},
            "telemetry": Telemetry(None, tracing),
            "background": (*service.desk.background, tracing),
        }
    )
    return service, TestClient(create_app(desk), base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


@pytest.mark.drill("R22")
def test_a_request_is_one_span_with_its_stages_and_without_a_word_of_it(home: Path, collector: Collector) -> None:
    _, client = traced(home, collector.url)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with client:
        answer = client.post(
            "/v1/ask",
            json={"question": f"How long does a back spasm last? {PLANTED}", "conversation_id": PLANTED[:14]},
            headers={"traceparent": parent, "x-request-id": "request-12345678", "user-agent": PLANTED},
        )
        assert answer.status_code == 200
        client.get(f"/v1/documents/{PLANTED}")
        client.post("/v1/ask", json={"question": ""}, headers={"traceparent": PLANTED})
    spans = {span.name: span for span in collector.spans()}
    asked = next(span for span in collector.spans() if span.parent_span_id == bytes.fromhex("b7ad6b7169203331"))
    assert asked.name == "POST /v1/ask"
    assert asked.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    facts = {one.key: one.value for one in asked.attributes}
    assert facts["backline.request_id"].string_value == "request-12345678"
    assert facts["http.response.status_code"].int_value == 200
    for stage in ("triage", "embed", "search", "compose"):
        assert spans[stage].parent_span_id == asked.span_id
        assert asked.start_time_unix_nano <= spans[stage].start_time_unix_nano
        assert spans[stage].end_time_unix_nano <= asked.end_time_unix_nano + 1_000_000
    assert "GET /v1/documents/{document_id}" in spans
    assert all(PLANTED.encode() not in body and b"back spasm" not in body for body in collector.bodies)


def test_a_collector_that_is_not_there_delays_nobody(home: Path) -> None:
    _, client = traced(home, "http://127.0.0.1:9/v1/traces")
    with client:
        begin = time.monotonic()
        for _ in range(5):
            assert client.get("/healthz").status_code == 200
        assert time.monotonic() - begin < 5
