import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.storage.answers import load_answers
from service.storage.keys import create_key
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

QUESTION = "How long does a back spasm last?"


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    opened = open_service(home, load_rules())
    with opened.client:
        yield opened


def kept(service: Service) -> list[str]:
    assert service.desk.keeper is not None
    service.desk.keeper.flush()
    return [answer.question for answer in load_answers(service.database, "")]


def test_an_answer_comes_again_byte_for_byte(service: Service) -> None:
    given = service.client.post("/v1/ask", json={"question": QUESTION})
    assert given.json()["citations"]
    assert given.json()["conversation_id"].startswith("conv_")
    again = service.client.get(f"/v1/answers/{given.json()['id']}")
    assert again.status_code == 200
    assert again.content == given.content
    assert again.headers["content-type"] == "application/json"


def test_a_streamed_answer_is_kept_as_its_last_event(service: Service) -> None:
    text = service.client.post("/v1/ask", json={"question": QUESTION, "stream": True}).text
    done = text.rstrip().rpartition("event: done\ndata: ")[2]
    assert service.client.get(f"/v1/answers/{json.loads(done)['id']}").text == done


def test_silence_and_notices_are_kept_too(service: Service) -> None:
    for question in ("Who won the cup?", "I took too many painkillers for my back", "my back hurts and I wet myself"):
        given = service.client.post("/v1/ask", json={"question": question})
        assert service.client.get(f"/v1/answers/{given.json()['id']}").content == given.content


def test_a_follow_up_is_read_with_what_the_conversation_asked_before(service: Service) -> None:
    first = service.client.post("/v1/ask", json={"question": QUESTION}).json()
    follow_up = {"question": "and walking?", "conversation_id": first["conversation_id"]}
    second = service.client.post("/v1/ask", json=follow_up).json()
    assert second["rewritten_question"] == "walking for back spasm?"
    assert second["conversation_id"] == first["conversation_id"]
    with_history = {**follow_up, "history": ["Is a gallstone dangerous?"]}
    assert "gallstone" in service.client.post("/v1/ask", json=with_history).json()["rewritten_question"]


def test_triage_sees_the_turns_before(service: Service) -> None:
    told = {"question": "I can't pee since my back went", "conversation_id": "desk-1"}
    assert service.client.post("/v1/ask", json=told).json()["triage"]["level"] == "emergency"
    later = {"question": "which stretches help?", "conversation_id": "desk-1"}
    assert service.client.post("/v1/ask", json=later).json()["triage"]["rules"][0]["id"] == "RF01"
    assert service.client.post("/v1/ask", json={"question": "which stretches help?"}).json()["triage"] is None


def test_another_askers_conversation_opens_nothing(service: Service) -> None:
    one, other = service.key("ask"), service.key("ask")
    body = {"question": "What are kidney stones?", "conversation_id": "shared"}
    mine = service.client.post("/v1/ask", json=body, headers=one).json()
    follow_up = {"question": "and how big are they?", "conversation_id": "shared"}
    assert service.client.post("/v1/ask", json=follow_up, headers=other).json()["rewritten_question"] is None
    assert service.client.post("/v1/ask", json=follow_up).json()["rewritten_question"] is None
    assert service.client.post("/v1/ask", json=follow_up, headers=one).json()["rewritten_question"]
    address = f"/v1/answers/{mine['id']}"
    check_problem(service.client.get(address, headers=other), 404, "not-found")
    check_problem(service.client.get(address), 404, "not-found")
    assert service.client.get(address, headers=one).json() == mine
    assert service.client.get(address, headers=service.key("admin")).json() == mine
    check_problem(service.client.get(address, headers=service.key("admin", collections=["clinic"])), 404, "not-found")
    check_problem(service.client.get(address, headers=service.key("search")), 403, "key-not-allowed")


def test_two_askers_of_one_name_are_two(service: Service) -> None:
    for _ in range(2):
        secret, key = create_key(service.database, "same name", ["ask"])
        headers = {"authorization": f"Bearer {secret}"}
        assert service.client.post("/v1/ask", json={"question": QUESTION}, headers=headers).status_code == 200
        assert [a.asker for a in load_answers(service.database, "")].count(key.id) <= 1


def test_a_conversation_is_deleted_from_the_file_too(service: Service) -> None:
    mine, other = service.key("ask"), service.key("ask")
    for headers in (mine, other):
        for question in ("Does quokkazebra help my back?", "and heat?"):
            service.client.post("/v1/ask", json={"question": question, "conversation_id": "c"}, headers=headers)
    check_problem(service.client.delete("/v1/conversations/c"), 404, "not-found")
    receipt = service.client.delete("/v1/conversations/c", headers=mine).json()
    assert (receipt["conversation_id"], receipt["answers"]) == ("c", 2)
    assert len(kept(service)) == 2
    assert service.client.delete("/v1/conversations/c", headers=service.key("admin")).json()["answers"] == 2
    assert kept(service) == []
    for file in service.home.glob("backline.sqlite*"):
        assert b"quokkazebra" not in file.read_bytes()


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "ä", "a/b"])
def test_a_conversation_id_is_plain(service: Service, name: str) -> None:
    response = service.client.post("/v1/ask", json={"question": QUESTION, "conversation_id": name})
    check_problem(response, 422, "invalid-request")
    assert response.json()["errors"][0]["field"] == "conversation_id"


def test_with_keeping_off_nothing_is_kept(home: Path) -> None:
    service = open_service(home, load_rules(), keep_answers=0)
    with service.client:
        body = {"question": QUESTION, "conversation_id": "c"}
        given = service.client.post("/v1/ask", json=body).json()
        assert given["conversation_id"] is None
        assert given["citations"]
        check_problem(service.client.get(f"/v1/answers/{given['id']}"), 404, "not-found")
        assert service.client.post("/v1/ask", json={**body, "question": "and heat?"}).json()["status"] == "abstained"
        assert kept(service) == []


def test_a_disk_that_cannot_be_written_costs_no_answer(service: Service) -> None:
    with service.database.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'x'); END")
    given = service.client.post("/v1/ask", json={"question": QUESTION})
    assert given.json()["status"] == "answered"
    check_problem(service.client.get(f"/v1/answers/{given.json()['id']}"), 404, "not-found")
    ready = service.client.get("/readyz").json()
    assert ready["status"] == "degraded"
    assert "answers cannot be stored" in ready["reasons"][0]
    with service.database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    given = service.client.post("/v1/ask", json={"question": QUESTION})
    assert service.client.get(f"/v1/answers/{given.json()['id']}").content == given.content
    assert service.client.get("/readyz").json()["status"] == "ready"
