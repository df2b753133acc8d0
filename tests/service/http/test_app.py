import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient

from service.answering.replying import Replier
from service.http.app import create_app
from service.http.problems import MEDIA_TYPE
from service.http.state import Desk
from service.serving import Serving
from service.settings import Settings

SECRET = "zebra-7-quokka"


@pytest.fixture(scope="module")
def client(replier: Replier) -> Iterator[TestClient]:
    settings = Settings(home=Path("unused"), max_body_bytes=100_000)
    with TestClient(
        create_app(Desk(settings, Serving(replier), "fake")),
        base_url="http://127.0.0.1:8000",
        raise_server_exceptions=False,
    ) as opened:
        yield opened


def calls_of(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route; what is of an unknown kind is a fault, never passed over."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from calls_of(inner.routes)
        else:
            assert isinstance(route, Route) or hasattr(route, "methods"), f"{route} is of a kind that is not checked"
            for method in sorted(getattr(route, "methods", None) or ()):
                yield method, getattr(route, "path", "")


def check_problem(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    assert SECRET not in response.text


def test_an_answer_proves_itself_over_http(client: TestClient) -> None:
    body = client.post("/v1/ask", json={"question": "How long does a back spasm last?"}).json()
    assert body["status"] == "answered"
    for citation in body["citations"]:
        document = client.get(f"/v1/documents/{citation['document_id']}").json()
        assert document["version"] == citation["document_version"]
        assert document["text"][citation["source_start"] : citation["source_end"]] == citation["quote"]
        assert citation["publisher"]
        assert citation["digest"]
    for sentence in body["sentences"]:
        assert body["answer"][sentence["start"] : sentence["end"]] == sentence["text"]


def test_the_notice_comes_first_in_the_object(client: TestClient) -> None:
    body = client.post("/v1/ask", json={"question": "my back hurts and I can't feel when I wipe"}).text
    parsed = json.loads(body)
    assert next(iter(parsed)) == "triage"
    assert parsed["triage"]["level"] == "emergency"
    assert parsed["triage"]["urgent"] is True


def test_poisoning_stands_alone(client: TestClient) -> None:
    body = client.post("/v1/ask", json={"question": "I took too many painkillers for my back"}).json()
    assert body["status"] == "withheld"
    assert body["sentences"] == []
    assert body["triage"]["level"] == "emergency"


def test_search_screens_too(client: TestClient) -> None:
    body = client.post("/v1/search", json={"query": "back pain and I wet myself without noticing", "top_k": 3}).json()
    assert body["triage"]["level"] == "emergency"
    assert [row["rank"] for row in body["data"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"question": ""}, 422, "invalid-request"),
        ({"question": "   "}, 422, "invalid-request"),
        ({}, 422, "invalid-request"),
        ({"question": 5}, 422, "invalid-request"),
        ({"question": [SECRET]}, 422, "invalid-request"),
        ({"question": f"{SECRET}\x00"}, 422, "invalid-request"),
        ({"question": SECRET * 700}, 422, "invalid-request"),
        ({"question": "a", SECRET: 1}, 422, "invalid-request"),
        ({"question": "a", "mode": SECRET}, 422, "invalid-request"),
        ({"question": "a", "top_k": 0}, 422, "invalid-request"),
        ({"question": "a", "filters": {SECRET: 1}}, 422, "invalid-request"),
        ({"question": "a", "history": [SECRET] * 21}, 422, "invalid-request"),
        ([SECRET], 422, "invalid-request"),
        (SECRET, 422, "invalid-request"),
    ],
)
def test_bad_input_is_a_problem_that_says_what_to_do(client: TestClient, body: object, status: int, code: str) -> None:
    response = client.post("/v1/ask", json=body)
    check_problem(response, status, code)
    assert response.json()["errors"]


@pytest.mark.parametrize("content", [b"{", b"not json zebra-7-quokka", b'{"question": "a"', b"\xff\xfe\x00"])
def test_what_is_no_json_is_refused(client: TestClient, content: bytes) -> None:
    response = client.post("/v1/ask", content=content, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
    check_problem(response, response.status_code, response.json()["code"])


def test_a_lone_surrogate_is_refused(client: TestClient) -> None:
    response = client.post(
        "/v1/ask", content=b'{"question": "\\ud800 back"}', headers={"content-type": "application/json"}
    )
    assert response.status_code == 422


def test_a_large_body_is_refused_by_its_length(client: TestClient) -> None:
    check_problem(client.post("/v1/ask", json={"question": SECRET * 20_000}), 413, "body-too-large")


def test_a_large_body_without_a_length_is_refused_as_it_comes(client: TestClient) -> None:
    chunks = (b"x" * 1000 for _ in range(1000))
    response = client.post("/v1/ask", content=chunks, headers={"content-type": "application/json"})
    check_problem(response, 413, "body-too-large")


def test_a_wrong_content_type_is_refused(client: TestClient) -> None:
    response = client.post("/v1/ask", content=b"question=a", headers={"content-type": "text/plain"})
    check_problem(response, 415, "wrong-content-type")
    assert "application/json" in response.json()["detail"]
    form = client.post("/v1/ask", files={"question": ("a.txt", b"a")})
    check_problem(form, 415, "wrong-content-type")


def test_unknown_addresses_and_methods(client: TestClient) -> None:
    check_problem(client.get("/nowhere"), 404, "not-found")
    check_problem(client.get("/v1/documents/nothing"), 404, "not-found")
    check_problem(client.get("/static/..%2Fpages.py"), 404, "not-found")
    check_problem(client.get("/v1/ask"), 405, "method-not-allowed")


def test_a_foreign_host_and_a_foreign_page_are_refused(client: TestClient) -> None:
    check_problem(client.get("/healthz", headers={"host": "evil.example"}), 400, "foreign-host")
    body = {"question": "What is a back spasm?"}
    check_problem(client.post("/v1/ask", json=body, headers={"origin": "https://evil.example"}), 403, "foreign-origin")
    check_problem(client.post("/v1/ask", json=body, headers={"origin": "null"}), 403, "foreign-origin")
    same = client.post("/v1/ask", json=body, headers={"origin": "http://127.0.0.1:8000"})
    assert same.status_code == 200


def test_a_fault_of_ours_says_nothing_of_the_question(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Replier, "reply", fail)
    check_problem(client.post("/v1/ask", json={"question": SECRET}), 500, "internal-error")
    assert SECRET not in caplog.text


def test_a_given_request_id_comes_back_and_a_wild_one_does_not(client: TestClient) -> None:
    assert client.get("/healthz", headers={"x-request-id": "abc-12345"}).headers["x-request-id"] == "abc-12345"
    assert client.get("/healthz", headers={"x-request-id": "a b\tc"}).headers["x-request-id"] != "a b\tc"


def test_ready_says_what_serves_and_that_no_clinician_has_reviewed(client: TestClient) -> None:
    body = client.get("/readyz").json()
    assert body["status"] == "ready"
    assert body["model"] == "stems@1"
    assert body["rules_reviewed_by"] is None
    assert "No clinician" in body["notice"]


def test_sources_carry_licence_credit_and_evidence(client: TestClient) -> None:
    rows = {row["id"]: row for row in client.get("/v1/sources").json()["data"]}
    assert len(rows) == 26
    assert "MedlinePlus" in rows["medlineplus-back-pain"]["credit"]
    assert rows["ninds-back-pain"]["evidence"]["source"] > 5
    assert all(row["passages"] > 0 and row["licence"] for row in rows.values())


def test_the_reference_is_served_without_scripts(client: TestClient) -> None:
    page = client.get("/docs")
    assert "POST /v1/ask" in page.text
    assert "<script" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_the_openapi_document_lists_every_address(client: TestClient) -> None:
    served = {path for _, path in calls_of(client.app.routes) if path.startswith("/v1/")}  # type: ignore[attr-defined] # the client holds a FastAPI
    listed = set(client.get("/openapi.json").json()["paths"])
    assert "/v1/ask" in served
    assert served <= listed
    assert listed - served == {"/healthz", "/readyz", "/metrics"}


def test_the_ask_page_has_a_policy_with_a_nonce(client: TestClient) -> None:
    first, second = client.get("/"), client.get("/")
    assert "<backline-ask" in first.text
    policy = first.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy != second.headers["content-security-policy"]


def fold(stream: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in stream.split("\n\n") if block]
    return [(block[0].removeprefix("event: "), json.loads(block[1].removeprefix("data: "))) for block in blocks]


@pytest.mark.parametrize(
    "question",
    [
        "What is a back spasm?",
        "Who painted the Mona Lisa?",
        "my back hurts and I can't feel when I wipe",
        "took too many pills",
    ],
)
def test_folding_the_stream_gives_the_plain_reply(client: TestClient, question: str) -> None:
    plain = client.post("/v1/ask", json={"question": question}).json()
    response = client.post("/v1/ask", json={"question": question, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = fold(response.text)
    assert events[-1][0] == "done"
    done = events[-1][1]
    for reply in (plain, done):
        for field in ("id", "created", "timings_ms"):
            del reply[field]
    assert done == plain
    named = [name for name, _ in events]
    assert named.count("triage") == (plain["triage"] is not None)
    assert named[0] == ("triage" if plain["triage"] else "passages")
    assert [data["sentence"] for name, data in events if name == "sentence"] == plain["sentences"]


def test_a_passage_can_be_read_and_stands_in_its_document(client: TestClient) -> None:
    hit = client.post("/v1/search", json={"query": "bed rest", "top_k": 1}).json()["data"][0]
    passage = client.get(f"/v1/passages/{hit['id']}").json()
    document = client.get(f"/v1/documents/{passage['document_id']}").json()
    assert document["version"] == passage["document_version"]
    assert document["text"][passage["source_start"] : passage["source_end"]] == passage["text"]
    check_problem(client.get("/v1/passages/nothing"), 404, "not-found")


def test_the_sources_of_a_warning_can_be_opened(client: TestClient) -> None:
    body = client.post("/v1/ask", json={"question": "my back hurts and I can't feel when I wipe"}).json()
    assert all(source["url"].startswith("https://") and source["publisher"] for source in body["triage"]["sources"])
