"""The database: SQLite in a file by default, PostgreSQL where several machines serve together."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeEngine

from service.storage.migrating import bring_up_to_date

metadata = MetaData()


def _name(length: int) -> TypeEngine[str]:
    """Return the type of a short text that is compared and ordered, byte by byte in every database."""
    return String(length).with_variant(VARCHAR(length, collation="C"), "postgresql")


documents = Table(
    "documents",
    metadata,
    Column("id", _name(64), primary_key=True),
    Column("collection", _name(64), nullable=False, index=True),
    Column("version", _name(80), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sections", Text, nullable=False),
    Column("created", _name(32), nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("document_id", _name(64), primary_key=True),
    Column("version", _name(80), primary_key=True),
    Column("withdrawn", _name(40)),
)
"""Every version that a snapshot may hold; ``withdrawn`` is set once it must not be served."""

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
)
"""One row that counts the changes of ``versions.withdrawn``: one look tells a worker whether there is news."""

document_changes = Table(
    "document_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""One row that counts how often a document was stored, changed or deleted."""

publication = Table(
    "publication",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("snapshot_id", _name(40), nullable=False),
    Column("changes", BigInteger, nullable=False),
)
"""One row: the snapshot that all machines serve, and how many changes of documents it holds."""

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", _name(16), nullable=False),
    Column("generation", Integer, nullable=False),
)
"""One row: the name under which an engine elsewhere keeps what is in this database, and how often it was emptied."""

indexed = Table(
    "indexed",
    metadata,
    Column("document_id", _name(64), primary_key=True),
    Column("collection", _name(64), nullable=False, index=True),
    Column("version", _name(80), nullable=False),
    Column("recipe", _name(64), nullable=False),
    Column("passages", Integer, nullable=False),
    Column("sentences", Integer, nullable=False),
    Column("words", Text, nullable=False),
)
"""What an engine elsewhere holds of each document; ``version`` is "" once the document has changed since."""

indexing_jobs = Table(
    "indexing_jobs",
    metadata,
    Column("document_id", _name(64), primary_key=True),
    Column("worker", _name(40), nullable=False),
    Column("until", Float, nullable=False),
)
"""Documents that wait to be brought to an engine elsewhere, or to be taken out of it; one that a worker has taken is
free again at ``until`` (seconds since 1970)."""

ELSEWHERE = (installation, indexed, indexing_jobs)
"""What an engine elsewhere keeps for this database: a copy of the database must not take it for its own."""

collections = Table(
    "collections",
    metadata,
    Column("name", _name(64), primary_key=True),
    Column("scope", Text, nullable=False, default=""),
    Column("questions", Text, nullable=False, default="[]"),
    Column("disclaimer", Text, nullable=False, default=""),
    Column("fetched", _name(40)),
    Column("licence_confirmed", _name(40)),
)
"""What the operator says of a collection. A collection without a row is one that nothing was said of."""
answers = Table(
    "answers",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", _name(40), nullable=False, unique=True),
    Column("asker", _name(64), nullable=False),
    Column("conversation_id", _name(64), nullable=False),
    Column("collection", _name(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("created", _name(32), nullable=False, index=True),
    Index("answers_of_conversation", "conversation_id", "asker"),
    sqlite_autoincrement=True,
)
"""What was asked and answered. ``number`` counts up in the order of asking and is never given twice."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", _name(40), primary_key=True),
    Column("answer_id", _name(40), ForeignKey("answers.id", ondelete="CASCADE"), nullable=False),
    Column("asker", _name(64), nullable=False),
    Column("citation_id", _name(16), nullable=False),
    Column("verdict", _name(8), nullable=False),
    Column("reason", _name(16)),
    Column("text", Text),
    Column("created", _name(32), nullable=False),
    Column("updated", _name(32), nullable=False),
    UniqueConstraint("answer_id", "asker", "citation_id"),
)
"""What askers say of answers; ``citation_id`` is "" for the answer as a whole. It ends with its answer."""

keys = Table(
    "keys",
    metadata,
    Column("id", _name(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", _name(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("collections", Text),
    Column("created", _name(40), nullable=False),
    Column("expires", _name(40)),
    Column("revoked", _name(40)),
    Column("rate", Integer),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", _name(16), primary_key=True),
    Column("secret", _name(64), nullable=False),
    Column("created", _name(40), nullable=False),
)

widget_state = Table(
    "widget_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("paused", Boolean, nullable=False),
)
"""One row, once the widget has been paused."""

connections = Table(
    "connections",
    metadata,
    Column("name", _name(64), primary_key=True),
    Column("platform", _name(32), nullable=False),
    Column("settings", Text, nullable=False),
    Column("created", _name(40), nullable=False),
)
"""Help desks that are connected, with their settings and secrets."""

marks = Table(
    "marks",
    metadata,
    Column("name", _name(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""How far each help desk that is polled has been read."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", _name(40), primary_key=True),
    Column("channel", _name(32), nullable=False),
    Column("target", _name(64), nullable=False),
    Column("key", _name(64), unique=True),
    Column("thread", _name(64), index=True),
    Column("payload", Text, nullable=False),
    Column("state", _name(8), nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("asker", _name(64)),
    Column("conversation_id", _name(64), index=True),
)
"""What must be delivered. A delivered row keeps only its key, by which the same thing is known when it comes again."""


Place = Path | str
"""Where a database is: a file of SQLite, or the address of a PostgreSQL (``postgresql://…``)."""

_DISK_FULL = "53100"
"""PostgreSQL's code."""
_POOL = 10
_CONNECT_SECONDS = 5
_STATEMENT_MS = 60_000


class MissingDriverError(Exception):
    """The driver of PostgreSQL is not installed; the message says what to do."""


def open_database(place: Place) -> Engine:
    """Open the database, making a file when missing and bringing the schema up to date.

    In a file: write-ahead logging with full synchronisation, so that what was acknowledged survives a kill, and
    deleted rows are overwritten. In PostgreSQL both are the server's business; a connection that died is replaced.

    Raises:
        NewerDatabaseError: a newer version of Backline has used it.
        MissingDriverError: it is a PostgreSQL, and its driver is not installed.
    """
    engine = _open_postgresql(place) if isinstance(place, str) else _open_file(place)
    bring_up_to_date(engine)
    return engine


def is_made(place: Place) -> bool:
    """Whether there is a database; one on a server always counts."""
    return isinstance(place, str) or place.exists()


def is_full(error: OperationalError) -> bool:
    """Whether the database says that it has no room left, on its disk or within its limits."""
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(cause, "sqlstate", None) == _DISK_FULL


def upsert(engine: Engine, table: Table) -> Any:
    """Return an INSERT that knows ``on_conflict_do_update``, which both databases have and SQLAlchemy tells apart."""
    return postgresql.insert(table) if engine.dialect.name == "postgresql" else sqlite.insert(table)


def overwrite_deleted(engine: Engine) -> None:
    """Take deleted text out of the write-ahead log too; a reader in the middle of it delays this to the next time.

    PostgreSQL reuses the place of deleted rows by itself (docs/privacy.md says what that means).
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _open_file(path: Path) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _make_durable)
    return engine


def _open_postgresql(address: str) -> Engine:
    _, _, rest = address.partition("://")
    try:
        return create_engine(
            f"postgresql+psycopg://{rest}",
            pool_size=_POOL,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": _CONNECT_SECONDS,
                "options": f"-c statement_timeout={_STATEMENT_MS} -c timezone=UTC",
                "application_name": "backline",
            },
        )
    except ModuleNotFoundError:
        raise MissingDriverError("for PostgreSQL install the extra: pip install 'backline[scale]'") from None


def _make_durable(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    with closing(connection.cursor()) as cursor:
        for setting in _DURABLE:
            cursor.execute(f"PRAGMA {setting}")


_DURABLE = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "secure_delete=ON")
