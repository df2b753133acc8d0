"""R10: requests made from the API's own description, sound and unsound, get what the description says."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.storage.keys import SCOPES
from service.triage.screening import load_rules
from tests.drilling import rounds
from tests.service.http.running import listen, running
from tests.service.http.serving import open_service

INTENDED = frozenset({"not-ready", "overloaded", "widget-paused"})
"""Codes of the 503s that mean: not now."""


@dataclass
class Drill:
    """A service on a real port, and what came of the requests."""

    address: str
    schema: Any
    key: Mapping[str, str]
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def send(self, case: Case[Any], headers: Mapping[str, str]) -> None:
        """Send one request and hold the reply to the description; the first fault of a kind is kept."""
        response = case.call(base_url=self.address, headers=dict(headers), timeout=20)
        self.statuses[response.status_code] += 1
        kind = response.headers["content-type"][0]
        checks = [status_code_conformance, content_type_conformance]
        if kind != "text/event-stream; charset=utf-8":  # OpenAPI 3.1 has no words for the shape of an event
            checks.append(response_schema_conformance)
        if response.status_code != 503:
            checks.append(not_a_server_error)
        name = f"{case.operation.label} {response.status_code}"
        try:
            case.validate_response(response, checks=checks)
        except FailureGroup as found:
            self.faults.setdefault(name, str(found)[:2000])
        if response.status_code >= 400 and kind != "application/problem+json":
            self.faults.setdefault(name, kind)
        if response.status_code == 503 and (
            response.json()["code"] not in INTENDED or "retry-after" not in response.headers
        ):
            self.faults.setdefault(name, response.text)


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    with open_drill(tmp_path_factory.mktemp("described")) as opened:
        yield opened


@contextmanager
def open_drill(folder: Path) -> Iterator[Drill]:
    service = open_service(folder / "home", load_rules(), keep_answers=0)
    app: Any = service.client.app
    listener, address = listen()
    with running(app, listener):
        yield Drill(address, schemathesis.openapi.from_dict(app.openapi()), service.key(*SCOPES))


@pytest.mark.drill("R10")
def test_every_operation_gets_what_its_description_says(
    drill: Drill, record_property: Callable[[str, object], None]
) -> None:
    operations = [result.ok() for result in drill.schema.get_all_operations()]
    assert len(operations) > 15
    each = -(-rounds(1_000, 10_000) // (3 * len(operations)))  # some operations have fewer ways to be called
    for operation in operations:
        for mode in GenerationMode:
            for headers in ({}, drill.key):
                examine(drill, operation, mode, headers, each)
    record_property("requests", drill.statuses.total())
    record_property("statuses", ", ".join(f"{status}: {count}" for status, count in sorted(drill.statuses.items())))
    assert drill.faults == {}
    assert drill.statuses.total() >= rounds(1_000, 10_000)
    assert drill.statuses[200] > 50
    assert drill.statuses[422] > 50


def examine(drill: Drill, operation: Any, mode: GenerationMode, headers: Mapping[str, str], each: int) -> None:
    """Send so many generated requests of one kind to one operation."""

    @settings(
        max_examples=each,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        drill.send(case, headers)

    with suppress(Unsatisfiable):  # what takes nothing cannot be sent anything wrong
        send()
