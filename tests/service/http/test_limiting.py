"""Rates of keys, the queue before the model, and who is let in when others can reach the service."""

import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from service.http.app import connection_of
from service.http.authenticating import Asker
from service.http.limiting import COMPUTES, Admission
from service.http.problems import ProblemError
from service.storage.keys import create_key
from service.triage.loading import Rules
from service.triage.screening import load_rules
from tests.service.http.running import listen, running
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

QUESTION = {"question": "How long does a back spasm last?"}
SITE = "https://clinic.example"
Open = Callable[..., Service]


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def open_one(home: Any, rules: Rules) -> Iterator[Open]:
    with ExitStack() as stack:

        def opener(**settings: Any) -> Service:
            service = open_service(home, rules, **settings)
            stack.enter_context(service.client)
            return service

        yield opener


def key_of(service: Service, rate: int | None) -> dict[str, str]:
    secret, _ = create_key(service.database, "test", ["ask", "search"], rate=rate)
    return {"authorization": f"Bearer {secret}"}


def search(service: Service, headers: dict[str, str]) -> Any:
    return service.client.post("/v1/search", json={"query": "walking"}, headers=headers)


@pytest.mark.drill("R21")
def test_the_request_after_the_last_is_refused_in_every_worker_and_no_other_key_notices(open_one: Open) -> None:
    workers = open_one(open_reading=False), open_one(open_reading=False)
    limited, other, free = key_of(workers[0], 4), key_of(workers[0], 4), key_of(workers[0], None)
    for turn in range(4):
        response = search(workers[turn % 2], limited)
        assert response.status_code == 200
        assert response.headers["ratelimit-remaining"] == str(3 - turn)
    for worker in workers:
        refused = search(worker, limited)
        check_problem(refused, 429, "rate-limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit-limit"] == "4"
        assert search(worker, other).status_code == 200
        unlimited = search(worker, free)
        assert unlimited.status_code == 200
        assert "ratelimit-limit" not in unlimited.headers


def test_what_cannot_be_counted_is_refused_and_what_need_not_be_goes_on(open_one: Open) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens
        service = open_one(open_reading=False, redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        refused = search(service, key_of(service, 4))
        check_problem(refused, 503, "not-ready")
        assert refused.headers["retry-after"] == "5"
        assert search(service, key_of(service, None)).status_code == 200


def test_requests_at_the_same_moment_are_counted_one_by_one(open_one: Open) -> None:
    workers = open_one(open_reading=False), open_one(open_reading=False)
    limited = key_of(workers[0], 10)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda turn: search(workers[turn % 2], limited).status_code, range(24)))
    assert sorted(statuses) == [200] * 10 + [429] * 14


def test_reading_counts_as_well_and_a_refused_scope_does_not(open_one: Open) -> None:
    service = open_one(open_reading=False)
    secret, _ = create_key(service.database, "test", ["ask"], rate=2)
    headers = {"authorization": f"Bearer {secret}"}
    for _ in range(3):
        check_problem(search(service, headers), 403, "key-not-allowed")
    assert service.client.get("/v1/sources", headers=headers).status_code == 200
    assert service.client.get("/v1/sources", headers=headers).status_code == 200
    check_problem(service.client.get("/v1/sources", headers=headers), 429, "rate-limited")


def test_admission_lets_so_many_in_and_turns_the_next_away() -> None:
    admission = Admission(2)
    admission.enter()
    admission.enter()
    with pytest.raises(ProblemError) as caught:
        admission.enter()
    assert caught.value.code == "overloaded"
    assert int(caught.value.headers["retry-after"]) > 0
    admission.leave()
    admission.enter()
    assert admission.inside == 2


def test_a_full_queue_refuses_at_once_and_loses_nobody_who_waits(open_one: Open) -> None:
    service = open_one(max_waiting=3)
    admission: Admission = service.client.app.state.admission  # type: ignore[attr-defined] # the client holds a FastAPI
    with ThreadPoolExecutor(4) as pool:
        with service.desk.gate:
            waiting = [pool.submit(service.client.post, "/v1/ask", json=QUESTION) for _ in range(4)]
            service.wait(lambda: admission.inside == 4)
            for path in ("/v1/ask", "/v1/search", "/v1/verify", "/v1/chat/completions"):
                for body in (b"{}", b"not json", b"x" * 900_000):  # nothing is read: refusing costs next to nothing
                    refused = service.client.post(path, content=body)
                    check_problem(refused, 503, "overloaded")
                    assert int(refused.headers["retry-after"]) > 0
            assert service.client.get("/healthz").status_code == 200
            assert service.client.get("/v1/sources").status_code == 200
        assert [one.result().status_code for one in waiting] == [200] * 4
    assert admission.inside == 0
    assert service.client.post("/v1/ask", json={"question": ""}).status_code == 422
    assert service.client.post("/v1/ask", json=QUESTION, headers={"authorization": "x"}).status_code == 401
    assert admission.inside == 0


def test_the_short_way_out_says_what_the_door_would_say(open_one: Open) -> None:
    service = open_one(max_waiting=0)
    app = service.client.app
    assert isinstance(app, FastAPI)
    app.state.admission.enter()
    listener, address = listen()
    with running(app, listener, connection_of(app)), httpx.Client(base_url=address) as client:
        for path in sorted(COMPUTES):
            own = {"origin": "http://127.0.0.1", "host": "127.0.0.1"}  # the door looks at whatever names an origin
            by_door = client.post(path, content=b"{}", headers={**own, "x-request-id": "long-way-1"})
            short = client.post(path, content=b"{}", headers={"x-request-id": "short-way-1"})
            assert (by_door.status_code, short.status_code) == (503, 503)
            assert short.json() == by_door.json() | {"request_id": "short-way-1"}
            ids = {"x-request-id", "content-length", "date"}
            assert {k: v for k, v in short.headers.items() if k not in ids} == {
                k: v for k, v in by_door.headers.items() if k not in ids
            }
            assert short.headers["x-request-id"] == "short-way-1"
            assert client.post(path, content=b"{}").json()["request_id"] != ""
            strange = client.post(path, content=b"{}", headers={"x-request-id": 'a"b'})
            assert re.fullmatch(r"[0-9a-f]{24}", strange.json()["request_id"])
            check_problem(client.post(path, content=b"{}", headers={"host": "evil.example"}), 400, "foreign-host")
            check_problem(client.post(path, content=b"x" * 1_000_001), 413, "body-too-large")
            foreign = client.post(path, content=b"{}", headers={"origin": "https://evil.example"})
            check_problem(foreign, 403, "foreign-origin")
        counted = client.get("/metrics").text
    assert re.search(r'backline_requests_total\{[^}]*status="503"\} \d', counted)


def test_who_sends_slowly_takes_no_place(open_one: Open) -> None:
    service = open_one(max_waiting=0)
    listener, address = listen()
    port = listener.getsockname()[1]
    head = f"POST /v1/ask HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n"
    with running(service.client.app, listener), ExitStack() as stack:
        for _ in range(20):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            slow.sendall(head.encode() + b'{"question": ')
        admission: Admission = service.client.app.state.admission  # type: ignore[attr-defined] # likewise
        with TestClient(service.client.app, base_url=address) as client:
            assert client.post("/v1/ask", json=QUESTION).status_code == 200
        assert admission.inside == 0


def test_the_routes_know_who_asks(open_one: Open) -> None:
    service = open_one(widget_origins=SITE)
    secret, key = create_key(service.database, "desk", ["ask"])

    def tell(request: Request, caller: Asker) -> dict[str, str]:
        assert request.state.asker == caller.asker
        return {"asker": caller.asker}

    service.client.app.add_api_route("/v1/ask", tell, methods=["PUT"])  # type: ignore[attr-defined] # likewise

    def asker(**headers: str) -> str:
        return str(service.client.put("/v1/ask", headers=headers).json()["asker"])

    assert asker() == "loopback"
    assert asker(authorization=f"Bearer {secret}") == key.id
    token = service.token(service.own_origin)
    assert asker(**token, origin=service.own_origin).startswith("tok_")


def test_under_public_ask_anyone_asks_of_what_is_public_and_nothing_else(open_one: Open) -> None:
    service = open_one(open_reading=True, public=True, public_collections="default leaflets")
    client = service.client
    assert client.post("/v1/ask", json=QUESTION).status_code == 200
    assert client.post("/v1/ask", json={**QUESTION, "filters": {"collection": "leaflets"}}).status_code == 200
    check_problem(client.post("/v1/ask", json={**QUESTION, "filters": {"collection": "staff"}}), 403, "key-not-allowed")
    check_problem(client.get("/v1/documents?collection=staff"), 403, "key-not-allowed")
    check_problem(client.post("/v1/documents", json={"text": "Walking helps."}), 401, "no-key")
    check_problem(client.get("/metrics"), 401, "no-key")


def test_under_public_ask_nobody_steps_into_the_conversation_of_another(open_one: Open) -> None:
    client = open_one(open_reading=True, public=True).client
    named = {**QUESTION, "conversation_id": "conv_of_mine"}
    first, second = (client.post("/v1/ask", json=named).json()["conversation_id"] for _ in range(2))
    assert len({first, second, "conv_of_mine"}) == 3


def test_a_name_is_served_once_it_is_set_and_its_page_may_call(open_one: Open) -> None:
    service = open_one(hosts="ask.example")

    def ask(**headers: str) -> Any:
        return service.client.post("/v1/ask", json=QUESTION, headers=headers)

    assert ask(host="ask.example", origin="https://ask.example").status_code == 200
    assert ask(host="ASK.example:443", origin="https://ask.example").status_code == 200
    check_problem(ask(host="other.example"), 400, "foreign-host")
    check_problem(ask(host="ask.example", origin="https://evil.example"), 403, "foreign-origin")
    check_problem(ask(host="ask.example", origin="http://127.0.0.1:8000"), 403, "foreign-origin")
    check_problem(ask(host="ask.example:8443", origin="https://ask.example"), 403, "foreign-origin")


def test_pages_and_data_are_compressed_and_streams_are_not(open_one: Open) -> None:
    client = open_one().client
    for path in ("/", "/static/styles.js", "/openapi.json", "/docs"):
        response = client.get(path, headers={"accept-encoding": "gzip"})
        assert response.headers["content-encoding"] == "gzip", path
        assert "accept-encoding" in response.headers["vary"].lower()
        plain = client.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert int(response.headers["content-length"]) < len(plain.content)
    stream = client.post("/v1/ask", json={**QUESTION, "stream": True}, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in stream.headers


def test_a_file_that_did_not_change_is_not_sent_again(open_one: Open) -> None:
    client = open_one().client
    first = client.get("/widget.js")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/widget.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/widget.js", headers={"if-none-match": '"other"'}).status_code == 200
    assert client.get("/static/styles.js").headers["etag"] != first.headers["etag"]
