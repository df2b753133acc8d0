"""What was brought goes out readable and comes in as it was, or not at all."""

import gzip
import json
import zlib
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpus.records import Document, Section, Source, Span
from service.storage.collections import (
    confirm_licence,
    describe_collection,
    list_collections,
    load_collection,
    note_fetched,
)
from service.storage.database import open_database
from service.storage.documents import delete_document, load_documents, store_documents
from service.storage.exporting import ExportError, export_documents, import_documents


def document(number: int, collection: str) -> Document:
    text = f"Note {number} – “gently”. The clinic opens at {number}. 腰痛"
    source = Source(f"s{number}", f"Note {number}", "Clinic", "Clinic", "https://a.example", collection=collection)
    sections = (Section(("Opening", "Hours"), Span(0, 8), "hours", None), Section((), Span(9, len(text)), None, 3))
    return Document(f"doc_{number}", source, f"Note {number}", text, sections)


@pytest.fixture
def filled(tmp_path: Path) -> Engine:
    engine = open_database(tmp_path / "home" / "backline.sqlite")
    store_documents(engine, [document(1, "clinic"), document(2, "clinic"), document(3, "pages")])
    describe_collection(engine, "clinic", scope="Our hours.", questions=("When do you open?",), disclaimer="Ask us.")
    note_fetched(engine, "pages")
    confirm_licence(engine, "pages")
    return engine


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_documents_and_what_is_said_of_collections_come_back(name: str, filled: Engine, tmp_path: Path) -> None:
    assert export_documents(filled, tmp_path / name) == 3
    other = open_database(tmp_path / "other" / "backline.sqlite")
    assert [one.outcome for one in import_documents(other, tmp_path / name)] == ["added"] * 3
    assert load_documents(other) == load_documents(filled)
    clinic = load_collection(other, "clinic")
    assert (clinic.scope, clinic.questions, clinic.disclaimer) == ("Our hours.", ("When do you open?",), "Ask us.")
    assert not load_collection(other, "pages").publishable  # who serves it there confirms it there
    assert [one.outcome for one in import_documents(other, tmp_path / name)] == ["unchanged"] * 3
    content = (tmp_path / name).read_bytes()
    lines = (gzip.decompress(content) if name.endswith("gz") else content).splitlines()
    assert json.loads(lines[1])["text"] == document(1, "clinic").text


def test_one_collection_goes_alone_and_what_was_deleted_comes_back_when_asked(filled: Engine, tmp_path: Path) -> None:
    assert export_documents(filled, tmp_path / "pages.jsonl", "pages") == 1
    delete_document(filled, "doc_3")
    import_documents(filled, tmp_path / "pages.jsonl")
    assert {one.id for one in load_documents(filled)} == {"doc_1", "doc_2", "doc_3"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[:-1],  # cut short
        lambda lines: lines[1:],  # without its first line
        lambda lines: lines[:0],
        lambda lines: [*lines[:-1], lines[-1][:40]],
        lambda lines: [line.replace("The clinic opens", "The clinic closes") for line in lines],
        lambda lines: [lines[0].replace('"backline_export": 1', '"backline_export": 2'), *lines[1:]],
        lambda lines: [line.replace('"digest": false', '"digest": true') for line in lines],
        lambda lines: [lines[0].replace('"collections"', '"kollections"'), *lines[1:]],
        lambda lines: [lines[0].replace('"disclaimer"', '"reservation"'), *lines[1:]],
        lambda lines: [lines[0].replace('"name": "pages"', '"name": "default"'), *lines[1:]],
        lambda lines: [lines[0].replace("Our hours.", "Our hours. " * 40), *lines[1:]],
        lambda lines: [lines[0].replace('"Our hours."', "7"), *lines[1:]],
    ],
)
def test_of_what_is_damaged_nothing_is_taken(damage: object, filled: Engine, tmp_path: Path) -> None:
    export_documents(filled, tmp_path / "all.jsonl")
    lines = (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    assert callable(damage)
    (tmp_path / "bad.jsonl").write_text("".join(damage(lines)), encoding="utf-8")
    other = open_database(tmp_path / "other" / "backline.sqlite")
    with pytest.raises(ExportError, match=r"bad\.jsonl"):
        import_documents(other, tmp_path / "bad.jsonl")
    assert load_documents(other) == []
    assert [one.name for one in list_collections(other)] == ["default"]


def test_a_packed_export_that_is_damaged_is_refused(filled: Engine, tmp_path: Path) -> None:
    export_documents(filled, tmp_path / "all.jsonl.gz")
    content = bytearray((tmp_path / "all.jsonl.gz").read_bytes())
    start = content.index(0, 10) + 1  # behind the header, which ends with the file's name
    other = open_database(tmp_path / "other" / "backline.sqlite")
    raised = set()
    for place in range(start, start + 40):
        (tmp_path / "bad.jsonl.gz").write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        with pytest.raises(ExportError) as caught:
            import_documents(other, tmp_path / "bad.jsonl.gz")
        raised.add(type(caught.value.__cause__))
    assert zlib.error in raised
    assert load_documents(other) == []


def test_nothing_is_overwritten(filled: Engine, tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").write_text("mine")
    with pytest.raises(ExportError, match="choose another name"):
        export_documents(filled, tmp_path / "all.jsonl")
    assert (tmp_path / "all.jsonl").read_text() == "mine"
    assert list(tmp_path.glob(".export-*")) == []
