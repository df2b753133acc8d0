"""Tokens of the widget over HTTP: who gets one, what it opens, and everything that it does not."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.http.widget_tokens import TOKEN_SECONDS, WidgetToken, sign_token
from service.storage.widget import SigningKey, current_signing_key, drop_signing_keys, set_paused
from service.triage.loading import Rules
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

SITE, OTHER_SITE = "https://clinic.example", "https://gym.example:8443"
QUESTION = {"question": "How long does a back spasm last?"}
Open = Callable[..., Service]


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def open_one(home: Path, rules: Rules) -> Iterator[Open]:
    entered = []

    def opener(**settings: Any) -> Service:
        service = open_service(home, rules, **{"widget_origins": f"{SITE} {OTHER_SITE}", **settings})
        service.client.__enter__()
        entered.append(service.client)
        return service

    yield opener
    for client in entered:
        client.__exit__(None, None, None)


def mint(service: Service, origin: str | None = SITE, **body: Any) -> Any:
    headers = {} if origin is None else {"origin": origin}
    return service.client.post("/v1/widget-tokens", json=body, headers=headers)


def ask(service: Service, token: str, origin: str = SITE, **more: Any) -> Any:
    headers = {"authorization": f"Bearer {token}", "origin": origin}
    return service.client.post("/v1/ask", json={**QUESTION, **more}, headers=headers)


def forged(service: Service, **changes: Any) -> str:
    """A token signed with the service's own key: only for faults that the signature does not show."""
    values = {"subject": "tok_x", "origin": SITE, "collection": "default", "expires": int(time.time()) + 60, **changes}
    return sign_token(WidgetToken(**values), current_signing_key(service.database))


def test_a_page_of_an_allowed_site_gets_a_token_that_answers(open_one: Open) -> None:
    service = open_one(open_reading=False)
    response = mint(service)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert (body["expires_in"], body["collection"]) == (TOKEN_SECONDS, "default") == (600, "default")
    assert ask(service, body["token"]).json()["object"] == "answer"
    empty = service.client.post("/v1/widget-tokens", headers={"origin": SITE})
    assert empty.json()["collection"] == "default"


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://clinic.example", "https://clinic.example.evil.example"]
)
def test_no_other_page_gets_one(open_one: Open, origin: str | None) -> None:
    check_problem(mint(open_one(), origin), 403, "foreign-origin")


def test_an_origin_in_the_body_is_refused_whatever_it_says(open_one: Open) -> None:
    service = open_one()
    check_problem(mint(service, origin="https://evil.example", collection="default"), 403, "foreign-origin")
    for claimed in (SITE, "https://evil.example"):
        response = service.client.post("/v1/widget-tokens", json={"origin": claimed}, headers={"origin": SITE})
        check_problem(response, 422, "invalid-request")


def test_an_empty_list_means_that_nobody_gets_one(open_one: Open) -> None:
    service = open_one(widget_origins="")
    for origin in (SITE, service.own_origin):
        response = mint(service, origin)
        check_problem(response, 403, "foreign-origin")
        assert "BACKLINE_WIDGET_ORIGINS" in response.json()["detail"]


def test_our_own_page_gets_one_as_soon_as_a_site_is_allowed(open_one: Open) -> None:
    service = open_one(open_reading=False)
    token = mint(service, service.own_origin).json()["token"]
    assert ask(service, token, service.own_origin).status_code == 200


def test_a_token_of_one_site_is_refused_on_another_and_without_any(open_one: Open) -> None:
    service = open_one()
    token = mint(service).json()["token"]
    for origin in (OTHER_SITE, service.own_origin):
        response = ask(service, token, origin)
        check_problem(response, 403, "token-elsewhere")
    bare = service.client.post("/v1/ask", json=QUESTION, headers={"authorization": f"Bearer {token}"})
    check_problem(bare, 403, "token-elsewhere")


def test_a_token_that_has_ended_is_refused_and_says_how_to_go_on(
    open_one: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = open_one()
    token = mint(service).json()["token"]
    now = time.time()
    monkeypatch.setattr("service.http.authenticating.time.time", lambda: now + TOKEN_SECONDS - 2)
    assert ask(service, token).status_code == 200
    monkeypatch.setattr("service.http.authenticating.time.time", lambda: now + TOKEN_SECONDS + 1)
    response = ask(service, token)
    check_problem(response, 401, "token-expired")
    assert "POST /v1/widget-tokens" in response.json()["detail"]
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert response.headers["access-control-allow-origin"] == SITE


def test_a_token_that_was_changed_or_made_elsewhere_is_refused(open_one: Open) -> None:
    service = open_one()
    token = mint(service).json()["token"]
    prefix, key_id, payload, signature = token.split(".")
    longer = json.dumps(["tok_x", SITE, "default", 9_999_999_999])
    stolen = base64.b64encode(longer.encode(), altchars=b"-~").decode().rstrip("=")
    foreign_key = sign_token(WidgetToken("tok_x", SITE, "default", 9_999_999_999), SigningKey(key_id, b"x" * 32))
    changed = [
        f"{prefix}.{key_id}.{stolen}.{signature}",
        f"{prefix}.{key_id}.{payload}.{signature[:-1]}",
        f"{prefix}.{key_id}.{payload}.",
        f"{prefix}.{key_id}.{payload}",
        f"{prefix}.ffffffff.{payload}.{signature}",
        f"{prefix}...",
        f"{prefix}.{key_id}.{payload}.{signature}.{signature}",
        f"{prefix}.{key_id}.{'x' * 5000}.{signature}",
        foreign_key,
    ]
    for one in changed:
        check_problem(ask(service, one), 401, "token-invalid")
    assert ask(service, token).status_code == 200


def test_a_token_opens_one_collection(open_one: Open) -> None:
    service = open_one(public_collections="default clinic")
    check_problem(mint(service, collection="staff"), 403, "key-not-allowed")
    token = mint(service, collection="clinic").json()["token"]
    check_problem(ask(service, token), 403, "key-not-allowed")
    assert ask(service, token, filters={"collection": "clinic"}).status_code == 200


def test_a_page_that_shows_its_last_token_stays_the_same_visitor(open_one: Open) -> None:
    service = open_one()
    first = mint(service).json()["token"]

    def subject(shown: str, origin: str = SITE) -> str:
        headers = {"origin": origin, "authorization": f"Bearer {shown}"}
        token = service.client.post("/v1/widget-tokens", headers=headers).json()["token"]
        payload = token.split(".")[2]
        return str(json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-~"))[0])

    own = subject(first)
    assert own.startswith("tok_")
    assert subject(first) == own
    assert subject(forged(service, subject="tok_late", expires=int(time.time()) - 80_000)) == "tok_late"
    assert subject(forged(service, subject="tok_late", expires=int(time.time()) - 90_000)) != "tok_late"
    assert subject(first, OTHER_SITE) != own
    middle = len(first) - 10  # every bit of the last character need not count
    assert subject(first[:middle] + ("A" if first[middle] != "A" else "B") + first[middle + 1 :]) != own
    assert subject("nonsense") != own


def test_a_visitor_has_a_rate_of_its_own(open_one: Open) -> None:
    service = open_one(widget_rate=2)
    token, neighbour = (mint(service).json()["token"] for _ in range(2))
    first = ask(service, token)
    assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("2", "1")
    assert ask(service, token).status_code == 200
    refused = ask(service, token)
    check_problem(refused, 429, "rate-limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "retry-after" in refused.headers["access-control-expose-headers"]
    assert ask(service, neighbour).status_code == 200


def test_a_site_and_the_installation_have_a_daily_budget_in_every_worker(open_one: Open) -> None:
    one, two = (open_one(widget_daily=2, widget_daily_total=3) for _ in range(2))
    here, there = mint(one).json()["token"], mint(two, OTHER_SITE).json()["token"]
    assert ask(one, here).status_code == 200
    assert ask(two, here).status_code == 200
    for worker in (one, two):
        refused = ask(worker, here)
        check_problem(refused, 429, "over-budget")
        assert 1 <= int(refused.headers["retry-after"]) <= 86_400
    assert ask(one, there, OTHER_SITE).status_code == 200
    check_problem(ask(two, there, OTHER_SITE), 429, "over-budget")


def test_no_more_tokens_than_questions_are_given_out(open_one: Open) -> None:
    service = open_one(widget_daily=2)
    assert [mint(service).status_code for _ in range(3)] == [200, 200, 429]
    assert mint(service, OTHER_SITE).status_code == 200


def test_the_pause_holds_from_the_next_request_on_in_every_worker(open_one: Open) -> None:
    one, two = open_one(), open_one()
    token = mint(one).json()["token"]
    assert ask(two, token).status_code == 200
    set_paused(one.database, paused=True)
    for worker in (one, two):
        for response in (ask(worker, token), mint(worker)):
            check_problem(response, 503, "widget-paused")
            assert int(response.headers["retry-after"]) > 0
        assert worker.client.post("/v1/ask", json=QUESTION).status_code == 200
    set_paused(one.database, paused=False)
    assert ask(two, token).status_code == 200


def test_dropping_the_signing_keys_ends_every_token(open_one: Open) -> None:
    one, two = open_one(), open_one()
    token = mint(one).json()["token"]
    assert ask(two, token).status_code == 200
    assert drop_signing_keys(one.database) == 1
    for worker in (one, two):
        check_problem(ask(worker, token), 401, "token-invalid")
    assert ask(one, mint(two).json()["token"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "method"),
    [("/v1/ask", "POST"), ("/v1/search", "POST"), ("/v1/feedback", "POST"), ("/v1/handoffs", "POST"),
     ("/v1/widget-tokens", "POST"), ("/widget.js", "GET"), ("/static/styles.js", "GET")],
)  # fmt: skip
def test_a_preflight_is_answered_for_allowed_sites_alone(open_one: Open, path: str, method: str) -> None:
    service = open_one()
    wants = {"access-control-request-method": method, "access-control-request-headers": "authorization,content-type"}
    response = service.client.options(path, headers={"origin": SITE, **wants})
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == SITE
    assert response.headers["access-control-allow-methods"] == method
    assert {"authorization", "content-type"} <= set(response.headers["access-control-allow-headers"].split(", "))
    assert "Origin" in response.headers["vary"]
    assert "access-control-allow-credentials" not in response.headers
    for origin, asked in (("https://evil.example", method), ("null", method), (SITE, "DELETE"), (SITE, "PUT")):
        refused = service.client.options(
            path, headers={"origin": origin, **wants, "access-control-request-method": asked}
        )
        check_problem(refused, 403, "foreign-origin")
        assert "access-control-allow-origin" not in refused.headers


def test_no_preflight_opens_writing(open_one: Open) -> None:
    wants = {"origin": SITE, "access-control-request-method": "POST"}
    check_problem(open_one().client.options("/v1/documents", headers=wants), 403, "foreign-origin")


def test_no_response_ever_shares_with_all_or_with_credentials(open_one: Open) -> None:
    service = open_one()
    token = mint(service).json()["token"]
    responses = [
        *(mint(service, origin) for origin in (SITE, "https://evil.example", None, service.own_origin)),
        ask(service, token), ask(service, "wt1.x.y.z"), ask(service, token, OTHER_SITE),
        service.client.get("/widget.js"), service.client.get("/widget.js", headers={"origin": SITE}),
    ]  # fmt: skip
    for response in responses:
        assert response.headers.get("access-control-allow-origin") in {None, SITE, OTHER_SITE}
        assert "access-control-allow-credentials" not in response.headers


def test_a_stream_is_shared_with_the_site(open_one: Open) -> None:
    service = open_one()
    response = ask(service, mint(service).json()["token"], stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["access-control-allow-origin"] == SITE
    assert "content-encoding" not in response.headers
    assert response.text.rstrip().split("\n\n")[-1].startswith("event: done")


def test_no_key_is_in_anything_that_a_page_gets(open_one: Open) -> None:
    service = open_one()
    secret = service.key("ask", "search", "feedback")["authorization"].removeprefix("Bearer ")
    token = mint(service)
    static = [path.name for path in (Path(__file__).parents[3] / "service" / "widget" / "static").iterdir()]
    pages = [
        service.client.get(path) for path in ("/", "/embed", "/widget.js", *(f"/static/{name}" for name in static))
    ]
    assert len(pages) > 15
    for response in (*pages, token, ask(service, token.json()["token"])):
        assert response.status_code == 200
        assert secret not in response.text
        assert not re.search(r"\bbl_", response.text)


def test_no_token_looks_like_a_key() -> None:
    for number in range(300):
        token = WidgetToken(f"tok_{number}", f"https://site-{number}.example", "bl_", number)
        assert "_" not in sign_token(token, SigningKey("ab", bytes([number % 256]) * 32))


def test_the_embedded_page_names_the_sites_that_may_frame_it(open_one: Open) -> None:
    service = open_one(public_collections="default clinic")
    response = service.client.get("/embed?collection=clinic&locale=de")
    assert f"frame-ancestors {SITE} {OTHER_SITE};" in response.headers["content-security-policy"]
    assert 'collection="clinic"' in response.text
    assert 'token-url="/v1/widget-tokens"' in response.text
    assert "frame-ancestors 'none'" in service.client.get("/").headers["content-security-policy"]
    check_problem(service.client.get("/embed?collection=staff"), 404, "not-found")
    check_problem(service.client.get('/embed?locale="><script>'), 422, "invalid-request")


def test_without_sites_nobody_may_frame_it(open_one: Open) -> None:
    response = open_one(widget_origins="").client.get("/embed")
    assert "frame-ancestors 'none';" in response.headers["content-security-policy"]
