from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import CorpusError
from corpus.records import Document
from corpus.splitting import SPLITTER_VERSION
from index.building import build_snapshot, combine, sentence_text
from index.errors import NoSnapshotError
from index.manifest import MOST_SENTENCES
from index.snapshot import current_snapshot_id, open_snapshot
from tests.index.fakes import HashingEmbedder, make_document


def test_rows_follow_document_ids_and_their_order_in_the_text(
    documents: list[Document], embedder: HashingEmbedder, tmp_path: Path
) -> None:
    manifest = build_snapshot(reversed(documents), embedder, tmp_path)
    snapshot = open_snapshot(tmp_path, embedder.model_id)
    assert [(p.document_id, p.heading_path) for p in snapshot.passages] == [
        ("doc_private", ("Heat",)),
        ("doc_walking", ("Short walks",)),
        ("doc_warmth", ("Heat",)),
        ("doc_warmth", ("Ice",)),
    ]
    assert [row for row, _ in snapshot.parts["clinic"].sentences] == [0]
    assert [row for row, _ in snapshot.parts["default"].sentences] == [0, 0, 1, 1, 2, 2]
    assert manifest.counts == {"documents": 3, "passages": 4, "sentences": 7, "questions": 0}
    assert manifest.collections == {
        "clinic": {"passages": 1, "sentences": 1, "questions": 0},
        "default": {"passages": 3, "sentences": 6, "questions": 0},
    }
    assert manifest.splitter == {"version": SPLITTER_VERSION, "budget": 64, "most_sentences": MOST_SENTENCES}
    assert (manifest.model_id, manifest.dimension) == ("hashing@1", 16)


def test_vectors_are_those_of_the_texts_under_their_headings(
    documents: list[Document], embedder: HashingEmbedder, tmp_path: Path
) -> None:
    build_snapshot(documents, embedder, tmp_path)
    snapshot = open_snapshot(tmp_path, embedder.model_id)
    part = snapshot.parts["default"]
    ice = part.passages[2]
    assert ice.embedded_text == "Warmth and cold › Ice\nAn ice pack can numb soreness. Wrap it in a towel."
    assert np.array_equal(part.passage_vectors.vectors([2]), embedder.embed([ice.embedded_text]))
    in_context, plain, passage, heading = embedder.embed(
        ["Warmth and cold › Ice\nWrap it in a towel.", "Wrap it in a towel.", ice.embedded_text, "Ice"]
    )
    total = in_context + 0.75 * plain + 0.25 * passage + 0.25 * heading
    assert part.sentence_vectors.vectors([5])[0] == pytest.approx(total / np.linalg.norm(total), abs=1e-6)
    assert sentence_text(ice, ice.sentences[1]) == "Warmth and cold › Ice\nWrap it in a towel."


def test_combined_vectors_are_the_weighted_sum_at_unit_length() -> None:
    east, north = np.array([[1, 0]], dtype=np.float32), np.array([[0, 1]], dtype=np.float32)
    # 1 + 0.25 + 0.25 eastward against 0.75 northward: (1.5, 0.75) has length 1.677051.
    assert combine(east, north, east, east, [0])[0].tolist() == pytest.approx([0.894427, 0.447214], abs=1e-6)


def test_the_same_documents_and_model_give_the_same_snapshot(documents: list[Document], tmp_path: Path) -> None:
    one = build_snapshot(documents, HashingEmbedder(), tmp_path / "one")
    two = build_snapshot(list(reversed(documents)), HashingEmbedder(), tmp_path / "two")
    assert one == two
    assert one.snapshot_id == two.snapshot_id == current_snapshot_id(tmp_path / "one")
    other = build_snapshot(documents, HashingEmbedder("hashing@2"), tmp_path / "one")
    assert other.snapshot_id != one.snapshot_id


def test_progress_is_told(documents: list[Document], embedder: HashingEmbedder, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    build_snapshot(documents, embedder, tmp_path, lambda done, of: told.append((done, of)))
    assert told[-1] == (22, 22)  # 4 passages, 4 headings, 7 sentences in two views


def test_above_a_size_only_passages_of_a_users_collection_are_embedded(
    documents: list[Document], embedder: HashingEmbedder, tmp_path: Path
) -> None:
    digest = replace(documents[1], source=replace(documents[1].source, digest=True))
    build_snapshot([digest, documents[2]], embedder, tmp_path, most_sentences=0)
    parts = open_snapshot(tmp_path, embedder.model_id).parts
    assert (len(parts["clinic"].passages), len(parts["clinic"].sentences)) == (1, 0)
    assert (len(parts["clinic"].sentence_vectors), len(parts["clinic"].sentence_words)) == (0, 0)
    assert len(parts["default"].sentences) == 2  # what is calibrated keeps its sentences
    assert "House notes › Heat\nThe warm bath is on the second floor." in embedder.seen
    assert "The warm bath is on the second floor." not in embedder.seen
    assert [len(views) for views in parts["clinic"].views] == [1]
    assert len(parts["default"].views) == 0


@pytest.mark.parametrize("documents", [[], [make_document("blank", "Blank", ("Nothing", "  "))]])
def test_a_corpus_without_text_is_refused_and_publishes_nothing(documents: list[Document], tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="there is nothing to index"):
        build_snapshot(documents, HashingEmbedder(), tmp_path)
    with pytest.raises(NoSnapshotError):
        current_snapshot_id(tmp_path)


def test_two_documents_of_one_id_are_refused(documents: list[Document], tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="doc_walking stands twice"):
        build_snapshot([*documents, documents[1]], HashingEmbedder(), tmp_path)


def test_an_embedder_of_vectors_that_are_not_of_unit_length_is_refused(
    documents: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = HashingEmbedder()
    monkeypatch.setattr(embedder, "embed", lambda texts, _progress: np.full((len(texts), 16), 0.5, dtype=np.float32))
    with pytest.raises(ValueError, match="unit length"):
        build_snapshot(documents, embedder, tmp_path)
