"""A whole database into another one: from the file to a PostgreSQL and back."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, func, insert, select, text

from service.storage.database import ELSEWHERE, answers, metadata, publication

_AT_ONCE: Final = 500
_STAYS: Final = (publication, *ELSEWHERE)
"""What belongs to the machines that serve, not to what people brought."""


class MoveError(Exception):
    """A database cannot be moved; the message says why. The target is as it was."""


def copy_database(source: Engine, target: Engine) -> Mapping[str, int]:
    """Copy every row, all or none, and compare what arrived with what was sent.

    Args:
        source: Read in one transaction, so that what is written meanwhile is either in it or not. Whoever writes
            while it is copied writes for nothing: stop the service before.
        target: A database of the same schema without any row.

    Returns:
        Rows by table.

    Raises:
        MoveError: the target holds something already, or something arrived changed.
    """
    tables = [table for table in metadata.sorted_tables if table not in _STAYS]
    counts = {}
    with _reading(source) as reader, target.begin() as writer:
        for table in tables:
            if writer.execute(select(func.count()).select_from(table)).scalar_one():
                raise MoveError(f"the database to fill is not empty: {table.name} has rows")
        for table in tables:
            sent, counts[table.name] = _copy(table, reader, writer)
            if _digest(_rows(table, writer)) != sent:
                raise MoveError(f"{table.name} arrived changed; nothing was kept")
        if target.dialect.name == "postgresql":
            # Numbers that came along are not the server's own: it goes on behind the greatest.
            last = counts["answers"] and writer.execute(select(func.max(answers.c.number))).scalar_one()
            if last:
                sequence = "SELECT setval(pg_get_serial_sequence('answers', 'number'), :last)"
                writer.execute(text(sequence), {"last": last})
    return counts


def _reading(source: Engine) -> Connection:
    connection = source.connect()
    if source.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ")
    connection.exec_driver_sql("BEGIN")
    return connection


def _copy(table: Table, reader: Connection, writer: Connection) -> tuple[str, int]:
    count, digest = 0, hashlib.sha256()
    batch: list[dict[str, Any]] = []
    for row in _rows(table, reader):
        digest.update(_line(row))
        batch.append(row)
        count += 1
        if len(batch) == _AT_ONCE:
            writer.execute(insert(table), batch)
            batch = []
    if batch:
        writer.execute(insert(table), batch)
    return digest.hexdigest(), count


def _rows(table: Table, connection: Connection) -> Iterator[dict[str, Any]]:
    query = select(table).order_by(*table.primary_key.columns)
    result = connection.execute(query, execution_options={"yield_per": _AT_ONCE})
    for row in result.mappings():
        yield dict(row)


def _digest(rows: Iterator[dict[str, Any]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(_line(row))
    return digest.hexdigest()


def _line(row: Mapping[str, Any]) -> bytes:
    return (json.dumps(row, sort_keys=True) + "\n").encode()
