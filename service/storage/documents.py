"""Documents that users bring."""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Column, Connection, Engine, Row, Select, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from corpus.records import Document, Section, Source
from service.storage.database import (
    document_changes,
    documents,
    indexed,
    overwrite_deleted,
    upsert,
    versions,
    withdrawals,
)

NOTHING_STORED = hashlib.sha256().hexdigest()
"""What :func:`digest_of_stored` says of no document."""

LOOKED_UP = 500
"""Most values of one look-up: databases take only so many in one statement."""

Outcome = Literal["added", "changed", "unchanged"]
_Content = tuple[str, str, str, str]
"""Collection, version, title and address."""


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
    return store_documents(engine, [document])[0]


def store_documents(engine: Engine, some: Sequence[Document], *, once: bool = False) -> list[Stored]:
    """Write some documents in one transaction: all of them, or after a fault none; outcomes come in their order.

    Args:
        engine: The database.
        some: The documents.
        once: Whether a new one that has text, title and address of another in its collection is that document, whatever
            its id: the same file lies in two folders, or was moved.
    """
    try:
        return _store(engine, some, once=once)
    except IntegrityError:
        return _store(engine, some, once=once)  # another process stored one between our look and our write


def _store(engine: Engine, some: Sequence[Document], *, once: bool) -> list[Stored]:
    columns = documents.c
    with engine.begin() as connection:
        query = select(columns.id, columns.version, columns.source)
        rows = _look_up(connection, query, columns.id, [one.id for one in some])
        known = {row.id: (row.version, row.source) for row in rows}
        alike = _alike(connection, [one for one in some if one.id not in known]) if once else None
        stored = [_store_one(connection, document, known, alike) for document in some]
        if any(one.outcome != "unchanged" for one in stored):
            _count(connection, document_changes)  # last, so that others wait for this row as short as can be
        return stored


def _alike(connection: Connection, new: Sequence[Document]) -> dict[_Content, str]:
    """Return the ids of stored documents with the texts of new ones, by what a reader sees of them."""
    columns = documents.c
    query = select(columns.id, columns.collection, columns.version, columns.title, columns.source)
    rows = _look_up(connection, query, columns.version, sorted({one.version for one in new}))
    return {(row.collection, row.version, row.title, json.loads(row.source)["url"]): row.id for row in rows}


def _look_up(
    connection: Connection, query: Select[Any], column: Column[Any], values: Sequence[str]
) -> Iterator[Row[Any]]:
    """Return the rows in which a column has one of some values, a few values a statement."""
    for begin in range(0, len(values), LOOKED_UP):
        yield from connection.execute(query.where(column.in_(values[begin : begin + LOOKED_UP])))


def _store_one(
    connection: Connection,
    document: Document,
    known: dict[str, tuple[str, str]],
    alike: dict[_Content, str] | None,
) -> Stored:
    source = document.source
    content = (source.collection, document.version, document.title, source.url)
    if alike is not None and document.id not in known and alike.setdefault(content, document.id) != document.id:
        return Stored(alike[content], "unchanged", document.version)
    row = {
        "collection": source.collection,
        "version": document.version,
        "title": document.title,
        "text": document.text,
        "source": json.dumps(asdict(source), ensure_ascii=False),
        "sections": json.dumps([asdict(section) for section in document.sections], ensure_ascii=False),
    }
    before = known.get(document.id)
    known[document.id] = (document.version, row["source"])
    if before == known[document.id]:
        return Stored(document.id, "unchanged", document.version)
    _admit(connection, document.id, document.version)
    if before is None:
        connection.execute(insert(documents).values(id=document.id, created=_now(), **row))
        return Stored(document.id, "added", document.version)
    connection.execute(update(documents).where(documents.c.id == document.id).values(**row))
    connection.execute(update(indexed).where(indexed.c.document_id == document.id).values(version=""))
    return Stored(document.id, "changed", document.version)


def _admit(connection: Connection, name: str, version: str) -> None:
    """Note a version; one that was withdrawn before may be served again."""
    same = (versions.c.document_id == name, versions.c.version == version)
    known = connection.execute(select(versions.c.withdrawn).where(*same)).first()
    if known is None:
        connection.execute(insert(versions).values(document_id=name, version=version))
    elif known.withdrawn is not None:
        connection.execute(update(versions).where(*same).values(withdrawn=None))
        _count(connection, withdrawals)


def load_documents(engine: Engine, but: Collection[str] = ()) -> list[Document]:
    """Return every stored document, by id, but those of some collections."""
    query = select(documents).where(documents.c.collection.not_in(sorted(but))).order_by(documents.c.id)
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [_document(dict(row)) for row in rows]


def digest_of_stored(engine: Engine, but: Collection[str] = ()) -> str:
    """Return a digest of every stored document but those of some collections, with all that is said of them.

    Texts are not read: a version is made from its text.
    """
    columns = documents.c
    said = (columns.id, columns.version, columns.title, columns.source, columns.sections)
    query = select(*said).where(columns.collection.not_in(sorted(but))).order_by(columns.id)
    digest = hashlib.sha256()
    with engine.connect() as connection:
        for row in connection.execute(query):
            digest.update((json.dumps(list(row), ensure_ascii=False) + "\n").encode())
    return digest.hexdigest()


def load_some(engine: Engine, names: Collection[str]) -> list[Document]:
    """Return those of some documents that are stored, by id."""
    query = select(documents).where(documents.c.id.in_(names)).order_by(documents.c.id)
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [_document(dict(row)) for row in rows]


def stored_versions_in(engine: Engine, collection: str) -> list[tuple[str, str]]:
    """Return id and version of every document of a collection, by id."""
    columns = documents.c
    query = select(columns.id, columns.version).where(columns.collection == collection).order_by(columns.id)
    with engine.connect() as connection:
        return [(row.id, row.version) for row in connection.execute(query)]


def stored_collections(engine: Engine) -> set[str]:
    """Return the collections that have documents."""
    with engine.connect() as connection:
        return set(connection.execute(select(documents.c.collection).distinct()).scalars())


def list_documents(
    engine: Engine,
    after: str,
    limit: int,
    collections: Collection[str] | None = None,
    hidden: Collection[str] = (),
) -> list[Listed]:
    """Return at most ``limit`` stored documents, by id, of those behind ``after``.

    Args:
        engine: The database.
        after: An id, or "" to begin.
        limit: Most documents.
        collections: Only of these; None means all.
        hidden: Of none of these.
    """
    columns = documents.c
    query = select(columns.id, columns.collection, columns.version, columns.title, columns.source, columns.created)
    query = query.where(columns.id > after, columns.collection.not_in(sorted(hidden))).order_by(columns.id).limit(limit)
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


def stored_versions(engine: Engine, but: Collection[str] = ()) -> set[tuple[str, str]]:
    """Return id and version of every stored document but those of some collections.

    Without those of the collections that an engine elsewhere holds it is what an up-to-date snapshot holds beside the
    shipped corpus.
    """
    query = select(documents.c.id, documents.c.version).where(documents.c.collection.not_in(sorted(but)))
    with engine.connect() as connection:
        return {(row.id, row.version) for row in connection.execute(query)}


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
        _count(connection, withdrawals)
        _count(connection, document_changes)
    overwrite_deleted(engine)
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


def _count(connection: Connection, counter: Table) -> None:
    more = {"count": counter.c.count + 1}
    adding = upsert(connection.engine, counter).values(id=1, count=1)
    connection.execute(adding.on_conflict_do_update(index_elements=["id"], set_=more))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _document(row: dict[str, Any]) -> Document:
    return Document(
        id=row["id"],
        source=Source(**json.loads(row["source"])),
        title=row["title"],
        text=row["text"],
        sections=tuple(map(Section.of_fields, json.loads(row["sections"]))),
    )
