"""Every route of the application against every kind of caller: a new route that nobody has guarded fails here."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import BaseRoute, Route

from service.storage.keys import SCOPES, Scope
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

Call = tuple[str, str]

FREE: frozenset[Call] = frozenset(
    {
        ("GET", "/"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("HEAD", "/openapi.json"),
        ("GET", "/widget.js"),
        ("GET", "/static/{name}"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    }
)
"""Pages and health: they hold nothing of anyone's and need no key anywhere."""

READING: dict[Call, frozenset[Scope]] = {
    ("POST", "/v1/ask"): frozenset({"ask"}),
    ("POST", "/v1/search"): frozenset({"search"}),
    ("GET", "/v1/sources"): frozenset({"ask", "search"}),
    ("GET", "/v1/documents"): frozenset({"ask", "search"}),
    ("GET", "/v1/documents/{document_id}"): frozenset({"ask", "search"}),
    ("GET", "/v1/passages/{passage_id}"): frozenset({"ask", "search"}),
}
"""Needs a key, but for the loopback interface."""

WRITING: dict[Call, frozenset[Scope]] = {
    ("POST", "/v1/documents"): frozenset({"ingest"}),
    ("DELETE", "/v1/documents/{document_id}"): frozenset({"ingest"}),
}
"""Needs a key everywhere."""

BODIES: dict[Call, Any] = {
    ("POST", "/v1/ask"): {"question": "How long does a back spasm last?"},
    ("POST", "/v1/search"): {"query": "back spasm"},
    ("POST", "/v1/documents"): {"text": "Walking helps."},
}


@pytest.fixture(scope="module", params=["loopback", "public"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("matrix") / "home"
    opened = open_service(home, load_rules(), open_reading=request.param == "loopback")
    with opened.client:
        yield opened


def calls_of(routes: Iterable[BaseRoute]) -> Iterator[Call]:
    """Yield method and path of every route; what is of an unknown kind is a fault, never passed over."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from calls_of(inner.routes)
        else:
            assert isinstance(route, Route) or hasattr(route, "methods"), f"{route} is of a kind that is not checked"
            for method in sorted(getattr(route, "methods", None) or ()):
                yield method, getattr(route, "path", "")


def call(service: Service, one: Call, headers: dict[str, str] | None = None) -> Any:
    method, path = one
    path = path.format(document_id="doc_nothing", passage_id="p_nothing", name="page.css")
    return service.client.request(method, path, json=BODIES.get(one), headers=headers)


def all_calls(service: Service) -> list[Call]:
    found = list(calls_of(service.client.app.routes))  # type: ignore[attr-defined] # the client holds a FastAPI
    assert len(found) == len(set(found)) > 10
    return found


def test_every_route_stands_in_the_table_and_the_table_holds_no_other(service: Service) -> None:
    assert set(all_calls(service)) == FREE | READING.keys() | WRITING.keys()


def test_without_a_key(service: Service) -> None:
    for one in all_calls(service):
        response = call(service, one)
        if one in FREE or (one in READING and service.desk.open_reading):
            assert response.status_code in {200, 404}, one
        else:
            check_problem(response, 401, "no-key")
            assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer bl_wrong", "Basic YTpi", "bl_wrong", ""])
def test_with_a_wrong_key(service: Service, header: str) -> None:
    for one in all_calls(service):
        response = call(service, one, {"authorization": header})
        if one in FREE:
            assert response.status_code == 200, one
        else:
            check_problem(response, 401, "no-key")


@pytest.mark.parametrize("scope", SCOPES)
def test_with_a_key_of_one_scope(service: Service, scope: Scope) -> None:
    headers = service.key(scope)
    for one in all_calls(service):
        response = call(service, one, headers)
        if one in FREE or scope in (READING | WRITING)[one]:
            assert response.status_code in {200, 202, 404}, (one, response.text)
        else:
            check_problem(response, 403, "key-not-allowed")


def test_from_a_foreign_page_even_with_a_key_of_all_scopes(service: Service) -> None:
    headers = service.key(*SCOPES)
    for one in all_calls(service):
        for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
            response = call(service, one, {**headers, "origin": origin})
            assert response.status_code == 403, one
            assert response.headers.get("access-control-allow-origin") is None
            if one[0] != "HEAD":
                check_problem(response, 403, "foreign-origin")


def test_under_a_foreign_host_even_with_a_key_of_all_scopes(service: Service) -> None:
    headers = service.key(*SCOPES)
    for one in all_calls(service):
        for host in ("evil.example", "127.0.0.1.evil.example:8000", "169.254.169.254"):
            response = call(service, one, {**headers, "host": host})
            assert response.status_code == 400, one
            if one[0] != "HEAD":
                check_problem(response, 400, "foreign-host")


def test_what_is_not_a_route_gives_nothing_away(service: Service) -> None:
    for path in ("/v1", "/v1/keys", "/admin", "/metrics", "/v1/documents/x/y", "/static/../app.py"):
        check_problem(service.client.get(path), 404, "not-found")
    for method, path in (("PUT", "/v1/documents"), ("PATCH", "/v1/documents/x"), ("DELETE", "/v1/ask")):
        check_problem(service.client.request(method, path), 405, "method-not-allowed")


def test_no_key_stands_in_any_file_or_log(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    headers = service.key(*SCOPES)
    secret = headers["authorization"].removeprefix("Bearer ")
    for one in all_calls(service):
        call(service, one, headers)
        call(service, one, {"authorization": f"{headers['authorization']}wrong"})
    assert secret[3:20] not in caplog.text
    files = [file for file in service.home.rglob("*") if file.is_file()]
    assert any(file.name == "backline.sqlite" for file in files)
    for file in files:
        assert secret[3:20].encode() not in read(file)


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # a snapshot that gave way meanwhile
        return b""
