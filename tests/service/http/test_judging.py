from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.storage.feedback import load_feedback
from service.storage.outbox import Item, next_due
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

HANDOFF: dict[str, Any] = {
    "handoff_secret": f"whsec_{'c2VjcmV0' * 4}",
    "handoff_url": "https://desk.example.org/hook",
    "handoff_team": "The help desk",
    "handoff_channel": "e-mail",
}


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    opened = open_service(home, load_rules(), **HANDOFF)
    with opened.client:
        yield opened


def ask(service: Service, question: str = "How long does a back spasm last?", **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = service.client.post("/v1/ask", json={"question": question}, headers=headers).json()
    return answer


def verdicts(service: Service) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (given.citation_id, given.verdict, given.reason, given.text) for given, _ in load_feedback(service.database, "")
    ]


def test_a_verdict_is_kept_and_a_second_one_takes_its_place(service: Service) -> None:
    answer = ask(service)
    body = {"answer_id": answer["id"], "verdict": "no", "reason": "off", "text": " It said too little. "}
    first = service.client.post("/v1/feedback", json=body)
    assert first.status_code == 201
    told = first.json()
    assert (told["object"], told["answer_id"], told["citation_id"]) == ("feedback", answer["id"], None)
    assert (told["verdict"], told["reason"]) == ("no", "off")
    assert "too little" not in first.text
    assert verdicts(service) == [("", "no", "off", "It said too little.")]
    second = service.client.post("/v1/feedback", json={"answer_id": answer["id"], "verdict": "yes"})
    assert second.status_code == 200
    assert second.json()["id"] == told["id"]
    assert verdicts(service) == [("", "yes", None, None)]


def test_a_citation_is_judged_by_itself(service: Service) -> None:
    answer = ask(service)
    body = {"answer_id": answer["id"], "citation_id": "c1", "verdict": "no", "reason": "wrong"}
    assert service.client.post("/v1/feedback", json=body).status_code == 201
    assert service.client.post("/v1/feedback", json={"answer_id": answer["id"], "verdict": "yes"}).status_code == 201
    assert verdicts(service) == [("", "yes", None, None), ("c1", "no", "wrong", None)]
    check_problem(service.client.post("/v1/feedback", json={**body, "citation_id": "c99"}), 404, "not-found")


def test_only_who_asked_judges(service: Service) -> None:
    mine = service.key("ask", "feedback")
    answer = ask(service, **mine)
    body = {"answer_id": answer["id"], "verdict": "yes"}
    check_problem(service.client.post("/v1/feedback", json=body), 404, "not-found")
    check_problem(service.client.post("/v1/feedback", json=body, headers=service.key("feedback")), 404, "not-found")
    check_problem(service.client.post("/v1/feedback", json=body, headers=service.key("ask")), 403, "key-not-allowed")
    assert service.client.post("/v1/feedback", json=body, headers=mine).status_code == 201


@pytest.mark.parametrize(
    "change", [{"verdict": "up"}, {"reason": "rude"}, {"text": "x" * 1_001}, {"answer_id": "a b"}, {"text": "\x00"}]
)
def test_a_wrong_field_is_told(service: Service, change: dict[str, str]) -> None:
    response = service.client.post("/v1/feedback", json={"answer_id": "ans_1", "verdict": "no", **change})
    check_problem(response, 422, "invalid-request")
    assert response.json()["errors"][0]["field"] == next(iter(change))


def test_a_verdict_ends_with_its_answer(service: Service) -> None:
    answer = ask(service)
    service.client.post("/v1/feedback", json={"answer_id": answer["id"], "verdict": "no", "text": "quokkazebra"})
    service.client.post("/v1/handoffs", json={"question": "zebraquokka?", "answer_id": answer["id"]})
    receipt = service.client.delete(f"/v1/conversations/{answer['conversation_id']}").json()
    assert (receipt["answers"], receipt["feedback"], receipt["handoffs"]) == (1, 1, 1)
    assert verdicts(service) == []
    for file in service.home.glob("backline.sqlite*"):
        assert b"quokkazebra" not in file.read_bytes()
        assert b"zebraquokka" not in file.read_bytes()


def waiting(service: Service) -> Item | None:
    return next_due(service.database, ["handoff"])


def test_a_hand_over_is_on_disk_when_it_is_acknowledged(service: Service) -> None:
    answer = ask(service, "Who won the cup?")
    body = {"question": "Who won the cup?", "answer_id": answer["id"], "contact": "me@example.org"}
    response = service.client.post("/v1/handoffs", json=body)
    assert response.status_code == 202
    told = response.json()
    assert (told["team"], told["channel"], told["state"], told["triage"]) == ("The help desk", "e-mail", "queued", None)
    item = waiting(service)
    assert item is not None
    assert (item.id, item.channel, item.state) == (told["id"], "handoff", "waiting")
    assert item.payload == {
        "type": "handoff.created",
        "timestamp": told["created"],
        "data": {
            "id": told["id"],
            "question": "Who won the cup?",
            "contact": "me@example.org",
            "answer_id": answer["id"],
            "conversation_id": answer["conversation_id"],
            "status": "abstained",
            "level": None,
        },
    }


def test_a_hand_over_is_screened_like_a_question(service: Service) -> None:
    told = service.client.post("/v1/handoffs", json={"question": "I can't pee since my back went"}).json()
    assert next(iter(told)) == "triage"
    assert told["triage"]["level"] == "emergency"
    item = waiting(service)
    assert item is not None
    assert item.payload["data"]["level"] == "emergency"


def test_anothers_answer_is_not_handed_over(service: Service) -> None:
    answer = ask(service, **service.key("ask"))
    body = {"question": "Who won?", "answer_id": answer["id"]}
    check_problem(service.client.post("/v1/handoffs", json=body), 404, "not-found")
    assert waiting(service) is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "set BACKLINE_HANDOFF_URL and BACKLINE_HANDOFF_SECRET"),
        ({"handoff_email": "d@example.org"}, "d@example.org"),
    ],
)
def test_where_nobody_is_set_it_says_what_to_do(home: Path, settings: dict[str, Any], said: str) -> None:
    with open_service(home, load_rules(), **settings).client as client:
        response = client.post("/v1/handoffs", json={"question": "Who helps?"})
    check_problem(response, 409, "no-handoff")
    assert said in response.json()["detail"]
