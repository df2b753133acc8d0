import io
import json
import sqlite3
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from service.storage.documents import load_documents
from service.triage.loading import Rules
from service.triage.screening import load_rules
from tests.drilling import rounds
from tests.service.http.serving import Service, open_service, shipped
from tests.service.http.test_app import check_problem

NOTE = "# Clinic\n\n## When is the clinic open?\n\nThe Riverside clinic opens on Tuesdays at nine.\n"
OPENING = "The Riverside clinic opens on Tuesdays at nine."


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def service(home: Path, rules: Rules) -> Iterator[Service]:
    opened = open_service(home, rules, max_body_bytes=100_000, max_upload_bytes=400_000)
    with opened.client:
        yield opened


def test_a_text_that_is_brought_is_found_and_cited(service: Service) -> None:
    body = {"markdown": NOTE, "title": "Opening hours", "publisher": "Riverside", "url": "https://example.org/hours"}
    sent = service.client.post("/v1/documents", json=body, headers=service.key())
    assert sent.status_code == 202, sent.text
    (stored,) = sent.json()["data"]
    assert stored["outcome"] == "added"
    assert sent.json()["snapshot"]["state"] == "building"
    service.wait_for_build()
    reply = service.client.post("/v1/ask", json={"question": "When does the Riverside clinic open?"}).json()
    (citation,) = [c for c in reply["citations"] if c["document_id"] == stored["id"]]
    assert citation["quote"] == OPENING
    assert (citation["publisher"], citation["title"], citation["url"]) == (
        "Riverside",
        "Opening hours",
        "https://example.org/hours",
    )
    document = service.client.get(f"/v1/documents/{stored['id']}").json()
    assert document["version"] == citation["document_version"] == stored["version"]
    assert document["text"][citation["source_start"] : citation["source_end"]] == OPENING


def test_the_same_again_is_unchanged_and_a_new_text_under_the_same_id_is_a_new_version(service: Service) -> None:
    key = service.key()

    def send(text: str) -> tuple[int, dict[str, str]]:
        response = service.client.post("/v1/documents", json={"text": text, "external_id": "42"}, headers=key)
        return response.status_code, response.json()["data"][0]

    first, again, changed = send("Open on Mondays."), send("Open on Mondays."), send("Open on Fridays.")
    assert [status for status, _ in (first, again, changed)] == [202, 200, 202]
    assert [row["outcome"] for _, row in (first, again, changed)] == ["added", "unchanged", "changed"]
    assert first[1]["id"] == changed[1]["id"]
    assert first[1]["version"] == again[1]["version"] != changed[1]["version"]
    service.wait_for_build()
    assert "Open on Fridays." in service.found("open on fridays")
    assert "Open on Mondays." not in service.found("open on mondays")


def test_plain_text_stays_plain_whatever_it_looks_like(service: Service) -> None:
    text = '{"_id": "1", "text": "no JSON Lines"}'
    sent = service.client.post("/v1/documents", json={"text": text}, headers=service.key())
    document = load_documents(service.database)[0]
    assert (document.id, document.text, document.title) == (sent.json()["data"][0]["id"], text, "Untitled")


def test_files_come_as_forms(service: Service) -> None:
    key = service.key()
    sent = service.client.post(
        "/v1/documents",
        files={"file": ("../../hours.md", NOTE.encode(), "text/markdown")},
        data={"publisher": "Riverside", "published": "2024-05"},
        headers=key,
    )
    assert sent.status_code == 202, sent.text
    (document,) = load_documents(service.database)
    assert (document.title, document.source.publisher, document.source.published) == ("Clinic", "Riverside", "2024-05")
    lines = "".join(json.dumps({"_id": str(n), "title": f"T{n}", "text": f"Note {n}."}) + "\n" for n in (1, 2))
    many = service.client.post(
        "/v1/documents", files={"file": ("notes.jsonl", (lines + "broken\n").encode())}, headers=key
    )
    assert many.status_code == 202, many.text
    assert [row["outcome"] for row in many.json()["data"]] == ["added", "added"]
    assert len(many.json()["refused"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"text": "a", "markdown": "b"}, "body"),
        ({"text": ""}, "text"),
        ({"text": "a", "url": "javascript:alert(1)"}, "url"),
        ({"text": "a", "url": "https://user:zebra-7-quokka@example.org/"}, "url"),
        ({"text": "a", "published": "yesterday"}, "published"),
        ({"text": "a", "collection": ""}, "collection"),
        ({"text": "a", "collection": "c" * 65}, "collection"),
        ({"text": "a", "title": "t\x00"}, "title"),
        ({"text": "a", "zebra-7-quokka": 1}, "(unknown)"),
    ],
)
def test_a_wrong_field_is_named_and_never_repeated(service: Service, body: object, field: str) -> None:
    response = service.client.post("/v1/documents", json=body, headers=service.key())
    check_problem(response, 422, "invalid-request")
    assert response.json()["errors"][0]["field"] == field


def test_what_is_neither_json_nor_a_form_is_refused(service: Service) -> None:
    key = service.key()

    def send(content: bytes, kind: str) -> tuple[int, str]:
        response = service.client.post("/v1/documents", content=content, headers={**key, "content-type": kind})
        check_problem(response, response.status_code, response.json()["code"])
        return response.status_code, response.json()["code"]

    assert send(b"{", "application/json") == (400, "not-json")
    assert send(b'{"text": "\\ud800"}', "application/json")[0] in {400, 422}
    assert send(b"text=a", "application/x-www-form-urlencoded") == (415, "wrong-content-type")
    assert send(b"a", "text/plain") == (415, "wrong-content-type")
    assert send(b"zebra-7-quokka", "multipart/form-data") == (400, "not-multipart")
    assert send(b"zebra-7-quokka", "multipart/form-data; boundary=x") == (400, "not-multipart")
    assert send(b"--x--\r\n", "multipart/form-data; boundary=x") == (422, "invalid-request")


def test_a_form_takes_one_file_and_known_short_fields(service: Service) -> None:
    key = service.key()
    two = [("file", ("a.txt", b"a")), ("file", ("b.txt", b"b"))]
    check_problem(service.client.post("/v1/documents", files=two, headers=key), 400, "not-multipart")
    for name, data in (("file", {"zebra-7-quokka": "1"}), ("file", {"title": "t" * 301}), ("other", {})):
        response = service.client.post("/v1/documents", files={name: ("a.txt", b"a")}, data=data, headers=key)
        check_problem(response, 422, "invalid-request")


def test_a_file_that_cannot_be_read_is_refused_with_its_reason(service: Service) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("word/document.xml", "zebra-7-quokka")
    for content in (b"", b"\x00\x01\x02" * 100, bomb.getvalue()):
        response = service.client.post(
            "/v1/documents", files={"file": ("zebra-7-quokka.pdf", content)}, headers=service.key()
        )
        check_problem(response, 422, "unreadable-document")
        assert response.json()["errors"][0]["detail"]
    assert load_documents(service.database) == []


def test_documents_are_listed_page_by_page(service: Service) -> None:
    key = service.key()
    for number in range(4):
        service.client.post("/v1/documents", json={"text": f"Note {number}.", "title": f"N{number}"}, headers=key)
    service.client.post("/v1/documents", json={"text": "Other.", "collection": "clinic"}, headers=key)
    service.wait_for_build()
    names: list[str] = []
    cursor = ""
    for _ in range(10):
        page = service.client.get("/v1/documents", params={"limit": 2, "cursor": cursor}).json()
        names += [row["id"] for row in page["data"]]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert names == sorted(names)
    assert len(set(names)) == 6
    rows = {row["title"]: row for row in service.client.get("/v1/documents").json()["data"]}
    assert (rows["Spasms"]["digest"], rows["Spasms"]["created"]) == (True, None)
    assert (rows["N0"]["digest"], rows["N0"]["searchable"]) == (False, True)
    clinic = service.client.get("/v1/documents", params={"collection": "clinic"}).json()["data"]
    assert [row["collection"] for row in clinic] == ["clinic"]
    check_problem(service.client.get("/v1/documents", params={"limit": 0}), 422, "invalid-request")


def test_a_deleted_document_is_gone_from_the_next_request_on(service: Service) -> None:
    key = service.key()
    sent = service.client.post("/v1/documents", json={"markdown": NOTE}, headers=key)
    name = sent.json()["data"][0]["id"]
    service.wait_for_build()
    passage = service.client.post("/v1/search", json={"query": "Riverside clinic"}).json()["data"][0]
    assert passage["document_id"] == name
    # Without the rebuilder: what hides it is the deletion itself.
    assert service.desk.rebuilder is not None
    service.desk.rebuilder.stop()
    receipt = service.client.delete(f"/v1/documents/{name}", headers=key)
    assert receipt.status_code == 200
    assert receipt.json()["document_id"] == name
    assert receipt.json()["removed_from"] == ["database", "search"]
    assert receipt.json()["quoted_in_answers"] == 0
    assert receipt.json()["at"]
    assert OPENING not in service.found("Riverside clinic opens Tuesdays")
    asked = service.client.post("/v1/ask", json={"question": "When does the Riverside clinic open?"})
    assert "Tuesdays" not in asked.text
    check_problem(service.client.get(f"/v1/documents/{name}"), 404, "not-found")
    check_problem(service.client.get(f"/v1/passages/{passage['id']}"), 404, "not-found")
    assert name not in service.client.get("/v1/sources").text
    assert name not in service.client.get("/v1/documents").text
    check_problem(service.client.delete(f"/v1/documents/{name}", headers=key), 404, "not-found")
    # The rebuilder goes on where it was: then no file of the service holds the text any more.
    service.desk.rebuilder.start()
    service.wait_for_build()
    service.wait(lambda: not holds(service.home, b"Tuesdays"))
    back = service.client.post("/v1/documents", json={"markdown": NOTE}, headers=key)
    assert back.json()["data"][0] == {**sent.json()["data"][0], "outcome": "added"}
    service.wait_for_build()
    assert OPENING in service.found("Riverside clinic opens Tuesdays")


def holds(folder: Path, words: bytes) -> bool:
    """Whether a file below a folder holds these bytes."""
    for file in folder.rglob("*"):
        try:
            if file.is_file() and words in file.read_bytes():
                return True
        except FileNotFoundError:
            continue
    return False


def test_a_shipped_digest_cannot_be_deleted(service: Service) -> None:
    response = service.client.delete(f"/v1/documents/{shipped().id}", headers=service.key())
    check_problem(response, 409, "shipped-document")
    assert service.client.get(f"/v1/documents/{shipped().id}").status_code == 200


def test_a_key_of_one_collection_writes_nowhere_else(service: Service) -> None:
    theirs = service.client.post("/v1/documents", json={"text": "Theirs."}, headers=service.key()).json()["data"][0]
    key = service.key("ingest", collections=["clinic"])
    check_problem(service.client.post("/v1/documents", json={"text": "Mine."}, headers=key), 403, "key-not-allowed")
    body = {"text": "Mine.", "collection": "clinic"}
    assert service.client.post("/v1/documents", json=body, headers=key).status_code == 202
    check_problem(service.client.delete(f"/v1/documents/{theirs['id']}", headers=key), 404, "not-found")
    assert len(load_documents(service.database)) == 2


def test_a_build_that_fails_is_told_by_readyz_and_takes_nothing_away(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("no space left")

    rebuilder = service.desk.rebuilder
    assert rebuilder is not None
    key = service.key()
    with monkeypatch.context() as patch:
        patch.setattr(rebuilder, "_build", fail)
        assert service.client.post("/v1/documents", json={"markdown": NOTE}, headers=key).status_code == 202
        service.wait(lambda: rebuilder.state == "failed")
    ready = service.client.get("/readyz").json()
    assert ready["status"] == "degraded"
    assert "build" in ready["reasons"][0]
    assert service.found("gentle walking") != []
    service.client.post("/v1/documents", json={"text": "Another."}, headers=key)
    service.wait_for_build()
    assert service.client.get("/readyz").json()["reasons"] == []
    assert OPENING in service.found("Riverside clinic opens Tuesdays")


def test_a_database_that_cannot_be_used_is_a_503_and_no_partial_write(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise OperationalError("SELECT zebra-7-quokka", {}, sqlite3.OperationalError("database is locked"))

    key = service.key()
    monkeypatch.setattr("service.ingesting.store_documents", busy)
    response = service.client.post("/v1/documents", json={"text": "Walk."}, headers=key)
    check_problem(response, 503, "not-ready")
    assert int(response.headers["retry-after"]) > 0
    assert load_documents(service.database) == []


def test_collections_are_kept_apart(service: Service) -> None:
    body = {"markdown": NOTE, "collection": "clinic"}
    service.client.post("/v1/documents", json=body, headers=service.key())
    service.wait_for_build()
    assert OPENING not in service.found("Riverside clinic opens Tuesdays")
    assert service.found("Riverside clinic opens Tuesdays", "clinic") == [OPENING]


# R6: swaps under load.

DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays")


@pytest.mark.drill("R6")
def test_swaps_under_load_fail_no_request_and_mix_no_reply(
    service: Service, record_property: Callable[[str, object], None]
) -> None:
    swaps = rounds(5, 50)
    key = service.key()
    stop = threading.Event()
    failures: list[str] = []
    replies = [0]
    seen: set[str] = set()

    def ask() -> None:
        while not stop.is_set() and replies[0] < 50_000:
            response = service.client.post("/v1/ask", json={"question": "When does the Riverside clinic open?"})
            replies[0] += 1
            if response.status_code != 200:
                failures.append(response.text)
                continue
            body = response.json()
            seen.add(body["snapshot_id"])
            days = {c["quote"].removesuffix(".").rsplit(" ", 1)[1] for c in body["citations"] if "opens" in c["quote"]}
            passages = {
                row["text"].removesuffix(".").rsplit(" ", 1)[1] for row in body["passages"] if "opens" in row["text"]
            }
            if len(days | passages) > 1:
                failures.append(f"mixed {days} {passages}")

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    snapshots = [service.desk.serving.snapshot_id]
    try:
        for turn in range(swaps):
            text = f"# Clinic, notice {turn}\n\nThe Riverside clinic opens on {DAYS[turn % 5]}.\n"
            body = {"markdown": text, "external_id": "hours"}
            assert service.client.post("/v1/documents", json=body, headers=key).status_code == 202
            service.wait_for_build()
            snapshots.append(service.desk.serving.snapshot_id)
            now = replies[0]
            service.wait(lambda now=now: replies[0] > now + 6)  # type: ignore[misc] # bound now, called at once
            time.sleep(0.05)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=20)
    assert failures == []
    assert len(set(snapshots)) == swaps + 1
    assert set(snapshots[1:]) <= seen
    assert service.found("Riverside clinic opens")[0] == "The Riverside clinic opens on Fridays."
    record_property("swaps", swaps)
    record_property("replies meanwhile", replies[0])
