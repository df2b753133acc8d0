"""Making a snapshot the current one, so that a crash at any step leaves the old one or the new one, never a mix.

Written aside, flushed to the disk, renamed, and only then named by ``CURRENT``, which is itself replaced whole. One
publisher works at a time; a lock that dies with its process holds the others back.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corpus.records import Document
from index.errors import DamagedSnapshotError, NoSnapshotError, SnapshotError
from index.flushing import flush, flush_tree
from index.manifest import (
    CURRENT,
    FORMAT,
    MANIFEST,
    Manifest,
    check_files,
    current_snapshot_id,
    named_snapshots,
    read_manifest,
    sha256_of,
    snapshot_folder,
)
from index.parts import PARTS, REMOTE, Part, RemotePart, read_remote, write_part, write_remote
from index.stored import read_versions, write_documents

KEPT = 3
"""The current snapshot and the two before it stay on the disk."""

_LOCK = ".lock"
_NEW_POINTER = ".CURRENT.new"


def publish_snapshot(
    root: Path,
    model_id: str,
    splitter: Mapping[str, int],
    documents: Sequence[Document],
    parts: Mapping[str, Part],
    remote: Mapping[str, RemotePart] | None = None,
    made_from: Mapping[str, str] | None = None,
) -> Manifest:
    """Write a snapshot below ``root`` and make it the current one.

    Args:
        root: Folder of all snapshots; made when missing.
        model_id: Model that made the vectors.
        splitter: Version and budget of the splitter.
        documents: Documents in order.
        parts: By collection, at least one.
        remote: Collections that an engine elsewhere holds.
        made_from: What it is made from, as digests: whoever builds knows what they cover.

    Returns:
        The manifest. A crash at any step leaves the old snapshot or the new one current, never a mix.
    """
    with _only_publisher(root):
        _clean_leftovers(root)
        aside = Path(tempfile.mkdtemp(prefix=".building-", dir=root))
        try:
            every: dict[str, Part | RemotePart] = {**parts, **(remote or {})}
            write_documents(aside, documents)
            counts = {
                name: _write(aside / PARTS / str(number), every[name]) for number, name in enumerate(sorted(every))
            }
            manifest = Manifest(
                format=FORMAT,
                model_id=model_id,
                dimension=next(iter(parts.values())).passage_vectors.dimension,
                splitter=dict(splitter),
                made_from=dict(made_from or {}),
                counts={"documents": len(documents)}
                | {
                    kind: sum(count[kind] for count in counts.values())
                    for kind in ("passages", "sentences", "questions")
                },
                collections=counts,
                files=_facts(aside, _of_dense([every[name] for name in sorted(every)])),
            )
            (aside / MANIFEST).write_bytes(manifest.to_bytes())
            flush_tree(aside)
            _move_into_place(aside, root, manifest.snapshot_id)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        _point_to(root, manifest.snapshot_id)
        _drop_old(root)
    return manifest


def _write(folder: Path, part: Part | RemotePart) -> dict[str, int]:
    """Write one collection and return its counts."""
    if isinstance(part, RemotePart):
        write_remote(folder, part)
        return {"passages": part.counts.passages, "sentences": 0, "questions": 0}
    write_part(folder, part)
    return {"passages": len(part.passages), "sentences": len(part.sentences), "questions": len(part.questions)}


def receive_snapshot(root: Path, snapshot_id: str, fetch: Callable[[str, Path], None]) -> None:
    """Bring a snapshot from elsewhere below ``root`` and make it the current one; one that is here is not fetched.

    Args:
        root: Folder of all snapshots; made when missing.
        snapshot_id: Its name, which vouches for its content.
        fetch: Copies one file of it, by its relative name, to a path.

    Raises:
        DamagedSnapshotError: what arrived is not what the name vouches for; the current one stays.
        ForeignSnapshotError: another version of Backline wrote it.
    """
    with _only_publisher(root):
        _clean_leftovers(root)
        if not _is_whole(root, snapshot_id):
            aside = Path(tempfile.mkdtemp(prefix=".building-", dir=root))
            try:
                folder = snapshot_folder(aside, snapshot_id)
                folder.mkdir()
                fetch(MANIFEST, folder / MANIFEST)
                manifest = read_manifest(aside, snapshot_id)
                for name in manifest.files:
                    target = folder / name
                    if not target.resolve().is_relative_to(folder.resolve()):
                        raise DamagedSnapshotError(snapshot_id, MANIFEST, "names a file outside its folder")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    fetch(name, target)
                check_files(aside, snapshot_id, manifest)
                flush_tree(folder)
                _move_into_place(folder, root, snapshot_id)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        _point_to(root, snapshot_id)
        _drop_old(root)


def check_current_snapshot(root: Path) -> Manifest:
    """Return the manifest of the current snapshot after checking every file; nothing else is read.

    Raises:
        NoSnapshotError: none was published.
        DamagedSnapshotError: it is damaged.
        ForeignSnapshotError: another version of Backline wrote it.
    """
    name = current_snapshot_id(root)
    manifest = read_manifest(root, name)
    check_files(root, name, manifest)
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

    What was deleted must not come back by rolling back, nor stay readable on the disk. Of a collection on an engine
    elsewhere a snapshot names no documents: one goes that counts words which are no longer there.

    Args:
        root: Folder of all snapshots.
        versions: Id and version of deleted documents.

    Returns:
        The names of the removed snapshots.
    """
    unwanted = set(versions)
    if not unwanted:
        return []
    with _only_publisher(root):
        current, *before = named_snapshots(root) or [""]
        now = _remote(root, current)
        dropped = [
            name for name in before if unwanted & _held(root / name) or _has_lost_words(_remote(root, name), now)
        ]
        if dropped:
            _write_pointer(root, [current, *(name for name in before if name not in dropped)])
            _drop_old(root)
    return dropped


def _held(folder: Path) -> set[tuple[str, str]]:
    try:
        return read_versions(folder)
    except (OSError, ValueError, LookupError, TypeError):
        return set()  # a folder that nobody can read is no snapshot to roll back to


def remote_parts(root: Path, manifest: Manifest) -> dict[str, RemotePart]:
    """Return the collections of a snapshot that an engine elsewhere holds; :func:`check_files` comes before."""
    folders = {name: f"{PARTS}/{number}" for number, name in enumerate(manifest.collections)}
    return {
        name: read_remote(root / manifest.snapshot_id / folder)
        for name, folder in folders.items()
        if f"{folder}/{REMOTE}" in manifest.files
    }


def _remote(root: Path, snapshot_id: str) -> dict[str, RemotePart] | None:
    try:
        return remote_parts(root, read_manifest(root, snapshot_id))
    except (SnapshotError, OSError, ValueError, LookupError, TypeError):
        return None


def _has_lost_words(before: Mapping[str, RemotePart] | None, now: Mapping[str, RemotePart] | None) -> bool:
    """Whether a collection elsewhere had words of which there are fewer now."""
    if before is None or now is None:
        return False
    left = {name: part.counts.words for name, part in now.items()}
    return any(
        count > left.get(name, {}).get(word, 0)
        for name, part in before.items()
        for word, count in part.counts.words.items()
    )


@contextmanager
def _only_publisher(root: Path) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True)
    with (root / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _facts(folder: Path, more: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    names = (file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if file.is_file())
    return {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name), **more.get(name, {})}
        for name in names
    }


def _of_dense(parts: Sequence[Part | RemotePart]) -> dict[str, dict[str, Any]]:
    """Return of each file of vectors what its index is, and the recall that was measured when it was built."""
    return {
        f"{PARTS}/{number}/{name}.faiss": {"index": index.kind, "recall_at_10": index.recall}
        for number, part in enumerate(parts)
        if isinstance(part, Part)
        for name, index in (
            ("passages", part.passage_vectors),
            ("sentences", part.sentence_vectors),
            ("questions", part.question_vectors),
        )
    }


def _move_into_place(aside: Path, root: Path, snapshot_id: str) -> None:
    """Rename the new folder to its name.

    An intact folder of that name has the same content and stays, so that the current snapshot is never without its
    files; a damaged one, which nobody could open, gives way.
    """
    if _is_whole(root, snapshot_id):
        return
    target = root / snapshot_id
    if target.exists():
        target.rename(root / f".old-{snapshot_id}")
    aside.rename(target)
    flush(root)


def _is_whole(root: Path, snapshot_id: str) -> bool:
    try:
        check_files(root, snapshot_id, read_manifest(root, snapshot_id))
    except SnapshotError:
        return False
    return True


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
