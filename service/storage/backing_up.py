"""A backup is one file: a copy of the database with its hash. The index is not in it, since it can be built again.

A copy is taken while the service goes on. A restore checks everything before it touches what is there.
"""

import hashlib
import json
import os
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from service.storage.database import ELSEWHERE

FORMAT: Final = 1
_DATABASE: Final = "backline.sqlite"
_MANIFEST: Final = "manifest.json"
_CHUNK: Final = 1 << 20


class BackupError(Exception):
    """A backup cannot be made or restored; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself.

    Attributes:
        created: When it was made, ISO 8601.
        sha256: Hash of the database in it.
        documents: Documents in it.
    """

    created: str
    sha256: str
    documents: int


def back_up(database: Path, target: Path) -> Backup:
    """Copy a database, which may be in use, into a new file; on return it is on disk under its name, whole.

    Args:
        database: The database of a home.
        target: The file to make.

    Raises:
        BackupError: there is nothing to copy, or the target is there already.
    """
    if not database.exists():
        raise BackupError("there is nothing to back up yet: nothing was ingested and no key was made")
    if target.exists():
        raise BackupError(f"{target.name} is there already; choose another name")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        copy = Path(folder) / _DATABASE
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as sink:
            source.backup(sink)
            count = int(sink.execute("SELECT count(*) FROM documents").fetchone()[0])
        backup = Backup(datetime.now(UTC).isoformat(timespec="seconds"), _hash(copy), count)
        packed = Path(folder) / "packed"
        facts = {"format": FORMAT, "created": backup.created, "sha256": backup.sha256, "documents": count}
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_MANIFEST, json.dumps(facts, indent=1))
            archive.write(copy, _DATABASE)
        _flush(packed)
        os.link(packed, target)  # fails rather than takes the place of what another has put there meanwhile
    _flush(target.parent)
    return backup


def restore(source: Path, database: Path, *, replace: bool = False) -> Backup:
    """Put the database of a backup into a home, all of it or nothing.

    What it says of an engine elsewhere is left out: the restored database gets a name of its own there, and everything
    is brought anew.

    Args:
        source: The backup.
        database: Where the database of the home lies or will lie.
        replace: Whether it may take the place of one that is there.

    Raises:
        BackupError: the file is no backup, is damaged, is of a newer format, or a database is there already.
    """
    if database.exists() and not replace:
        raise BackupError("there is a database already; --replace puts the backup in its place")
    database.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=database.parent, prefix=".restore-") as folder:
        copy = Path(folder) / _DATABASE
        backup = _unpack(source, copy)
        with closing(sqlite3.connect(copy)) as connection:
            verdict = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
            if verdict != "ok":
                raise BackupError("the database in the backup is damaged; take another backup")
            _forget_elsewhere(connection)
        _flush(copy)
        for leftover in ("-wal", "-shm"):
            database.with_name(database.name + leftover).unlink(missing_ok=True)
        copy.replace(database)
    _flush(database.parent)
    return backup


def _forget_elsewhere(database: sqlite3.Connection) -> None:
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    with database:
        for table in ELSEWHERE:
            if table.name in there:  # a backup of before has none
                database.execute(f"DELETE FROM {table.name}")  # noqa: S608 - a name of our own


def _unpack(source: Path, copy: Path) -> Backup:
    try:
        with zipfile.ZipFile(source) as archive:
            facts = json.loads(archive.read(_MANIFEST))
            _check_format(facts["format"])
            with archive.open(_DATABASE) as packed, copy.open("wb") as plain:
                while chunk := packed.read(_CHUNK):
                    plain.write(chunk)
            backup = Backup(str(facts["created"]), str(facts["sha256"]), int(facts["documents"]))
    except FileNotFoundError:
        raise BackupError(f"there is no file {source.name}") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise BackupError(f"{source.name} is no backup, or is damaged ({type(error).__name__})") from None
    except Exception as error:
        if isinstance(error, BackupError):
            raise
        raise BackupError(f"{source.name} is damaged ({type(error).__name__})") from None
    if _hash(copy) != backup.sha256:
        raise BackupError(f"{source.name} is damaged: its database is not the one that was backed up")
    return backup


def _check_format(found: object) -> None:
    if found != FORMAT:
        raise BackupError("the backup is of another format; restore it with the version that made it")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
