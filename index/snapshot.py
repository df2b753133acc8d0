"""Published builds of an index: immutable folders, named by their content, verified before they are parsed.

FAISS does not notice a flipped bit in its file, so every file is checked against the sha256 in the manifest first.
How a snapshot is published stands in ``publishing.py``, what vouches for it in ``manifest.py``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.records import Attribution, Document, Page, Passage, Section, Source, Span
from index.dense import DenseIndex
from index.errors import DamagedSnapshotError, ForeignSnapshotError, NoSnapshotError
from index.lexical import LexicalIndex
from index.manifest import (
    CURRENT,
    FORMAT,
    MANIFEST,
    Manifest,
    check_files,
    current_snapshot_id,
    named_snapshots,
    read_manifest,
)
from index.publishing import KEPT, activate_snapshot, drop_snapshots_with, publish_snapshot

__all__ = [
    "FORMAT",
    "KEPT",
    "Manifest",
    "Snapshot",
    "activate_snapshot",
    "current_snapshot_id",
    "drop_snapshots_with",
    "open_newest_intact",
    "open_snapshot",
    "publish_snapshot",
    "read_manifest",
]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An opened snapshot: everything that a question needs.

    Attributes:
        id: Its name.
        manifest: What it is made of.
        documents: By id.
        passages: Rows of ``passage_vectors`` and ``passage_words``.
        sentences: Rows of ``sentence_vectors`` and ``sentence_words``: passage row and span.
        passage_vectors: Embeddings of passages under their headings.
        sentence_vectors: One combined vector a sentence, see :func:`index.building.combine`.
        passage_words: BM25 over passages under their headings.
        sentence_words: BM25 over sentences under their headings.
    """

    id: str
    manifest: Manifest
    documents: Mapping[str, Document]
    passages: Sequence[Passage]
    sentences: Sequence[tuple[int, Span]]
    passage_vectors: DenseIndex
    sentence_vectors: DenseIndex
    passage_words: LexicalIndex
    sentence_words: LexicalIndex


def open_snapshot(root: Path, model_id: str, snapshot_id: str | None = None) -> Snapshot:
    """Open a snapshot after checking format, model and every file.

    Args:
        root: Folder of all snapshots.
        model_id: Model that this process runs.
        snapshot_id: The snapshot; None takes the current one.

    Raises:
        NoSnapshotError: none was published, or none of that name.
        ForeignSnapshotError: another model or format made it; the message names both.
        DamagedSnapshotError: a file is missing or differs from the manifest. Nothing was parsed then.
    """
    name = snapshot_id or current_snapshot_id(root)
    try:
        manifest = read_manifest(root, name)
    except NoSnapshotError as error:
        if snapshot_id is None:
            raise DamagedSnapshotError(name, MANIFEST, f"is missing with its folder, but {CURRENT} names it") from error
        raise
    if manifest.model_id != model_id:
        raise ForeignSnapshotError(name, f"the model {manifest.model_id}", f"the model {model_id}")
    check_files(root, name, manifest)
    snapshot = _load(root / name, name, manifest)
    _check_counts(snapshot)
    return snapshot


def open_newest_intact(root: Path, model_id: str) -> tuple[Snapshot, DamagedSnapshotError | None]:
    """Open the current snapshot, or the newest kept one before it that is whole.

    Args:
        root: Folder of all snapshots.
        model_id: Model that this process runs.

    Returns:
        The snapshot, and what is wrong with the current one, or None where that is the one that was opened. The
        pointer is left as it is: repairing is the operator's decision. Where the pointer itself is damaged, the
        folders that are there are tried, the youngest first.

    Raises:
        NoSnapshotError: none was published.
        ForeignSnapshotError: another model or format made the current one, which no older one can mend.
        DamagedSnapshotError: no kept snapshot is whole; the error is the current one's.
    """
    try:
        return open_snapshot(root, model_id), None
    except DamagedSnapshotError as error:
        damage = error
    for name in named_snapshots(root) or _youngest_first(root):
        if name == damage.snapshot_id:
            continue
        try:
            return open_snapshot(root, model_id, name), damage
        except (DamagedSnapshotError, ForeignSnapshotError, NoSnapshotError):
            continue
    raise damage


def _youngest_first(root: Path) -> list[str]:
    folders = sorted(root.glob("snap_*"), key=lambda folder: (-folder.stat().st_mtime_ns, folder.name))
    return [folder.name for folder in folders]


def _load(folder: Path, name: str, manifest: Manifest) -> Snapshot:
    return Snapshot(
        id=name,
        manifest=manifest,
        documents={document.id: document for document in _read_documents(folder)},
        passages=tuple(_read_passages(folder)),
        sentences=tuple((row, Span(start, end)) for row, start, end in _lines(folder / "sentences.jsonl")),
        passage_vectors=DenseIndex.load(folder / "passages.faiss"),
        sentence_vectors=DenseIndex.load(folder / "sentences.faiss"),
        passage_words=LexicalIndex.load(folder / "passage-words"),
        sentence_words=LexicalIndex.load(folder / "sentence-words"),
    )


def _check_counts(snapshot: Snapshot) -> None:
    counts = snapshot.manifest.counts
    pairs = (
        ("documents.jsonl", len(snapshot.documents), counts["documents"]),
        ("passages.jsonl", len(snapshot.passages), counts["passages"]),
        ("sentences.jsonl", len(snapshot.sentences), counts["sentences"]),
        ("passages.faiss", len(snapshot.passage_vectors), counts["passages"]),
        ("sentences.faiss", len(snapshot.sentence_vectors), counts["sentences"]),
        ("passage-words", len(snapshot.passage_words), counts["passages"]),
        ("sentence-words", len(snapshot.sentence_words), counts["sentences"]),
    )
    for name, actual, expected in pairs:
        if actual != expected:
            raise DamagedSnapshotError(snapshot.id, name, f"has {actual} rows instead of {expected}")


def _read_documents(folder: Path) -> Iterator[Document]:
    for row in _lines(folder / "documents.jsonl"):
        yield Document(
            id=row["id"],
            source=Source(**row["source"]),
            title=row["title"],
            text=row["text"],
            sections=tuple(
                Section(tuple(s["heading_path"]), Span(**s["span"]), s["anchor"], s["page"]) for s in row["sections"]
            ),
            attributions=tuple(
                Attribution(Span(**a["span"]), tuple(a["facts"]), a["evidence"], Page(**a["page"]))
                for a in row["attributions"]
            ),
        )


def _read_passages(folder: Path) -> Iterator[Passage]:
    for row in _lines(folder / "passages.jsonl"):
        yield Passage(
            **{
                **row,
                "span": Span(**row["span"]),
                "heading_path": tuple(row["heading_path"]),
                "sentences": tuple(Span(**span) for span in row["sentences"]),
            }
        )


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
