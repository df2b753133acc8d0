"""Every route of the application against every kind of caller: a new route that nobody has guarded fails here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.http.widget_tokens import TOKEN_SCOPES
from service.storage.keys import SCOPES, Scope
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import calls_of, check_problem

Call = tuple[str, str]

FREE: frozenset[Call] = frozenset(
    {
        ("GET", "/"),
        ("GET", "/docs"),
        ("GET", "/embed"),
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
    ("POST", "/v1/chat/completions"): frozenset({"ask"}),
    ("GET", "/v1/models"): frozenset({"ask"}),
    ("GET", "/v1/models/{name}"): frozenset({"ask"}),
    ("GET", "/metrics"): frozenset({"admin"}),
    ("GET", "/v1/answers/{answer_id}"): frozenset({"ask", "admin"}),
    ("DELETE", "/v1/conversations/{conversation_id}"): frozenset({"ask", "admin"}),
    ("POST", "/v1/feedback"): frozenset({"feedback"}),
    ("POST", "/v1/handoffs"): frozenset({"ask"}),
    ("POST", "/v1/verify"): frozenset({"ask", "search"}),
    ("GET", "/v1/sources"): frozenset({"ask", "search"}),
    ("GET", "/v1/collections"): frozenset({"ask", "search"}),
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

TOKENS: Call = ("POST", "/v1/widget-tokens")
"""Asks for an allowed origin in place of a key."""

SITE = "https://clinic.example"

FOR_SITES: frozenset[Call] = frozenset(
    {
        ("GET", "/widget.js"),
        ("GET", "/static/{name}"),
        TOKENS,
        ("POST", "/v1/ask"),
        ("POST", "/v1/search"),
        ("POST", "/v1/feedback"),
        ("POST", "/v1/handoffs"),
        ("GET", "/v1/answers/{answer_id}"),
    }
)
"""What pages of an allowed site may call."""

SIGNED: dict[Call, tuple[int, str]] = {
    ("POST", "/v1/hooks/{platform}/{connection}"): (401, "hook-refused"),
    ("GET", "/desk/{connection}/{answer_id}/{signature}"): (404, "not-found"),
    ("POST", "/desk/{connection}/{answer_id}/{signature}"): (404, "not-found"),
}
"""Needs a signature over its bytes or its address, whatever key comes along."""

BODIES: dict[Call, Any] = {
    ("POST", "/v1/ask"): {"question": "How long does a back spasm last?"},
    ("POST", "/v1/search"): {"query": "back spasm"},
    ("POST", "/v1/chat/completions"): {"messages": [{"role": "user", "content": "How long does a back spasm last?"}]},
    ("POST", "/v1/documents"): {"text": "Walking helps."},
    ("POST", "/v1/feedback"): {"answer_id": "ans_nothing", "verdict": "yes"},
    ("POST", "/v1/verify"): {"sentences": ["Walking helps."]},
    ("POST", "/v1/handoffs"): {"question": "Who can help me?", "answer_id": "ans_nothing"},
}


@pytest.fixture(scope="module", params=["loopback", "public"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("matrix") / "home"
    handoff: dict[str, Any] = {
        "handoff_secret": f"whsec_{'c2VjcmV0' * 4}",
        "handoff_url": "https://desk.example.org/hook",
    }
    opened = open_service(home, load_rules(), open_reading=request.param == "loopback", widget_origins=SITE, **handoff)
    with opened.client:
        yield opened


def call(service: Service, one: Call, headers: dict[str, str] | None = None) -> Any:
    method, path = one
    path = path.format(
        document_id="doc_nothing",
        answer_id="ans_nothing",
        conversation_id="conv_nothing",
        passage_id="p_nothing",
        name="page.css",
        platform="rt",
        connection="nothing",
        signature="0" * 32,
    )
    return service.client.request(method, path, json=BODIES.get(one), headers=headers)


def all_calls(service: Service) -> list[Call]:
    found = list(calls_of(service.client.app.routes))  # type: ignore[attr-defined] # the client holds a FastAPI
    assert len(found) == len(set(found)) > 10
    return found


def test_every_route_stands_in_the_table_and_the_table_holds_no_other(service: Service) -> None:
    assert set(all_calls(service)) == FREE | SIGNED.keys() | READING.keys() | WRITING.keys() | {TOKENS}


def test_without_a_key(service: Service) -> None:
    for one in all_calls(service):
        response = call(service, one)
        if one in SIGNED:
            check_problem(response, *SIGNED[one])
            continue
        if one in FREE or (one in READING and service.desk.open_reading):
            assert response.status_code in {200, 404}, one
        elif one == TOKENS:
            check_problem(response, 403, "foreign-origin")
        else:
            check_problem(response, 401, "no-key")
            assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer bl_wrong", "Basic YTpi", "bl_wrong", ""])
def test_with_a_wrong_key(service: Service, header: str) -> None:
    for one in all_calls(service):
        response = call(service, one, {"authorization": header})
        if one in SIGNED:
            check_problem(response, *SIGNED[one])
            continue
        if one in FREE:
            assert response.status_code == 200, one
        elif one == TOKENS:
            check_problem(response, 403, "foreign-origin")
        else:
            check_problem(response, 401, "no-key")


@pytest.mark.drill("R19")
@pytest.mark.parametrize("scope", SCOPES)
def test_with_a_key_of_one_scope(service: Service, scope: Scope) -> None:
    headers = service.key(scope)
    for one in all_calls(service):
        response = call(service, one, headers)
        if one in SIGNED:
            check_problem(response, *SIGNED[one])
            continue
        if one == TOKENS:
            check_problem(response, 403, "foreign-origin")
        elif one in FREE or scope in (READING | WRITING)[one]:
            assert response.status_code in {200, 202, 404}, (one, response.text)
        else:
            check_problem(response, 403, "key-not-allowed")


@pytest.mark.drill("R18")
def test_a_page_of_an_allowed_site_needs_a_token_and_gets_no_further_with_a_key(service: Service) -> None:
    key = service.key(*SCOPES)
    for headers in ({}, key, {"authorization": "Bearer bl_wrong"}):
        for one in all_calls(service):
            response = call(service, one, {**headers, "origin": SITE})
            if one not in FOR_SITES:
                check_refused(response, one, "foreign-origin")
                assert "access-control-allow-origin" not in response.headers
                continue
            assert response.headers["access-control-allow-origin"] == SITE
            if one in FREE or one == TOKENS:
                assert response.status_code == 200, one
            else:
                check_problem(response, 401, "no-token")


def test_a_token_opens_asking_and_searching_for_its_site_and_nothing_for_others(service: Service) -> None:
    token = service.token(SITE)
    for one in all_calls(service):
        response = call(service, one, {**token, "origin": SITE})
        if one in FOR_SITES:
            assert response.status_code in {200, 404}, (one, response.text)
        else:
            check_refused(response, one, "foreign-origin")
        for headers in (token, {**token, "origin": service.own_origin}):
            response = call(service, one, headers)
            if one in SIGNED:
                check_problem(response, *SIGNED[one])
            elif one in FREE or (one == TOKENS and "origin" in headers):
                assert response.status_code == 200, one
            elif one == TOKENS:
                check_problem(response, 403, "foreign-origin")
            else:
                check_problem(response, 403, "token-elsewhere")


def test_a_token_of_our_own_page_opens_only_its_scopes(service: Service) -> None:
    headers = {**service.token(service.own_origin), "origin": service.own_origin}
    for one in all_calls(service):
        response = call(service, one, headers)
        if one in SIGNED:
            check_problem(response, *SIGNED[one])
        elif one in FREE or one == TOKENS or TOKEN_SCOPES & (READING | WRITING)[one]:
            assert response.status_code in {200, 404}, one
        else:
            check_problem(response, 403, "key-not-allowed")


def check_refused(response: Any, one: Call, code: str) -> None:
    if one[0] == "HEAD":
        assert response.status_code == 403
    else:
        check_problem(response, 403, code)


@pytest.mark.drill("R18")
def test_from_a_foreign_page_even_with_a_key_of_all_scopes(service: Service) -> None:
    headers = service.key(*SCOPES)
    for one in all_calls(service):
        for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "http://127.0.0.1:9000"):
            for shown in (headers, service.token(SITE)):
                response = call(service, one, {**shown, "origin": origin})
                check_refused(response, one, "foreign-origin")
                assert response.headers.get("access-control-allow-origin") is None


@pytest.mark.drill("R18")
def test_under_a_foreign_host_even_with_a_key_of_all_scopes(service: Service) -> None:
    headers = service.key(*SCOPES)
    for one in all_calls(service):
        for host in ("evil.example", "127.0.0.1.evil.example:8000", "169.254.169.254"):
            response = call(service, one, {**headers, "host": host})
            assert response.status_code == 400, one
            if one[0] != "HEAD":
                check_problem(response, 400, "foreign-host")


def test_what_can_be_read_can_be_looked_at_without_its_body(service: Service) -> None:
    headers = service.key(*SCOPES)
    for method, path in all_calls(service):
        if method == "GET":
            whole = call(service, (method, path), headers)
            looked = call(service, ("HEAD", path), headers)
            assert (looked.status_code, looked.content) == (whole.status_code, b""), path
            assert looked.headers["content-type"] == whole.headers["content-type"]
        elif method == "POST" and (path, "GET") not in {(p, m) for m, p in all_calls(service)}:
            assert call(service, ("HEAD", path), headers).status_code == 405, path


def test_what_is_not_a_route_gives_nothing_away(service: Service) -> None:
    for path in ("/v1", "/v1/keys", "/admin", "/v1/documents/x/y", "/static/../app.py"):
        check_problem(service.client.get(path), 404, "not-found")
    for method, path in (("PUT", "/v1/documents"), ("PATCH", "/v1/documents/x"), ("DELETE", "/v1/ask")):
        check_problem(service.client.request(method, path), 405, "method-not-allowed")


@pytest.mark.drill("R19")
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
