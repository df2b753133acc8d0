"""Documents that users bring."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from corpus.records import Document, Section, Source, Span
from service.storage.database import documents, versions, withdrawals

Outcome = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one document.

    Attributes:
        document_id: Its id.
        outcome: Whether it is new, a new version, or was there already.
        version: Its version now.
    """

    document_id: str
    outcome: Outcome
    version: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A stored document without its text.

    Attributes:
        id: Its id.
        source_id: Its source.
        collection: Its collection.
        version: Its version.
        title: Its title.
        created: When it was first stored, ISO 8601.
    """

    id: str
    source_id: str
    collection: str
    version: str
    title: str
    created: str


def document_id(collection: str, external: str) -> str:
    """Return the id of a document: the same place in the same collection keeps its id over versions."""
    return "doc_" + hashlib.sha256(f"{collection}\n{external}".encode()).hexdigest()[:24]


def store_document(engine: Engine, document: Document) -> Stored:
    """Write one document; the same content twice is one document, changed content is a new version."""
    try:
        return _store(engine, document)
    except IntegrityError:
        return _store(engine, document)  # another process stored it between our look and our write


def _store(engine: Engine, document: Document) -> Stored:
    row = {
        "collection": document.source.collection,
        "version": document.version,
        "title": document.title,
        "text": document.text,
        "source": json.dumps(asdict(document.source), ensure_ascii=False),
        "sections": json.dumps([asdict(section) for section in document.sections], ensure_ascii=False),
    }
    with engine.begin() as connection:
        known = connection.execute(
            select(documents.c.version, documents.c.source).where(documents.c.id == document.id)
        ).first()
        if known is not None and (known.version, known.source) == (document.version, row["source"]):
            return Stored(document.id, "unchanged", document.version)
        _admit(connection, document.id, document.version)
        if known is None:
            connection.execute(insert(documents).values(id=document.id, created=_now(), **row))
            return Stored(document.id, "added", document.version)
        connection.execute(update(documents).where(documents.c.id == document.id).values(**row))
        return Stored(document.id, "changed", document.version)


def _admit(connection: Connection, name: str, version: str) -> None:
    """Note a version; one that was withdrawn before may be served again."""
    same = (versions.c.document_id == name, versions.c.version == version)
    known = connection.execute(select(versions.c.withdrawn).where(*same)).first()
    if known is None:
        connection.execute(insert(versions).values(document_id=name, version=version))
    elif known.withdrawn is not None:
        connection.execute(update(versions).where(*same).values(withdrawn=None))
        _count_change(connection)


def load_documents(engine: Engine) -> list[Document]:
    """Return every stored document, by id."""
    with engine.connect() as connection:
        rows = connection.execute(select(documents).order_by(documents.c.id)).mappings().all()
    return [_document(dict(row)) for row in rows]


def list_documents(engine: Engine, after: str, limit: int, collections: Collection[str] | None = None) -> list[Listed]:
    """Return at most ``limit`` stored documents, by id, of those behind ``after``.

    Args:
        engine: The database.
        after: An id, or "" to begin.
        limit: Most documents.
        collections: Only of these; None means all.
    """
    columns = documents.c
    query = select(columns.id, columns.collection, columns.version, columns.title, columns.source, columns.created)
    query = query.where(columns.id > after).order_by(columns.id).limit(limit)
    if collections is not None:
        query = query.where(columns.collection.in_(sorted(collections)))
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [
        Listed(row.id, json.loads(row.source)["id"], row.collection, row.version, row.title, row.created)
        for row in rows
    ]


def load_document(engine: Engine, name: str) -> Document | None:
    """Return one stored document, or None."""
    with engine.connect() as connection:
        row = connection.execute(select(documents).where(documents.c.id == name)).mappings().first()
    return None if row is None else _document(dict(row))


def stored_versions(engine: Engine) -> set[tuple[str, str]]:
    """Return id and version of every stored document: what an up-to-date snapshot holds beside the shipped corpus."""
    with engine.connect() as connection:
        return {(row.id, row.version) for row in connection.execute(select(documents.c.id, documents.c.version))}


def delete_document(engine: Engine, name: str) -> str | None:
    """Delete one document and withdraw every version of it.

    Returns:
        When, ISO 8601, or None when there was none. The text is overwritten in the file, not only unlinked.
    """
    at = _now()
    with engine.begin() as connection:
        known = connection.execute(select(documents.c.version).where(documents.c.id == name)).first()
        if known is None:
            return None
        connection.execute(delete(documents).where(documents.c.id == name))
        # A document of an older database has no row here yet.
        if connection.execute(select(versions.c.version).where(versions.c.document_id == name)).first() is None:
            connection.execute(insert(versions).values(document_id=name, version=known.version))
        connection.execute(update(versions).where(versions.c.document_id == name).values(withdrawn=at))
        _count_change(connection)
    with engine.connect() as connection:
        # The write-ahead log still holds the text; a reader in the middle of it only delays this to the next time.
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return at


def withdrawal_count(engine: Engine) -> int:
    """Return a number that differs whenever :func:`withdrawn_versions` may."""
    with engine.connect() as connection:
        return int(connection.execute(select(withdrawals.c.count)).scalar() or 0)


def withdrawn_versions(engine: Engine) -> set[tuple[str, str]]:
    """Return id and version of everything that was deleted and must not be served."""
    query = select(versions.c.document_id, versions.c.version).where(versions.c.withdrawn.is_not(None))
    with engine.connect() as connection:
        return {(row.document_id, row.version) for row in connection.execute(query)}


def _count_change(connection: Connection) -> None:
    if connection.execute(update(withdrawals).values(count=withdrawals.c.count + 1)).rowcount == 0:
        connection.execute(insert(withdrawals).values(id=1, count=1))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _document(row: dict[str, Any]) -> Document:
    return Document(
        id=row["id"],
        source=Source(**json.loads(row["source"])),
        title=row["title"],
        text=row["text"],
        sections=tuple(
            Section(tuple(s["heading_path"]), Span(**s["span"]), s["anchor"], s["page"])
            for s in json.loads(row["sections"])
        ),
    )
