from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

TEXT = "Most back spasms get better within two weeks."


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    opened = open_service(home, load_rules())
    with opened.client:
        yield opened


def verified(service: Service, **body: Any) -> list[dict[str, Any]]:
    response = service.client.post("/v1/verify", json=body)
    assert response.status_code == 200, response.text
    data: list[dict[str, Any]] = response.json()["data"]
    return data


def test_sentences_are_held_against_passages_that_are_sent(service: Service) -> None:
    changed = "Most back spasms get better within three weeks."
    one, two, three = verified(service, sentences=[TEXT, changed, "Owls hunt at night."], passages=["Hello. " + TEXT])
    assert (one["verdict"], one["quote"], one["source_start"], one["source_end"]) == ("verbatim", TEXT, 7, 52)
    assert (two["verdict"], two["faults"]) == ("contradicted", ["numbers"])
    assert two["reason"] == "A number or its unit differs."
    assert two["document_id"] is None
    assert (three["verdict"], three["quote"], three["similarity"]) == ("not_found", None, None)


def test_a_named_document_gives_the_span(service: Service) -> None:
    [found] = verified(service, sentences=["Gentle walking keeps the muscles loose."], document_ids=["doc_shipped"])
    document = service.client.get("/v1/documents/doc_shipped").json()
    assert document["text"][found["source_start"] : found["source_end"]] == found["quote"]
    assert found["verdict"] == "verbatim"


def test_without_texts_the_index_is_searched(service: Service) -> None:
    [found] = verified(service, sentences=[TEXT])
    assert (found["verdict"], found["document_id"]) == ("verbatim", "doc_shipped")
    assert found["passage_id"]
    document = service.client.get("/v1/documents/doc_shipped").json()
    assert document["text"][found["source_start"] : found["source_end"]] == TEXT


def test_a_kept_answer_is_checked_against_its_documents_as_they_are_now(service: Service) -> None:
    key = service.key("ingest")
    text = "# Quokkas\n\nQuokka stretches loosen a stiff quokka back within 3 days."
    body = {"markdown": text, "external_id": "q", "publisher": "Zoo"}
    assert service.client.post("/v1/documents", json=body, headers=key).status_code == 202
    service.wait_for_build()
    answer = service.client.post("/v1/ask", json={"question": "Do quokka stretches loosen a stiff quokka back?"}).json()
    assert answer["sentences"], answer
    [found] = verified(service, answer_id=answer["id"])
    assert (found["verdict"], found["passage_id"]) == ("verbatim", answer["citations"][0]["passage_id"])
    service.client.post("/v1/documents", json={**body, "markdown": text.replace("3 days", "5 weeks")}, headers=key)
    service.wait_for_build()
    [found] = verified(service, answer_id=answer["id"])
    assert (found["verdict"], found["faults"]) == ("contradicted", ["numbers"])
    service.client.delete(f"/v1/documents/{answer['citations'][0]['document_id']}", headers=key)
    [found] = verified(service, answer_id=answer["id"])
    assert (found["verdict"], found["faults"]) == ("not_found", ["gone"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answer_id": "a", "sentences": ["b"]},
        {"sentences": [" "]},
        {"sentences": ["a"] * 21},
        {"sentences": ["\x00"]},
    ],
)
def test_a_wrong_request_is_told(service: Service, body: dict[str, Any]) -> None:
    check_problem(service.client.post("/v1/verify", json=body), 422, "invalid-request")


def test_what_is_not_there_or_not_ones_own_is_not_found(service: Service) -> None:
    for body in ({"answer_id": "ans_none"}, {"sentences": ["a b"], "document_ids": ["doc_none"]}):
        check_problem(service.client.post("/v1/verify", json=body), 404, "not-found")
    mine = service.key("ask")
    answer = service.client.post("/v1/ask", json={"question": "How long does a spasm last?"}, headers=mine).json()
    check_problem(service.client.post("/v1/verify", json={"answer_id": answer["id"]}), 404, "not-found")
    other = {"sentences": ["a b"], "collection": "clinic"}
    keyed = service.client.post("/v1/verify", json=other, headers=service.key("ask", collections=["default"]))
    check_problem(keyed, 403, "key-not-allowed")
