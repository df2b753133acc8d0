"""The schema of 0.1.0, also for databases that were made before there were steps: what they lack is added.

The tables are written out here as they were, so that later changes of :mod:`service.storage.database` leave this step
alone.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
)
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _name(length: int) -> TypeEngine[str]:
    return String(length).with_variant(VARCHAR(length, collation="C"), "postgresql")


_TABLES = MetaData()
Table(
    "documents",
    _TABLES,
    Column("id", _name(64), primary_key=True),
    Column("collection", _name(64), nullable=False, index=True),
    Column("version", _name(80), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sections", Text, nullable=False),
    Column("created", _name(32), nullable=False),
)
Table(
    "versions",
    _TABLES,
    Column("document_id", _name(64), primary_key=True),
    Column("version", _name(80), primary_key=True),
    Column("withdrawn", _name(40)),
)
Table(
    "withdrawals",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
)
Table(
    "collections",
    _TABLES,
    Column("name", _name(64), primary_key=True),
    Column("scope", Text, nullable=False),
    Column("questions", Text, nullable=False),
    Column("disclaimer", Text, nullable=False),
    Column("fetched", _name(40)),
    Column("licence_confirmed", _name(40)),
)
Table(
    "answers",
    _TABLES,
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
Table(
    "feedback",
    _TABLES,
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
Table(
    "keys",
    _TABLES,
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
Table(
    "signing_keys",
    _TABLES,
    Column("id", _name(16), primary_key=True),
    Column("secret", _name(64), nullable=False),
    Column("created", _name(40), nullable=False),
)
Table(
    "widget_state",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("paused", Boolean, nullable=False),
)
Table(
    "connections",
    _TABLES,
    Column("name", _name(64), primary_key=True),
    Column("platform", _name(32), nullable=False),
    Column("settings", Text, nullable=False),
    Column("created", _name(40), nullable=False),
)
Table(
    "marks",
    _TABLES,
    Column("name", _name(64), primary_key=True),
    Column("value", Text, nullable=False),
)
Table(
    "outbox",
    _TABLES,
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


def upgrade() -> None:
    """Make what is not there yet: tables, and columns that may be empty."""
    connection = op.get_bind()
    inspector = inspect(connection)
    before = set(inspector.get_table_names())
    _TABLES.create_all(connection)
    for table in (table for table in _TABLES.sorted_tables if table.name in before):
        known = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                op.add_column(table.name, Column(column.name, column.type))
        there = {index["name"] for index in inspector.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in there:
                index.create(connection)
