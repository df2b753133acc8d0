import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import UnreadableDocumentError
from corpus.reading.door import ReadDocument, read_bytes
from corpus.reading.exports import list_articles
from corpus.sandbox import Sandbox
from tests.corpus.reading.invariants import check_document, outline


def _read(export: Any, sandbox: Sandbox) -> tuple[list[ReadDocument], list[UnreadableDocumentError]]:
    refused: list[UnreadableDocumentError] = []
    content = json.dumps(export).encode()
    documents = list(read_bytes(content, "export.json", sandbox=sandbox, on_refusal=refused.append))
    for document in documents:
        check_document(document)
    return documents, refused


def test_a_zendesk_export(sandbox: Sandbox, files: Path) -> None:
    refused: list[UnreadableDocumentError] = []
    content = (files / "zendesk_articles.json").read_bytes()
    documents = list(read_bytes(content, "zendesk.json", sandbox=sandbox, on_refusal=refused.append))
    assert [document.title for document in documents] == ["Returning a chair", "Paying by invoice"]
    first = documents[0]
    check_document(first)
    assert first.name == "zendesk.json#360001"
    assert first.external_id == "360001"
    assert first.url == "https://chairs.zendesk.com/hc/en-us/articles/360001-Returning-a-chair"
    assert first.published == "2025-02-03"
    assert first.media_type == "text/html"
    assert [(s.heading_path, s.anchor) for s in first.marked.sections] == [
        ((), None),
        (("Packing",), "h_01"),
        (("Costs",), None),
    ]
    assert "- the seat first\n- the back beside it" in first.marked.text
    assert "Country | Price\nInside | 0\nOutside | 25" in first.marked.text
    assert [(error.name, error.reason) for error in refused] == [
        ("zendesk.json#360002", "it is a draft; publish it and export again"),
        (
            "zendesk.json#360003",
            'only some readers may see it; open it to everybody, or set "user_segment_id" to null in the export',
        ),
        ("zendesk.json#360004", "the article has no text; write it, or leave the article out of the export"),
    ]


def test_a_list_of_freshdesk_articles(sandbox: Sandbox) -> None:
    export = [
        {"id": 1, "title": "Keys", "description": "<h3>Lost</h3><p>Ask us.</p>", "status": 2,
         "updated_at": "2024-12-24T10:00:00Z", "description_text": "Lost Ask us."},
        {"id": 2, "title": "Later", "description": "<p>Not yet.</p>", "status": 1},
    ]  # fmt: skip
    documents, refused = _read(export, sandbox)
    (document,) = documents
    assert (document.title, document.published, document.url) == ("Keys", "2024-12-24", "")
    assert outline(document) == [(("Lost",), None)]
    assert [error.name for error in refused] == ["export.json#2"]


def test_a_freshdesk_account_export_nests_articles_in_folders(sandbox: Sandbox) -> None:
    def article(number: int) -> dict[str, object]:
        return {"id": number, "title": f"Article {number}", "description": f"<p>Text {number}.</p>", "status": 2}

    export = [
        {"category": {"name": "General", "description": "all of it", "folders": [
            {"name": "Open", "visibility": 1, "articles": [article(1), article(2)]},
            {"name": "For agents", "visibility": 3, "articles": [article(3)]},
            {"name": "More", "articles": [article(4)]},
        ]}}
    ]  # fmt: skip
    documents, refused = _read(export, sandbox)
    assert [document.external_id for document in documents] == ["1", "2", "4"]
    assert [(e.name, e.reason) for e in refused] == [
        ("export.json#3", "its folder is not for everybody; open it, or leave it out")
    ]


def test_pages_of_zendesk_replies_in_one_file(sandbox: Sandbox) -> None:
    pages = [{"articles": [{"id": n, "title": f"T{n}", "body": "<p>x</p>"}], "next_page": None} for n in (1, 2, 3)]
    documents, refused = _read(pages, sandbox)
    assert [document.title for document in documents] == ["T1", "T2", "T3"]
    assert refused == []


def test_one_broken_article_costs_no_other(sandbox: Sandbox) -> None:
    bodies = ["<p>one</p>", "<p>lost</p>" + "<div>" * 30_000, None, "<p>four \ud800</p>", 5]
    export = {"articles": [{"id": n, "title": "T", "body": body} for n, body in enumerate(bodies)]}
    documents, refused = _read(export, sandbox)
    assert [document.marked.text for document in documents] == ["one", "four ?"]
    assert [error.name for error in refused] == ["export.json#1", "export.json#2", "export.json#4"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"articles": []}', "it is JSON, but no articles export of Zendesk or Freshdesk; "),
        (b'{"tickets": [{"subject": "x"}]}', "it is JSON, but no articles export of Zendesk or Freshdesk; "),
        (b"{}", "it is JSON, but no articles export of Zendesk or Freshdesk; "),
        (b'{"articles": [\n{"id": 1,\n', "it is damaged JSON at line 3; "),
        (b"[" * 50_000, "it is nested too deeply; "),
    ],
)
def test_what_is_no_export_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocumentError) as caught:
        list_articles(content, "a.json")
    assert caught.value.reason.startswith(reason)
