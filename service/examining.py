"""What ``backline doctor`` looks at."""

import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from index.errors import ModelFileError, SnapshotError
from index.model_files import check_model_files
from index.snapshot import open_snapshot
from service.settings import Settings

_NEEDED_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        ok: Whether it is as it should be.
        what: What was looked at.
        says: What was seen, and what to do when it is wrong.
    """

    ok: bool
    what: str
    says: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Check Python, model files, index, database, disk and port, one after the other."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info >= (3, 11), "Python", f"{version} (3.11 or newer is needed)")
    model_id = None
    try:
        model_id = check_model_files(settings.model).model_id
        yield Finding(ok=True, what="model", says=f"{model_id}, every file as it should be")
    except ModelFileError as error:
        yield Finding(ok=False, what="model", says=str(error))
    if model_id is not None:
        try:
            snapshot = open_snapshot(settings.snapshots, model_id)
            yield Finding(ok=True, what="index", says=f"{snapshot.id}, {len(snapshot.passages)} passages, intact")
        except SnapshotError as error:
            yield Finding(ok=False, what="index", says=str(error))
    yield _database(settings)
    yield _disk(settings)
    yield _port(settings)


def _database(settings: Settings) -> Finding:
    if not settings.database.exists():
        return Finding(ok=True, what="database", says="none yet; the first ingest makes it")
    try:
        with sqlite3.connect(settings.database) as connection:
            verdict = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.Error as error:
        verdict = str(error)
    says = "intact" if verdict == "ok" else f"{verdict}; restore it from a backup"
    return Finding(verdict == "ok", "database", says)


def _disk(settings: Settings) -> Finding:
    folder = settings.home.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Finding(
        free >= _NEEDED_BYTES, "disk", f"{free // 1_000_000} MB free ({_NEEDED_BYTES // 1_000_000} MB are needed)"
    )


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1)
        busy = probe.connect_ex((settings.host, settings.port)) == 0
    says = (
        f"{settings.port} is in use (by a running Backline or another program)" if busy else f"{settings.port} is free"
    )
    return Finding(ok=True, what="port", says=says)
