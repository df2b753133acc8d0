"""Which documents an engine elsewhere holds, and which wait to be brought there."""

from alembic import op
from sqlalchemy import Column, Float, Integer, String, Text
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _name(length: int) -> TypeEngine[str]:
    return String(length).with_variant(VARCHAR(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "installation",
        Column("id", Integer, primary_key=True),
        Column("name", _name(16), nullable=False),
        Column("generation", Integer, nullable=False),
    )
    op.create_table(
        "indexed",
        Column("document_id", _name(64), primary_key=True),
        Column("collection", _name(64), nullable=False),
        Column("version", _name(80), nullable=False),
        Column("recipe", _name(64), nullable=False),
        Column("passages", Integer, nullable=False),
        Column("sentences", Integer, nullable=False),
        Column("words", Text, nullable=False),
    )
    op.create_index("ix_indexed_collection", "indexed", ["collection"])
    op.create_table(
        "indexing_jobs",
        Column("document_id", _name(64), primary_key=True),
        Column("worker", _name(40), nullable=False),
        Column("until", Float, nullable=False),
    )
