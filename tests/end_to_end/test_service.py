"""From a question over real HTTP to its proof, with the real model."""

import hashlib
import json
import urllib.error
import urllib.request
from typing import Any

import pytest


def call(address: str, path: str, body: bytes | dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    request = urllib.request.Request(address + path, data, {"content-type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - our own loopback address
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_length_of_a_spasm_with_figures_and_proof(server: str) -> None:
    status, reply = call(server, "/v1/ask", {"question": "How long does a back spasm last?"})
    assert status == 200
    assert reply["status"] == "answered"
    assert "several hours to several days" in reply["answer"]
    assert len(reply["citations"]) >= 1
    for citation in reply["citations"]:
        _, document = call(server, f"/v1/documents/{citation['document_id']}")
        text = document["text"]
        assert text[citation["source_start"] : citation["source_end"]] == citation["quote"]
        assert f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" == citation["document_version"]
        assert citation["publisher"]
        assert citation["url"].startswith("https://")
    assert reply["triage"] is None or not reply["triage"]["urgent"]


def test_numb_when_wiping_is_an_emergency_first(server: str) -> None:
    _, reply = call(server, "/v1/ask", {"question": "my back hurts and I can't feel when I wipe"})
    assert next(iter(reply)) == "triage"
    assert reply["triage"]["level"] == "emergency"
    assert "RF01" in [rule["id"] for rule in reply["triage"]["rules"]]


def test_paris_is_none_of_our_business(server: str) -> None:
    _, reply = call(server, "/v1/ask", {"question": "what is the capital of France"})
    assert reply["status"] == "abstained"
    assert reply["abstention"]["reason"] == "out_of_scope"
    assert reply["answer"] == ""


def test_the_probability_names_the_set_it_was_fitted_on(server: str) -> None:
    _, reply = call(server, "/v1/ask", {"question": "Is bed rest good for back pain?"})
    assert reply["probability"]["value"] > reply["probability"]["threshold"]
    assert "answers.dev" in reply["probability"]["calibrated_on"]


def test_the_same_question_gets_the_same_reply(server: str) -> None:
    replies = [call(server, "/v1/ask", {"question": "heat or ice for a sore back?"})[1] for _ in range(2)]
    for reply in replies:
        for field in ("id", "conversation_id", "created", "timings_ms"):
            del reply[field]
    assert replies[0] == replies[1]


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"question": ""}', b'{"question": 1}', b'{"question": "a\\u0000b"}', b"[]"]
)
def test_bad_input_is_a_problem(server: str, body: bytes) -> None:
    status, problem = call(server, "/v1/ask", body)
    assert status in {400, 422}
    assert problem["detail"]


def test_ten_megabytes_are_too_much(server: str) -> None:
    try:
        status, problem = call(server, "/v1/ask", b'{"question": "' + b"a" * 10_000_000 + b'"}')
    except urllib.error.URLError:  # the server may close while we still send
        return
    assert (status, problem["code"]) == (413, "body-too-large")
