import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpus.questions import KnownQuestion
from corpus.records import Attribution, Document, Page, Section, Source, Span
from corpus.splitting import split_document
from index.building import build_snapshot
from index.errors import DamagedSnapshotError, ForeignSnapshotError, NoSnapshotError
from index.manifest import MOST_SENTENCES
from index.snapshot import Snapshot, activate_snapshot, open_newest_intact, open_snapshot
from index.stored import write_documents
from tests.index.fakes import HashingEmbedder

MODEL = "hashing@1"
FILES = (
    "documents.json",
    "documents.jsonl",
    "documents.safetensors",
    "manifest.json",
    "parts/1/passage-words/scores.safetensors",
    "parts/1/passage-words/vocabulary.json",
    "parts/1/passages.faiss",
    "parts/1/passages.json",
    "parts/1/passages.jsonl",
    "parts/1/passages.safetensors",
    "parts/1/questions.faiss",
    "parts/1/questions.json",
    "parts/1/sentence-words/scores.safetensors",
    "parts/1/sentence-words/vocabulary.json",
    "parts/1/sentences.faiss",
    "parts/1/sentences.jsonl",
    "parts/1/spelling.json",
)


OF_LARGE = ("parts/1/passage-views.int8", "parts/1/passage-views.safetensors")
"""What only a large collection has."""


@pytest.fixture
def two(documents: list[Document], more_documents: list[Document], tmp_path: Path) -> tuple[Path, str, str]:
    """A folder with an older and a current snapshot."""
    return published(documents, more_documents, tmp_path, MOST_SENTENCES)


def published(
    documents: list[Document], more_documents: list[Document], root: Path, most_sentences: int
) -> tuple[Path, str, str]:
    older, newer = (
        build_snapshot(held, HashingEmbedder(), root, most_sentences=most_sentences, questions=(known,)).snapshot_id
        for held, known in (
            (documents, KnownQuestion("is warmth good", ("a:F01",))),
            (more_documents, KnownQuestion("what is a towel worth", reason="not_in_sources")),
        )
    )
    return root, older, newer


def _truncated(file: Path, _other: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _emptied(file: Path, _other: Path) -> None:
    file.write_bytes(b"")


def _lengthened(file: Path, _other: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


def _first_bit(file: Path, _other: Path) -> None:
    _flip(file, 0)


def _middle_bit(file: Path, _other: Path) -> None:
    _flip(file, file.stat().st_size // 2)


def _last_bit(file: Path, _other: Path) -> None:
    _flip(file, -1)


def _flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def _zeroed_page(file: Path, _other: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(bytes(min(4096, len(content))) + content[4096:])


def _missing(file: Path, _other: Path) -> None:
    file.unlink()


def _a_folder_instead(file: Path, _other: Path) -> None:
    file.unlink()
    file.mkdir()


def _swapped(file: Path, other: Path) -> None:
    assert file.read_bytes() != other.read_bytes()
    shutil.copyfile(other, file)


DAMAGES = (
    _truncated,
    _emptied,
    _lengthened,
    _first_bit,
    _middle_bit,
    _last_bit,
    _zeroed_page,
    _missing,
    _a_folder_instead,
    _swapped,
)


def test_the_list_of_files_that_are_damaged_is_whole(two: tuple[Path, str, str]) -> None:
    root, _, current = two
    on_disk = [path.relative_to(root / current).as_posix() for path in (root / current).rglob("*") if path.is_file()]
    other = [name.replace("parts/1", "parts/0") for name in FILES if name.startswith("parts/")]
    assert sorted(on_disk) == sorted([*FILES, *other])


def test_a_large_collection_has_the_same_files_and_its_views(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    root, _, current = published(documents, more_documents, tmp_path, 0)
    part = root / current / "parts" / "1"
    on_disk = {path.relative_to(root / current).as_posix() for path in part.rglob("*") if path.is_file()}
    assert on_disk == {*(name for name in FILES if name.startswith("parts/")), *OF_LARGE}


@pytest.mark.drill("R3")
@pytest.mark.parametrize("file", [*FILES, *OF_LARGE])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_every_damage_to_every_file_is_refused_before_parsing_and_the_older_snapshot_serves(
    documents: list[Document],
    more_documents: list[Document],
    tmp_path: Path,
    file: str,
    damage: Callable[[Path, Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most_sentences = 0 if file in OF_LARGE else MOST_SENTENCES
    root, older, current = published(documents, more_documents, tmp_path, most_sentences)
    damage(root / current / file, root / older / file)
    with monkeypatch.context() as patch:
        patch.setattr("index.snapshot._load", lambda *_: pytest.fail("a damaged snapshot was parsed"))
        with pytest.raises(DamagedSnapshotError) as caught:
            open_snapshot(root, MODEL)
    assert (caught.value.snapshot_id, caught.value.file) == (current, file)
    assert file in str(caught.value)
    snapshot, error = open_newest_intact(root, MODEL)
    assert snapshot.id == older
    assert error is not None
    assert (error.snapshot_id, error.file) == (current, file)
    with pytest.raises(DamagedSnapshotError):
        activate_snapshot(root, current)


def _facts(snapshot: Snapshot) -> list[object]:
    return [
        dict(snapshot.documents),
        snapshot.passages,
        [part.sentences for part in snapshot.parts.values()],
        snapshot.manifest,
        snapshot.id,
    ]


def test_an_opened_snapshot_holds_what_was_built(documents: list[Document], tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    manifest = build_snapshot(documents, embedder, tmp_path)
    snapshot = open_snapshot(tmp_path, MODEL)
    assert (snapshot.id, snapshot.manifest) == (manifest.snapshot_id, manifest)
    assert dict(snapshot.documents) == {document.id: document for document in documents}
    assert [passage.text for passage in snapshot.passages] == [
        "The warm bath is on the second floor.",
        "Walk a little every hour. Étirez-vous — stretch “gently” 🙂 before a walk.",
        "A warm bath relaxes tight muscles. Keep heat packs away from bare skin.",
        "An ice pack can numb soreness. Wrap it in a towel.",
    ]
    part = snapshot.parts["default"]
    assert [*snapshot.parts["clinic"].passages, *part.passages] == list(snapshot.passages)
    texts = [passage.embedded_text for passage in part.passages]
    assert np.array_equal(part.passage_vectors.vectors(range(3)), embedder.embed(texts))
    assert _facts(open_snapshot(tmp_path, MODEL)) == _facts(snapshot)
    assert _facts(open_snapshot(tmp_path, MODEL, manifest.snapshot_id)) == _facts(snapshot)


def test_every_field_of_a_document_survives(tmp_path: Path) -> None:
    text = "A warm bath helps. So does rest."
    page = Page("page", "A page", "Publisher", "https://example.org/a", "2024-05")
    document = Document(
        id="doc_full",
        source=Source(
            "full", "T", "Publisher", "P", "https://example.org/", "CC0", "credit", "2024", "2025-01-02", "note",
            quotable=True, digest=True, collection="c",
        ),
        title="T",
        text=text,
        sections=(Section(("Outer", "Inner"), Span(0, len(text)), "anchor", 3),),
        attributions=(Attribution(Span(0, 18), ("full:F01", "full:F02"), "copy", page),),
    )  # fmt: skip
    build_snapshot([document], HashingEmbedder(), tmp_path)
    snapshot = open_snapshot(tmp_path, MODEL)
    assert snapshot.documents["doc_full"] == document
    assert (snapshot.passages[0].anchor, snapshot.passages[0].page) == ("anchor", 3)
    embedder = HashingEmbedder()
    assert list(snapshot.passages) == split_document(document, embedder.count_tokens, embedder.token_budget)


def test_another_model_is_refused_by_the_name_of_both(two: tuple[Path, str, str]) -> None:
    root, _, current = two
    for opened in (lambda: open_snapshot(root, "other@2"), lambda: open_newest_intact(root, "other@2")):
        with pytest.raises(ForeignSnapshotError, match=r"the model hashing@1, but .* the model other@2") as caught:
            opened()
        assert (caught.value.snapshot_id, caught.value.made_with, caught.value.running) == (
            current,
            "the model hashing@1",
            "the model other@2",
        )


def test_another_format_is_refused(two: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.manifest.FORMAT", 8)
    with pytest.raises(ForeignSnapshotError, match="snapshot format 7, but this process runs format 8"):
        open_snapshot(two[0], MODEL)


def test_nothing_published_is_said_plainly(tmp_path: Path) -> None:
    for opened in (lambda: open_snapshot(tmp_path, MODEL), lambda: open_newest_intact(tmp_path, MODEL)):
        with pytest.raises(NoSnapshotError, match="there is no index yet"):
            opened()
    with pytest.raises(NoSnapshotError, match="there is no snapshot 'snap_0123456789abcdef'"):
        open_snapshot(tmp_path, MODEL, "snap_0123456789abcdef")


def test_a_whole_current_snapshot_is_opened_without_an_error(two: tuple[Path, str, str]) -> None:
    snapshot, error = open_newest_intact(two[0], MODEL)
    assert (snapshot.id, error) == (two[2], None)


def test_a_current_snapshot_whose_folder_is_gone_counts_as_damaged(two: tuple[Path, str, str]) -> None:
    root, older, current = two
    shutil.rmtree(root / current)
    with pytest.raises(DamagedSnapshotError, match=f"snapshot {current} is damaged: manifest.json is missing"):
        open_snapshot(root, MODEL)
    assert open_newest_intact(root, MODEL)[0].id == older


def test_a_damaged_pointer_falls_back_to_the_youngest_folder(two: tuple[Path, str, str]) -> None:
    root, _, current = two
    (root / "CURRENT").write_bytes(b"\0" * 44)
    snapshot, error = open_newest_intact(root, MODEL)
    assert snapshot.id == current
    assert error is not None
    assert error.file == "CURRENT"


def test_when_nothing_is_whole_the_error_is_the_current_ones(two: tuple[Path, str, str]) -> None:
    root, older, current = two
    for name in (older, current):
        (root / name / "parts/0/passages.faiss").unlink()
    with pytest.raises(DamagedSnapshotError) as caught:
        open_newest_intact(root, MODEL)
    assert caught.value.snapshot_id == current


def test_rows_that_do_not_add_up_are_refused(
    documents: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.publishing.write_documents", lambda folder, some: write_documents(folder, some[:-1]))
    build_snapshot(documents, HashingEmbedder(), tmp_path)
    with pytest.raises(DamagedSnapshotError, match=r"documents\.jsonl has 2 rows instead of 3"):
        open_snapshot(tmp_path, MODEL)
