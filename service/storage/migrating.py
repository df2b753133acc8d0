"""Brings a database to the newest schema: forward only, under a lock, all steps or none.

The steps are Alembic's, in ``migrations/versions``. To add one: change the tables in :mod:`service.storage.database`,
write the next file there, and set :data:`SCHEMA`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

SCHEMA: Final = "0003"
"""The newest step."""

_STEPS: Final = Path(__file__).parent / "migrations"
_LOCK_ID: Final = 0x6261636B  # any number that nobody else takes for an advisory lock
_PATIENCE_MS: Final = 120_000


class NewerDatabaseError(Exception):
    """A newer Backline wrote the database.

    Attributes:
        found: Its schema.
        known: The newest one that this version knows.
    """

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"the database has schema {found}, and this version of Backline knows those up to {known}: install the "
            "version that it was last used with, or a newer one, or restore a backup of before"
        )
        self.found = found
        self.known = known


def bring_up_to_date(engine: Engine) -> None:
    """Take a database through every step that it has not seen; one that is up to date costs one query.

    Processes that start together wait for the one that came first. A step that fails leaves the database as it was.

    Raises:
        NewerDatabaseError: a newer version of Backline has used it; nothing was changed.
    """
    with engine.connect() as connection:
        if _schema_of(connection) == SCHEMA:
            return
    with _alone(engine) as connection:
        found = _schema_of(connection)
        if found > SCHEMA:
            raise NewerDatabaseError(found, SCHEMA)
        if found < SCHEMA:
            _upgrade(connection)


def _schema_of(connection: Connection) -> str:
    """Return the step that a database has reached, "" before the first; later steps are greater strings."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """Hold the database's write lock within one transaction, in which SQLite too changes the schema whole or not."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
        yield connection
        connection.commit()
        connection.invalidate()  # the next connection has its usual patience again
