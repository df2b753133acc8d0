"""Published builds of an index: immutable folders, named by their content, verified before they are parsed.

A snapshot is written aside, flushed to the disk, renamed, and only then named by ``CURRENT``. FAISS does not
notice a flipped bit in its file, so every file is checked against the sha256 in the manifest first.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpus.records import Attribution, Document, Page, Passage, Section, Source, Span
from index.dense import DenseIndex
from index.errors import DamagedSnapshotError, ForeignSnapshotError, NoSnapshotError
from index.lexical import LexicalIndex

FORMAT = 1
KEPT = 3
"""The current snapshot and the two before it stay on the disk."""

_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot is made of.

    Attributes:
        format: Version of the layout.
        model_id: Model that made the vectors.
        dimension: Length of a vector.
        splitter: Version of the splitter and its token budget.
        counts: Documents, passages and sentences.
        files: Size and sha256 of every other file, by relative path.
    """

    format: int
    model_id: str
    dimension: int
    splitter: Mapping[str, int]
    counts: Mapping[str, int]
    files: Mapping[str, Mapping[str, Any]]

    @property
    def snapshot_id(self) -> str:
        """Name made from the content: equal content has the same name."""
        return "snap_" + hashlib.sha256(_canonical(asdict(self))).hexdigest()[:16]


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
        sentence_vectors: Embeddings of sentences under their headings.
        passage_words: BM25 over the same texts.
        sentence_words: BM25 over the same texts.
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


def publish_snapshot(
    root: Path,
    model_id: str,
    splitter: Mapping[str, int],
    documents: Sequence[Document],
    passages: Sequence[Passage],
    sentences: Sequence[tuple[int, Span]],
    indexes: tuple[DenseIndex, DenseIndex, LexicalIndex, LexicalIndex],
) -> Manifest:
    """Write a snapshot below ``root`` and make it the current one.

    Args:
        root: Folder of all snapshots; made when missing.
        model_id: Model that made the vectors.
        splitter: Version and budget of the splitter.
        documents: Documents in order.
        passages: Passages in row order.
        sentences: Passage row and span of each sentence, in row order.
        indexes: Passage vectors, sentence vectors, passage words, sentence words.

    Returns:
        The manifest. A crash at any step leaves the old snapshot or the new one current, never a mix.
    """
    root.mkdir(parents=True, exist_ok=True)
    _clean_leftovers(root)
    aside = Path(tempfile.mkdtemp(prefix=".building-", dir=root))
    try:
        passage_vectors, sentence_vectors, passage_words, sentence_words = indexes
        _write_lines(aside / "documents.jsonl", (asdict(document) for document in documents))
        _write_lines(aside / "passages.jsonl", (asdict(passage) for passage in passages))
        _write_lines(aside / "sentences.jsonl", ([row, span.start, span.end] for row, span in sentences))
        passage_vectors.save(aside / "passages.faiss")
        sentence_vectors.save(aside / "sentences.faiss")
        passage_words.save(aside / "passage-words")
        sentence_words.save(aside / "sentence-words")
        manifest = Manifest(
            format=FORMAT,
            model_id=model_id,
            dimension=passage_vectors.dimension,
            splitter=dict(splitter),
            counts={"documents": len(documents), "passages": len(passages), "sentences": len(sentences)},
            files={
                file.relative_to(aside).as_posix(): {"bytes": file.stat().st_size, "sha256": _sha256(file)}
                for file in sorted(aside.rglob("*"))
                if file.is_file()
            },
        )
        (aside / _MANIFEST).write_bytes(_canonical(asdict(manifest)))
        _flush(aside)
        _move_into_place(aside, root / manifest.snapshot_id)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    activate_snapshot(root, manifest.snapshot_id)
    _drop_old(root, manifest.snapshot_id)
    return manifest


def activate_snapshot(root: Path, snapshot_id: str) -> None:
    """Make a snapshot the current one, atomically.

    Raises:
        NoSnapshotError: there is no snapshot of that name.
    """
    if not (root / snapshot_id / _MANIFEST).exists():
        raise NoSnapshotError(root)
    aside = root / ".CURRENT.new"
    history = [name for name in _history(root) if name != snapshot_id]
    aside.write_text("\n".join([snapshot_id, *history[: KEPT - 1]]) + "\n", encoding="utf-8")
    _flush_file(aside)
    aside.replace(root / "CURRENT")
    _flush_folder(root)


def current_snapshot_id(root: Path) -> str:
    """Return the name of the current snapshot.

    Raises:
        NoSnapshotError: none was published.
    """
    history = _history(root)
    if not history:
        raise NoSnapshotError(root)
    return history[0]


def read_manifest(root: Path, snapshot_id: str) -> Manifest:
    """Return the manifest of a snapshot, checked against the name of its folder.

    Raises:
        NoSnapshotError: the folder is gone.
        DamagedSnapshotError: the manifest is missing, unreadable or not the one that gave the folder its name.
    """
    folder = root / snapshot_id
    if not folder.is_dir():
        raise NoSnapshotError(root)
    try:
        manifest = Manifest(**json.loads((folder / _MANIFEST).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise DamagedSnapshotError(snapshot_id, _MANIFEST, "is missing") from error
    except (ValueError, TypeError) as error:
        raise DamagedSnapshotError(snapshot_id, _MANIFEST, "is not readable") from error
    if manifest.snapshot_id != snapshot_id:
        raise DamagedSnapshotError(
            snapshot_id, _MANIFEST, f"has the content of {manifest.snapshot_id} (its name is made from its content)"
        )
    return manifest


def open_snapshot(root: Path, model_id: str, snapshot_id: str | None = None) -> Snapshot:
    """Open a snapshot after checking format, model and every file.

    Args:
        root: Folder of all snapshots.
        model_id: Model that this process runs.
        snapshot_id: The snapshot; None takes the current one.

    Raises:
        NoSnapshotError: none was published.
        ForeignSnapshotError: another model or format made it; the message names both.
        DamagedSnapshotError: a file is missing or differs from the manifest. Nothing was parsed then.
    """
    name = snapshot_id or current_snapshot_id(root)
    manifest = read_manifest(root, name)
    if manifest.format != FORMAT:
        raise ForeignSnapshotError(name, f"snapshot format {manifest.format}", f"format {FORMAT}")
    if manifest.model_id != model_id:
        raise ForeignSnapshotError(name, f"the model {manifest.model_id}", f"the model {model_id}")
    folder = root / name
    for file, facts in manifest.files.items():
        _check_file(name, folder / file, file, facts)
    snapshot = Snapshot(
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
    _check_counts(snapshot)
    return snapshot


def _check_file(snapshot_id: str, path: Path, name: str, facts: Mapping[str, Any]) -> None:
    if not path.is_file():
        raise DamagedSnapshotError(snapshot_id, name, "is missing")
    if path.stat().st_size != facts["bytes"]:
        raise DamagedSnapshotError(snapshot_id, name, f"has {path.stat().st_size} bytes instead of {facts['bytes']}")
    actual = _sha256(path)
    if actual != facts["sha256"]:
        raise DamagedSnapshotError(
            snapshot_id, name, f"has the sha256 {actual[:12]}… instead of {str(facts['sha256'])[:12]}…"
        )


def _check_counts(snapshot: Snapshot) -> None:
    pairs = (
        ("passages.faiss", len(snapshot.passage_vectors), len(snapshot.passages)),
        ("sentences.faiss", len(snapshot.sentence_vectors), len(snapshot.sentences)),
        ("passage-words", len(snapshot.passage_words), len(snapshot.passages)),
        ("sentence-words", len(snapshot.sentence_words), len(snapshot.sentences)),
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


def _write_lines(path: Path, rows: Iterator[Any]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n" for row in rows)


def _canonical(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _history(root: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return (root / "CURRENT").read_text(encoding="utf-8").split()
    return []


def _move_into_place(aside: Path, target: Path) -> None:
    """Rename the new folder to its name; an older folder of that name is equal or damaged, so it gives way."""
    if target.exists():
        away = target.with_name(f".old-{target.name}")
        shutil.rmtree(away, ignore_errors=True)
        target.rename(away)
        aside.rename(target)
        shutil.rmtree(away, ignore_errors=True)
    else:
        aside.rename(target)
    _flush_folder(target.parent)


def _drop_old(root: Path, current: str) -> None:
    kept = {current, *_history(root)[:KEPT]}
    for folder in root.glob("snap_*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _clean_leftovers(root: Path) -> None:
    for pattern in (".building-*", ".old-*"):
        for folder in root.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)


def _flush(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            _flush_file(path)
        else:
            _flush_folder(path)
    _flush_folder(folder)


def _flush_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
