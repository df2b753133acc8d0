"""The manifest of a snapshot, the pointer to the current one, and the checks that come before parsing.

A snapshot's name is made from the bytes of its manifest, and the manifest holds the sha256 of every other file: the
name vouches for everything below it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.errors import DamagedSnapshotError, ForeignSnapshotError, NoSnapshotError

FORMAT = 7
MANIFEST = "manifest.json"
CURRENT = "CURRENT"
MOST_SENTENCES = 5_000
"""Sentences of a collection up to which each has a vector of its own: about five hundred help articles."""

_checked: dict[Path, tuple[int, int, int, int, str]] = {}
"""Files that this process has hashed: inode, size, times of the last changes of content and state, and sha256."""

_MOST_CHECKED = 10_000

_NAME = re.compile(r"snap_[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot is made of.

    Attributes:
        format: Version of the layout.
        model_id: Model that made the vectors.
        dimension: Length of a vector.
        splitter: Version of the splitter and its token budget.
        made_from: What it was made from, as digests by name: whoever builds says what they cover. The shipped
            collection of a snapshot is taken over by the next build where ``shipped`` is the same.
        counts: Documents, passages and sentences in all; sentences are those that have vectors.
        collections: Passages, sentences and known questions of each collection, by name, in the order of their folders.
        files: Size and sha256 of every other file, by relative path; of vectors also the kind of their index, and which
            share of the ten nearest rows it was measured to find.
    """

    format: int
    model_id: str
    dimension: int
    splitter: Mapping[str, int]
    made_from: Mapping[str, str]
    counts: Mapping[str, int]
    collections: Mapping[str, Mapping[str, int]]
    files: Mapping[str, Mapping[str, Any]]

    @property
    def snapshot_id(self) -> str:
        """Name made from the content: equal content has the same name."""
        return _name_of(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the manifest as it is stored; the same content gives the same bytes."""
        return (json.dumps(asdict(self), sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def read_manifest(root: Path, snapshot_id: str) -> Manifest:
    """Return the manifest of a snapshot, checked against the name of its folder before it is parsed.

    Raises:
        NoSnapshotError: there is no such folder.
        DamagedSnapshotError: the manifest is missing or not the one that gave the folder its name.
        ForeignSnapshotError: another version of Backline wrote it in another format.
    """
    folder = snapshot_folder(root, snapshot_id)
    if not folder.is_dir():
        raise NoSnapshotError(root, snapshot_id)
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise _unreadable(snapshot_id, MANIFEST, error) from error
    if _name_of(content) != snapshot_id:
        raise DamagedSnapshotError(
            snapshot_id, MANIFEST, f"has the content of {_name_of(content)} (its name is made from its content)"
        )
    try:
        fields = json.loads(content)
        if fields["format"] != FORMAT:
            raise ForeignSnapshotError(snapshot_id, f"snapshot format {fields['format']}", f"format {FORMAT}")
        return Manifest(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedSnapshotError(snapshot_id, MANIFEST, "is not a manifest") from error


def check_files(root: Path, snapshot_id: str, manifest: Manifest, below: str = "") -> None:
    """Compare every file of a snapshot with its manifest; nothing is parsed. Costs about a second a gigabyte.

    A file that this process has hashed is hashed again only when it was changed since.

    Args:
        root: Folder of all snapshots.
        snapshot_id: Its name.
        manifest: Its manifest.
        below: Only files whose names begin so.

    Raises:
        DamagedSnapshotError: a file is missing or differs.
    """
    folder = snapshot_folder(root, snapshot_id)
    for name, facts in manifest.files.items():
        if name.startswith(below):
            _check_file(snapshot_id, folder / name, name, facts)


def snapshot_folder(root: Path, snapshot_id: str) -> Path:
    """Return the folder of a snapshot, which need not exist.

    Raises:
        NoSnapshotError: that can be no snapshot's name; a path is never made from it.
    """
    if not _NAME.fullmatch(snapshot_id):
        raise NoSnapshotError(root, snapshot_id)
    return root / snapshot_id


def current_snapshot_id(root: Path) -> str:
    """Return the name of the current snapshot.

    Raises:
        NoSnapshotError: none was published.
        DamagedSnapshotError: the file that names it is not readable.
    """
    try:
        content = (root / CURRENT).read_bytes()
    except FileNotFoundError as error:
        raise NoSnapshotError(root) from error
    except OSError as error:
        raise _unreadable(CURRENT, CURRENT, error) from error
    first = content.split(b"\n", 1)[0].decode("utf-8", "replace")
    if not _NAME.fullmatch(first):
        raise DamagedSnapshotError(CURRENT, CURRENT, "names no snapshot")
    return first


def named_snapshots(root: Path) -> list[str]:
    """Return the snapshots that ``CURRENT`` names, the current one first; what is no name is passed over."""
    try:
        lines = (root / CURRENT).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []
    return list(dict.fromkeys(line for line in lines if _NAME.fullmatch(line)))


def sha256_of(path: Path) -> str:
    """Return the hex sha256 of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _name_of(manifest: bytes) -> str:
    return "snap_" + hashlib.sha256(manifest).hexdigest()[:16]


def _check_file(snapshot_id: str, path: Path, name: str, facts: Mapping[str, Any]) -> None:
    try:
        status = path.stat()
        if status.st_size != facts["bytes"]:
            raise DamagedSnapshotError(snapshot_id, name, f"has {status.st_size} bytes instead of {facts['bytes']}")
        state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, str(facts["sha256"]))
        if _checked.get(path) == state:
            return
        actual = sha256_of(path)
    except OSError as error:
        raise _unreadable(snapshot_id, name, error) from error
    if actual != facts["sha256"]:
        raise DamagedSnapshotError(
            snapshot_id, name, f"has the sha256 {actual[:12]}… instead of {str(facts['sha256'])[:12]}…"
        )
    if len(_checked) >= _MOST_CHECKED:
        _checked.pop(next(iter(_checked)))
    _checked[path] = state


def _unreadable(snapshot_id: str, name: str, error: OSError) -> DamagedSnapshotError:
    reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
    return DamagedSnapshotError(snapshot_id, name, reason)
