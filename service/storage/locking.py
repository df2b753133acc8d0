"""Locks that say which process does what only one may do; each ends with its process, however that ends.

Beside a database in a file they are locked files, in PostgreSQL advisory locks: these hold between machines.
"""

import fcntl
import hashlib
import threading
import time
from pathlib import Path
from typing import Protocol, TextIO

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

_LOOK_SECONDS = 1.0


class Lock(Protocol):
    """A lock by name; one thread takes and releases it, any may ask whether it is still held."""

    def take(self) -> bool:
        """Take it unless another process has it; return whether this one has it now."""

    def held(self) -> bool:
        """Whether this process still has it: a connection that broke has lost it."""

    def release(self) -> None:
        """Give it back."""


def lock_for(engine: Engine, path: Path) -> Lock:
    """Return the lock of a name: a file, or an advisory lock called like the file.

    Args:
        engine: The database.
        path: The file, in a folder that is there.
    """
    return FileLock(path) if engine.dialect.name == "sqlite" else AdvisoryLock(engine, path.name)


def wait_for(lock: Lock, stopped: threading.Event, seconds: float) -> bool:
    """Wait for a lock; False when it is time to stop before it came.

    Args:
        lock: The lock.
        stopped: Set when it is time to stop.
        seconds: Time between two tries.
    """
    while not stopped.is_set():
        if lock.take():
            return True
        stopped.wait(seconds)
    return False


class FileLock:
    """Holds as long as the file is open and locked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def take(self) -> bool:
        """Take it unless another has it."""
        if self._file is not None:
            return True
        file = self._path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def held(self) -> bool:
        """Whether it was taken: the system keeps it until then."""
        return self._file is not None

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            self._file.close()
            self._file = None


class AdvisoryLock:
    """Holds as long as its own connection to the server does.

    Args:
        engine: The database.
        name: Its name, the same on every machine.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._connection: Connection | None = None
        self._guard = threading.Lock()
        self._looked = 0.0

    def take(self) -> bool:
        """Take it unless another has it; a server that does not answer gives none."""
        with self._guard:
            if self._connection is not None:
                return True
            connection = None
            try:
                connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                query = text("SELECT pg_try_advisory_lock(:key)")
                if connection.execute(query, {"key": self._key}).scalar():
                    self._connection, self._looked = connection, time.monotonic()
                    return True
            except SQLAlchemyError:
                pass
            if connection is not None:
                connection.close()
            return False

    def held(self) -> bool:
        """Whether the connection still answers; asked of the server once a second at most."""
        with self._guard:
            if self._connection is None:
                return False
            if time.monotonic() - self._looked < _LOOK_SECONDS:
                return True
            try:
                self._connection.execute(text("SELECT 1"))
                self._looked = time.monotonic()
            except SQLAlchemyError:
                self._drop()
                return False
            return True

    def release(self) -> None:
        """Give it back."""
        with self._guard:
            if self._connection is not None:
                self._drop()

    def _drop(self) -> None:
        """End the connection itself: the server frees the lock with it, whatever state it is in."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
