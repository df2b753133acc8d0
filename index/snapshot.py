"""Published builds of an index: immutable folders, named by their content, verified before they are parsed.

FAISS does not notice a flipped bit in its file, so every file is checked against the sha256 in the manifest first.
How a snapshot is published stands in ``publishing.py``, what vouches for it in ``manifest.py``.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from corpus.records import Passage, Span
from index.errors import DamagedSnapshotError, ForeignSnapshotError, NoSnapshotError, SnapshotError
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
from index.parts import PARTS, QUESTIONS, SHIPPED, Part, RemotePart, read_part
from index.publishing import (
    KEPT,
    activate_snapshot,
    check_current_snapshot,
    drop_snapshots_with,
    publish_snapshot,
    remote_parts,
)
from index.stored import StoredDocuments, open_documents

__all__ = [
    "FORMAT",
    "KEPT",
    "Manifest",
    "Snapshot",
    "activate_snapshot",
    "check_current_snapshot",
    "current_snapshot_id",
    "drop_snapshots_with",
    "open_newest_intact",
    "open_snapshot",
    "publish_snapshot",
    "read_manifest",
    "read_shipped",
    "remote_parts",
]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An opened snapshot: everything that a question needs; documents and passages are read when they are needed.

    Attributes:
        id: Its name.
        manifest: What it is made of.
        documents: Those of its parts, by id.
        parts: By collection.
        remote: Collections that an engine elsewhere holds.
    """

    id: str
    manifest: Manifest
    documents: StoredDocuments
    parts: Mapping[str, Part]
    remote: Mapping[str, RemotePart] = field(default_factory=dict)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Every passage, in the order of the collections' names: all of them are read."""
        return tuple(passage for part in self.parts.values() for passage in part.passages)

    def passage(self, passage_id: str) -> Passage | None:
        """Return the passage of that id, or None."""
        found = (part.passages[row] for part in self.parts.values() for row in part.owners.rows_named(passage_id))
        return next((passage for passage in found if passage.id == passage_id), None)

    def passage_at(self, document_id: str, span: Span) -> Passage:
        """Return the passage of a document in which a span lies.

        Raises:
            LookupError: there is none.
        """
        for part in self.parts.values():
            rows: list[int] = part.owners.rows_where(lambda document, _: document == document_id).tolist()
            for row in rows:
                if part.passages[row].span.contains(span):
                    return part.passages[row]
        raise LookupError(f"no passage of {document_id} holds {span}")

    def passages_by_source(self) -> Counter[str]:
        """Return how many passages there are of each source."""
        return sum((part.owners.by_source() for part in self.parts.values()), Counter())


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
    snapshot = _load(root, name, manifest)
    _check_counts(snapshot)
    return snapshot


def read_shipped(root: Path, model_id: str, shipped: str) -> Part | None:
    """Return the shipped collection of the current snapshot, checked before it is parsed; the rest is not read.

    Args:
        root: Folder of all snapshots.
        model_id: Model that this process runs.
        shipped: Digest of what it would be made from now.

    Returns:
        None where there is no such snapshot, or one of another model, from something else or damaged.
    """
    with suppress(SnapshotError):
        name = current_snapshot_id(root)
        manifest = read_manifest(root, name)
        folders = {collection: f"{PARTS}/{number}" for number, collection in enumerate(manifest.collections)}
        folder = folders.get(SHIPPED, "")
        here = f"{folder}/{QUESTIONS}" in manifest.files  # not on an engine elsewhere
        if here and manifest.model_id == model_id and manifest.made_from.get("shipped") == shipped:
            check_files(root, name, manifest, f"{folder}/")
            return read_part(root / name, folder, manifest.files)
    return None


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


def _load(root: Path, name: str, manifest: Manifest) -> Snapshot:
    folder, remote = root / name, remote_parts(root, manifest)
    parts = {
        collection: read_part(folder, f"{PARTS}/{number}", manifest.files)
        for number, collection in enumerate(manifest.collections)
        if collection not in remote
    }
    return Snapshot(
        id=name,
        manifest=manifest,
        documents=open_documents(folder),
        parts=parts,
        remote=remote,
    )


def _check_counts(snapshot: Snapshot) -> None:
    pairs = [("documents.jsonl", len(snapshot.documents), snapshot.manifest.counts["documents"])]
    for number, (collection, counts) in enumerate(snapshot.manifest.collections.items()):
        if collection in snapshot.remote:
            continue
        part = snapshot.parts[collection]
        for name, actual in part.row_counts().items():
            wanted = next(count for kind, count in counts.items() if name.startswith(kind.rstrip("s")))
            pairs.append((f"{PARTS}/{number}/{name}", actual, wanted))
    for name, actual, wanted in pairs:
        if actual != wanted:
            raise DamagedSnapshotError(snapshot.id, name, f"has {actual} rows instead of {wanted}")
