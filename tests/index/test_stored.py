"""Passages and documents that are read when they are needed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.records import Document, Span
from index import stored
from index.building import build_snapshot
from index.errors import DamagedSnapshotError
from index.publishing import drop_snapshots_with
from index.snapshot import Snapshot, open_snapshot
from index.stored import Owners, read_versions
from tests.index.fakes import HashingEmbedder, make_document

MODEL = "hashing@1"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Offsets of every line that is read."""
    seen: list[int] = []
    read: Callable[[int, int, int], bytes] = os.pread

    def noted(file: int, length: int, begin: int) -> bytes:
        seen.append(begin)
        return read(file, length, begin)

    monkeypatch.setattr(os, "pread", noted)
    return seen


@pytest.fixture
def opened(documents: list[Document], tmp_path: Path) -> Snapshot:
    build_snapshot(documents, HashingEmbedder(), tmp_path)
    return open_snapshot(tmp_path, MODEL)


def test_opening_and_counting_reads_no_line_and_a_second_look_reads_none_again(
    documents: list[Document], tmp_path: Path, reads: list[int]
) -> None:
    build_snapshot(documents, HashingEmbedder(), tmp_path)
    snapshot = open_snapshot(tmp_path, MODEL)
    held = snapshot.documents
    assert snapshot.passages_by_source() == {"warmth": 2, "walking": 1, "private": 1}
    assert held.collections == {"default", "clinic"}
    assert held.brought == {(document.id, document.version) for document in documents}
    assert (len(held), list(held)) == (3, sorted(document.id for document in documents))
    assert (held.version(documents[0].id), "nobody" in held) == (documents[0].version, False)
    assert reads == []
    assert snapshot.parts["default"].passages[-1] is snapshot.parts["default"].passages[2]
    assert len(reads) == 1


def test_a_passage_is_found_by_its_id_and_by_a_place_in_its_document(opened: Snapshot) -> None:
    for passage in opened.passages:
        assert opened.passage(passage.id) == passage
        assert opened.passage_at(passage.document_id, passage.sentences[-1]) == passage
    assert opened.passage("p_0123456789abcdef") is None
    with pytest.raises(LookupError, match="no passage of nobody"):
        opened.passage_at("nobody", Span(0, 1))
    with pytest.raises(LookupError):
        opened.passage_at(opened.passages[0].document_id, Span(0, 10_000))


def test_ids_that_share_a_number_are_told_apart(
    documents: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "_key", lambda _: 7)
    build_snapshot(documents, HashingEmbedder(), tmp_path)
    snapshot = open_snapshot(tmp_path, MODEL)
    assert [snapshot.passage(passage.id) for passage in snapshot.passages] == list(snapshot.passages)


def test_rows_are_told_by_document_and_source(opened: Snapshot) -> None:
    part = opened.parts["default"]
    found = part.owners.rows_where(lambda _, source: source == "warmth").tolist()
    assert [part.passages[row].source_id for row in found] == ["warmth", "warmth"]
    assert len(part.owners.rows_where(lambda _, source: source == "walking")) == 1
    assert len(part.owners.rows_where(lambda *_: False)) == 0
    assert Owners.of([]).rows_where(lambda *_: True).tolist() == []
    assert Owners.of([]).by_source() == {}


def test_rows_are_counted_and_sliced_like_those_of_a_list(opened: Snapshot) -> None:
    passages = opened.parts["default"].passages
    every = list(passages)
    assert len(every) == len(passages) == 3
    assert (list(passages[1:]), passages[-3]) == (every[1:], every[0])
    for row in (3, -4):
        with pytest.raises(IndexError):
            passages[row]


@pytest.mark.parametrize("file", ["documents.jsonl", "parts/1/passages.jsonl"])
def test_a_line_that_was_changed_after_opening_is_not_parsed(opened: Snapshot, tmp_path: Path, file: str) -> None:
    path = tmp_path / opened.id / file
    path.write_bytes(path.read_bytes().replace(b"warm bath", b"cold bath"))
    with pytest.raises(DamagedSnapshotError, match="was changed after it was opened") as caught:
        dict(opened.documents), opened.passages
    assert (caught.value.snapshot_id, caught.value.file) == (opened.id, file)


def test_spelling_counts_words_under_their_headings(opened: Snapshot) -> None:
    spelling = opened.parts["default"].spelling
    assert (spelling["warm"], spelling["ice"], spelling["walking"]) == (1, 2, 1)
    assert "floor" not in spelling


def test_a_snapshot_in_the_format_before_goes_when_a_document_of_it_is_deleted(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    older = build_snapshot(documents, HashingEmbedder(), tmp_path).snapshot_id
    (tmp_path / older / "documents.json").unlink()
    assert read_versions(tmp_path / older) == {(document.id, document.version) for document in documents}
    build_snapshot(more_documents, HashingEmbedder(), tmp_path)
    assert drop_snapshots_with(tmp_path, {(documents[0].id, "another version")}) == []
    assert drop_snapshots_with(tmp_path, {(documents[0].id, documents[0].version)}) == [older]
    assert not (tmp_path / older).exists()


def test_only_so_many_stay_in_memory(tmp_path: Path, reads: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "KEPT_DOCUMENTS", 2)
    some = [make_document(f"d{number}", "T", ("H", f"Text number {number}.")) for number in range(3)]
    build_snapshot(some, HashingEmbedder(), tmp_path)
    held = open_snapshot(tmp_path, MODEL).documents
    for name in (some[0].id, some[1].id, some[0].id, some[2].id, some[0].id, some[1].id):
        assert json.dumps(held[name].text)
    assert len(reads) == 4


def test_views_that_were_changed_after_opening_are_not_used(documents: list[Document], tmp_path: Path) -> None:
    build_snapshot(documents, HashingEmbedder(), tmp_path, most_sentences=0)
    snapshot = open_snapshot(tmp_path, MODEL)
    views = snapshot.parts["default"].views
    assert [one.shape for one in views[:]] == [(len(p.sentences), 16) for p in snapshot.parts["default"].passages]
    with pytest.raises(IndexError):
        views[3]
    path = tmp_path / snapshot.id / "parts/1/passage-views.int8"
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(DamagedSnapshotError, match="was changed after it was opened"):
        views[0]
