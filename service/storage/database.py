"""The database: SQLite in a file by default."""

from pathlib import Path

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, Text, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

metadata = MetaData()

documents = Table(
    "documents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("collection", String(64), nullable=False, index=True),
    Column("version", String(80), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sections", Text, nullable=False),
    Column("created", String(32), nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("document_id", String(64), primary_key=True),
    Column("version", String(80), primary_key=True),
    Column("withdrawn", String(40)),
)
"""Every version that a snapshot may hold; ``withdrawn`` is set once it must not be served."""

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
)
"""One row that counts the changes of ``versions.withdrawn``: one look tells a worker whether there is news."""

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("collections", Text),
    Column("created", String(40), nullable=False),
    Column("expires", String(40)),
    Column("revoked", String(40)),
)


def open_database(path: Path) -> Engine:
    """Open the embedded database, making file and tables when missing.

    Write-ahead logging with full synchronisation: what was acknowledged survives a kill. Deleted rows are overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _make_durable)
    metadata.create_all(engine)
    return engine


def _make_durable(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
