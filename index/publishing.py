"""Making a snapshot the current one, so that a crash at any step leaves the old one or the new one, never a mix.

Written aside, flushed to the disk, renamed, and only then named by ``CURRENT``, which is itself replaced whole. One
publisher works at a time; a lock that dies with its process holds the others back.
"""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus.records import Document, Passage, Span
from index.dense import DenseIndex
from index.errors import NoSnapshotError, SnapshotError
from index.flushing import flush, flush_tree
from index.lexical import LexicalIndex
from index.manifest import (
    CURRENT,
    FORMAT,
    MANIFEST,
    Manifest,
    check_files,
    named_snapshots,
    read_manifest,
    sha256_of,
    snapshot_folder,
)

KEPT = 3
"""The current snapshot and the two before it stay on the disk."""

_LOCK = ".lock"
_NEW_POINTER = ".CURRENT.new"


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
    with _only_publisher(root):
        _clean_leftovers(root)
        aside = Path(tempfile.mkdtemp(prefix=".building-", dir=root))
        try:
            _write_rows(aside, documents, passages, sentences)
            passage_vectors, sentence_vectors, passage_words, sentence_words = indexes
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
                files=_facts(aside),
            )
            (aside / MANIFEST).write_bytes(manifest.to_bytes())
            flush_tree(aside)
            _move_into_place(aside, root, manifest.snapshot_id)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        _point_to(root, manifest.snapshot_id)
        _drop_old(root)
    return manifest


def activate_snapshot(root: Path, snapshot_id: str) -> None:
    """Make a kept snapshot the current one, atomically: forward or back.

    Raises:
        NoSnapshotError: there is no snapshot of that name.
        DamagedSnapshotError: it is damaged; the current one stays.
        ForeignSnapshotError: another version of Backline wrote it.
    """
    if not snapshot_folder(root, snapshot_id).is_dir():
        raise NoSnapshotError(root, snapshot_id)
    with _only_publisher(root):
        check_files(root, snapshot_id, read_manifest(root, snapshot_id))
        _point_to(root, snapshot_id)


def drop_snapshots_with(root: Path, versions: Collection[tuple[str, str]]) -> list[str]:
    """Remove every kept snapshot but the current one that holds one of these documents.

    What was deleted must not come back by rolling back, nor stay readable on the disk.

    Args:
        root: Folder of all snapshots.
        versions: Id and version of deleted documents.

    Returns:
        The names of the removed snapshots.
    """
    unwanted = set(versions)
    with _only_publisher(root):
        current, *before = named_snapshots(root) or [""]
        dropped = [name for name in before if unwanted & _held(root / name / "documents.jsonl")]
        if dropped:
            _write_pointer(root, [current, *(name for name in before if name not in dropped)])
            _drop_old(root)
    return dropped


def _held(documents: Path) -> set[tuple[str, str]]:
    try:
        with documents.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        return {(row["id"], row["version"]) for row in rows}
    except (OSError, ValueError, LookupError, TypeError):
        return set()  # a folder that nobody can read is no snapshot to roll back to


@contextmanager
def _only_publisher(root: Path) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True)
    with (root / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_rows(
    folder: Path, documents: Sequence[Document], passages: Sequence[Passage], sentences: Sequence[tuple[int, Span]]
) -> None:
    _write_lines(folder / "documents.jsonl", (asdict(document) for document in documents))
    _write_lines(folder / "passages.jsonl", (asdict(passage) for passage in passages))
    _write_lines(folder / "sentences.jsonl", ([row, span.start, span.end] for row, span in sentences))


def _write_lines(path: Path, rows: Iterator[Any]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n" for row in rows)


def _facts(folder: Path) -> dict[str, dict[str, Any]]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {
        file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": sha256_of(file)} for file in files
    }


def _move_into_place(aside: Path, root: Path, snapshot_id: str) -> None:
    """Rename the new folder to its name.

    An intact folder of that name has the same content and stays, so that the current snapshot is never without its
    files; a damaged one, which nobody could open, gives way.
    """
    target = root / snapshot_id
    if target.exists():
        try:
            check_files(root, snapshot_id, read_manifest(root, snapshot_id))
        except SnapshotError:
            target.rename(root / f".old-{snapshot_id}")
        else:
            return
    aside.rename(target)
    flush(root)


def _point_to(root: Path, snapshot_id: str) -> None:
    before = [name for name in named_snapshots(root) if name != snapshot_id]
    _write_pointer(root, [snapshot_id, *before[: KEPT - 1]])


def _write_pointer(root: Path, names: Sequence[str]) -> None:
    aside = root / _NEW_POINTER
    aside.write_text("\n".join(names) + "\n", encoding="utf-8")
    flush(aside)
    aside.replace(root / CURRENT)
    flush(root)


def _drop_old(root: Path) -> None:
    kept = set(named_snapshots(root))
    for folder in [*root.glob("snap_*"), *root.glob(".old-*")]:
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _clean_leftovers(root: Path) -> None:
    """Remove what a publisher that died left; the lock says that no living one needs it."""
    for folder in [*root.glob(".building-*"), *root.glob(".old-*")]:
        shutil.rmtree(folder, ignore_errors=True)
    (root / _NEW_POINTER).unlink(missing_ok=True)
