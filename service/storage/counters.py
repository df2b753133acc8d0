"""Counters that all processes share: how often something was used within its window of time.

Of one home they lie in a file of their own, so that counting a question never waits for a document that is being
stored, and their commits do not wait for the disk: a power cut may forget the last counts, which costs nobody anything.
Several machines share a Redis (:mod:`service.storage.redis_counters`).
"""

import math
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from service.storage.database import MissingDriverError

MINUTE = 60
DAY = 86_400

SLACK_SECONDS = 10
_PATIENCE_SECONDS = 10

_TABLE = "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, began REAL NOT NULL, used INTEGER NOT NULL)"

# A window that lies ahead belongs to a clock that was set back: it begins anew, or it would never end. A little ahead
# is one that another caller began after this one had looked at the clock: it is the same window.
_COUNT = text(
    """
    INSERT INTO counters (name, began, used) VALUES (:name, :began, 1)
    ON CONFLICT (name) DO UPDATE SET
      used = CASE WHEN began + :seconds <= :now OR began > :now + :slack THEN 1 ELSE used + 1 END,
      began = CASE WHEN began + :seconds <= :now OR began > :now + :slack THEN :began ELSE began END
    RETURNING began, used
    """
)


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may be used.

    Attributes:
        name: What is counted.
        most: Uses within one window; the next one is refused.
        seconds: Length of a window. It begins with its first use; a day begins at midnight UTC.
    """

    name: str
    most: int
    seconds: int = MINUTE


@dataclass(frozen=True, slots=True)
class Count:
    """How a limit stands after a use was asked for.

    Attributes:
        limit: The limit.
        left: Uses that are left in the window.
        reset_seconds: Whole seconds until the window ends, at least 1.
        refused: Whether the use was one too many; then nothing was counted.
    """

    limit: Limit
    left: int
    reset_seconds: int
    refused: bool = False


class CountersUnavailableError(Exception):
    """What counts does not answer; what must be counted is then refused, never let through."""


class Counters(Protocol):
    """What counts, wherever it does."""

    def use(self, limits: Sequence[Limit]) -> list[Count]:
        """Count one use against every limit, or against none when one of them refuses it.

        Returns:
            One count a limit; or the refusing one alone.

        Raises:
            CountersUnavailableError: what counts does not answer.
        """

    def read(self, name: str) -> int:
        """Return the uses of today, for a limit whose window is a day."""

    def prune(self) -> None:
        """Forget windows that ended long ago."""


class FileCounters:
    """The counters of one home.

    Args:
        engine: Their database.
        clock: Seconds since 1970, UTC.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def use(self, limits: Sequence[Limit]) -> list[Count]:
        """Count one use against every limit, or against none when one of them refuses it.

        One transaction, which takes the write lock with its first statement: processes cannot overtake each other.

        Returns:
            One count a limit; or the refusing one alone.
        """
        counts: list[Count] = []
        with self._engine.connect() as connection:
            for limit in limits:
                count = self._count(connection, limit)
                if count.refused:
                    connection.rollback()
                    return [count]
                counts.append(count)
            connection.commit()
        return counts

    def read(self, name: str) -> int:
        """Return the uses of today, for a limit whose window is a day."""
        with self._engine.connect() as connection:
            query = text("SELECT began, used FROM counters WHERE name = :name")
            row = connection.execute(query, {"name": name}).first()
        return int(row.used) if row is not None and row.began + DAY > self._clock() else 0

    def prune(self) -> None:
        """Forget windows that ended long ago."""
        with self._engine.begin() as connection:
            connection.execute(text("DELETE FROM counters WHERE began < :then"), {"then": self._clock() - 2 * DAY})

    def _count(self, connection: Connection, limit: Limit) -> Count:
        now = self._clock()
        began = now - now % DAY if limit.seconds == DAY else now
        values = {"name": limit.name, "began": began, "now": now, "seconds": limit.seconds, "slack": SLACK_SECONDS}
        row = connection.execute(_COUNT, values).one()
        reset = max(1, math.ceil(row.began + limit.seconds - now))
        return Count(limit, max(0, limit.most - row.used), reset, refused=row.used > limit.most)


def open_counters(place: Path | str) -> Counters:
    """Open the counters: in a file, which is made when missing, or in the Redis of an address (``redis://…``).

    Raises:
        MissingDriverError: it is a Redis, and its driver is not installed.
    """
    return _open_file(place) if isinstance(place, Path) else _open_redis(place)


def _open_redis(address: str) -> Counters:
    try:
        from service.storage.redis_counters import open_redis_counters
    except ModuleNotFoundError:
        raise MissingDriverError("for Redis install the extra: pip install 'backline[scale]'") from None
    return open_redis_counters(address)


def _open_file(path: Path) -> Counters:
    path.parent.mkdir(parents=True, exist_ok=True)
    _prepare(path)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _make_quick)
    return FileCounters(engine)


def _prepare(path: Path) -> None:
    """Make file and table; SQLite refuses at once, without waiting, when another process does the same just then."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(_TABLE)
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _make_quick(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    with closing(connection.cursor()) as cursor:
        for setting in ("busy_timeout=5000", "synchronous=NORMAL"):
            cursor.execute(f"PRAGMA {setting}")
