"""Which snapshot every machine serves, and how many changes of documents it holds."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String
from sqlalchemy.dialects.postgresql import VARCHAR

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "document_changes",
        Column("id", Integer, primary_key=True),
        Column("count", BigInteger, nullable=False),
    )
    op.create_table(
        "publication",
        Column("id", Integer, primary_key=True),
        Column("snapshot_id", String(40).with_variant(VARCHAR(40, collation="C"), "postgresql"), nullable=False),
        Column("changes", BigInteger, nullable=False),
    )
