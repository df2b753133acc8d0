import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.fetching.caching import FetchedPage, PageCache
from corpus.records import Document, Section, Source, Span
from service.answering.abstaining import MESSAGES, OTHER_SCOPE, message_of
from service.answering.records import DISCLAIMER
from service.storage.collections import confirm_licence, describe_collection, note_fetched
from service.storage.documents import store_document
from service.triage.loading import Rules
from service.triage.screening import load_rules
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

TEXT = "The Riverside clinic opens on Tuesdays at nine."
URL = "https://example.org/hours"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def service(home: Path, rules: Rules) -> Iterator[Service]:
    opened = open_service(home, rules)
    with opened.client:
        yield opened


def bring(service: Service, collection: str, *, fetched: bool = False) -> Document:
    source = Source(
        f"src_{collection}", "Hours", "Riverside", "Riverside", URL, retrieved="2026-11-22" if fetched else "",
        collection=collection,
    )  # fmt: skip
    document = Document(f"doc_{collection}", source, "Hours", TEXT, (Section((), Span(0, len(TEXT))),))
    store_document(service.database, document)
    if fetched:
        note_fetched(service.database, collection)
    assert service.desk.rebuilder is not None
    service.desk.rebuilder.request()
    service.wait_for_build()
    return document


def ask(service: Service, question: str, collection: str, headers: dict[str, str] | None = None) -> dict[str, object]:
    body = {"question": question, "filters": {"collection": collection}}
    reply: dict[str, object] = service.client.post("/v1/ask", json=body, headers=headers).json()
    return reply


def test_a_collection_speaks_for_itself_where_it_cannot_answer(service: Service) -> None:
    bring(service, "clinic")
    question = "The nine, the bank, gold?"
    silence = ask(service, question, "clinic")
    assert silence["probability"] is None
    assert isinstance(silence["abstention"], dict)
    assert silence["abstention"]["reason"] == "out_of_scope"
    assert silence["abstention"]["message"] == OTHER_SCOPE
    describe_collection(service.database, "clinic", scope="I know the clinic's hours.", disclaimer="Ring to be sure.")
    told = ask(service, question, "clinic")
    assert isinstance(told["abstention"], dict)
    assert told["abstention"]["message"] == "I know the clinic's hours."
    assert told["disclaimer"] == "Ring to be sure."
    assert ask(service, question, "default")["disclaimer"] == DISCLAIMER
    assert message_of("out_of_scope", "default", "I know the clinic's hours.") == MESSAGES["out_of_scope"]
    assert message_of("unclear", "clinic", "I know the clinic's hours.") == MESSAGES["unclear"]


def test_collections_are_listed_with_what_is_said_of_them(service: Service) -> None:
    bring(service, "clinic")
    describe_collection(service.database, "clinic", scope="I know the clinic.", questions=("When is it open?",))
    clinic, ours = service.client.get("/v1/collections").json()["data"]
    assert clinic == {
        "name": "clinic", "documents": 1, "scope": "I know the clinic.", "questions": ["When is it open?"],
        "disclaimer": DISCLAIMER, "publishable": True, "calibrated": False,
    }  # fmt: skip
    assert (ours["name"], ours["documents"], ours["scope"]) == ("default", 0, MESSAGES["out_of_scope"])
    only = service.key("ask", collections=["clinic"])
    assert [row["name"] for row in service.client.get("/v1/collections", headers=only).json()["data"]] == ["clinic"]


def test_fetched_pages_are_not_served_off_the_machine_before_their_licence_is_confirmed(
    home: Path, rules: Rules
) -> None:
    service = open_service(home, rules, open_reading=False)
    with service.client:
        document = bring(service, "pages", fetched=True)
        passage = next(p for p in service.desk.replier.answerer.retriever.snapshot.passages if p.collection == "pages")
        reader = service.key("ask", "search")

        def status(path: str) -> int:
            return service.client.get(path, headers=reader).status_code

        for path, body in (
            ("/v1/ask", {"question": "When is it open?", "filters": {"collection": "pages"}}),
            ("/v1/search", {"query": "open", "filters": {"collection": "pages"}}),
        ):
            check_problem(service.client.post(path, json=body, headers=reader), 403, "licence-not-confirmed")
        refused = service.client.get("/v1/documents?collection=pages", headers=reader)
        check_problem(refused, 403, "licence-not-confirmed")
        assert "confirm-licence" in refused.json()["detail"]
        for path in (f"/v1/documents/{document.id}", f"/v1/passages/{passage.id}"):
            assert status(path) == 404
        for path in ("/v1/sources", "/v1/documents", "/v1/collections"):
            assert "pages" not in service.client.get(path, headers=reader).text
        confirm_licence(service.database, "pages")
        assert status(f"/v1/documents/{document.id}") == status(f"/v1/passages/{passage.id}") == 200
        reply = ask(service, "When does the Riverside clinic open?", "pages", reader)
        assert isinstance(reply["citations"], list)
        assert [citation["quote"] for citation in reply["citations"]] == [TEXT]


def test_on_the_loopback_interface_fetched_pages_are_served(service: Service) -> None:
    document = bring(service, "pages", fetched=True)
    assert service.client.get(f"/v1/documents/{document.id}").status_code == 200
    assert service.found("Riverside clinic", "pages") == [TEXT]


def test_deleting_a_fetched_page_removes_it_from_the_pages_too_and_says_so(service: Service) -> None:
    document = bring(service, "pages", fetched=True)
    cache = PageCache(service.desk.settings.pages)
    cache.write(_page())
    receipt = service.client.delete(f"/v1/documents/{document.id}", headers=service.key()).json()
    assert receipt["removed_from"] == ["database", "search", "fetched pages"]
    assert receipt["pending"] == ["snapshot files", "embedding cache"]
    assert cache.read(URL, "unchanged") is None


def _page() -> FetchedPage:
    content = TEXT.encode()
    digest = hashlib.sha256(content).hexdigest()
    return FetchedPage(URL, URL, "text/plain", "utf-8", content, digest, "2026-11-22T00:00:00+00:00", "", "", "fetched")
