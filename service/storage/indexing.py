"""The job table of an engine elsewhere: what it holds of each document, what waits, and who works at what."""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, Select, and_, delete, func, literal, or_, select, update

from corpus.records import Document
from index.parts import SHIPPED
from index.weighing import WordCounts
from service.storage.database import documents, indexed, indexing_jobs, installation, upsert
from service.storage.documents import load_document

_NAMES_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class Installation:
    """What an engine elsewhere knows this database by.

    Attributes:
        name: What the names of its collections there begin with.
        generation: How often everything there was to be made anew.
    """

    name: str
    generation: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What an engine elsewhere holds of one document.

    Attributes:
        document_id: The document.
        collection: Its collection.
        version: Its version.
        sentences: Sentences in its passages.
        counts: Words of its passages.
    """

    document_id: str
    collection: str
    version: str
    sentences: int
    counts: WordCounts


@dataclass(frozen=True, slots=True)
class Size:
    """What an engine elsewhere holds of one collection.

    Attributes:
        documents: Documents.
        passages: Their passages.
        sentences: Sentences in these.
    """

    documents: int
    passages: int
    sentences: int


def load_installation(engine: Engine) -> Installation:
    """Return the installation, which gets its name at the first call."""
    query = select(installation.c.name, installation.c.generation)
    with engine.begin() as connection:
        row = connection.execute(query).first()
        if row is None:
            adding = upsert(engine, installation).values(id=1, name=f"bl{secrets.token_hex(6)}", generation=0)
            connection.execute(adding.on_conflict_do_nothing())
            row = connection.execute(query).one()
    return Installation(row.name, row.generation)


def begin_generation(engine: Engine) -> None:
    """Have everything made anew in empty collections; what there is answers until they are full."""
    load_installation(engine)
    with engine.begin() as connection:
        connection.execute(update(installation).values(generation=installation.c.generation + 1))


def enqueue(engine: Engine, recipe: str) -> int:
    """Have every document wait of which an engine elsewhere holds another version than is stored, or none, or too much.

    Args:
        engine: The database.
        recipe: How it should be made.

    Returns:
        How many wait now, those included that somebody works at.
    """
    with engine.begin() as connection:
        for names in _behind(recipe):
            rows = names.add_columns(literal(""), literal(0.0))
            adding = upsert(engine, indexing_jobs).from_select(["document_id", "worker", "until"], rows)
            connection.execute(adding.on_conflict_do_nothing())
    return waiting(engine)


def is_behind(engine: Engine, recipe: str) -> bool:
    """Whether an engine elsewhere lacks anything that is stored, or holds anything that was deleted."""
    with engine.connect() as connection:
        return any(connection.execute(names.limit(1)).first() is not None for names in _behind(recipe))


def waiting(engine: Engine) -> int:
    """Return how many documents wait, those included that somebody works at."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(indexing_jobs)).scalar_one())


def claim(engine: Engine, worker: str, most: int, now: float, lease_seconds: float) -> list[str]:
    """Take some documents to work at; what a worker took that died is free again after its lease.

    Args:
        engine: The database.
        worker: Who takes them.
        most: Most documents.
        now: Seconds since 1970.
        lease_seconds: How long they are this worker's.
    """
    columns = indexing_jobs.c
    free = select(columns.document_id).where(columns.until <= now).order_by(columns.document_id).limit(most)
    taking = (
        update(indexing_jobs)
        .where(columns.document_id.in_(free.with_for_update(skip_locked=True)))
        .values(worker=worker, until=now + lease_seconds)
        .returning(columns.document_id)
    )
    with engine.begin() as connection:
        return sorted(connection.execute(taking).scalars())


def renew(engine: Engine, worker: str, until: float) -> None:
    """Keep what a worker has taken for longer."""
    with engine.begin() as connection:
        connection.execute(update(indexing_jobs).where(indexing_jobs.c.worker == worker).values(until=until))


def give_back(engine: Engine, worker: str) -> None:
    """Let others take what a worker does not finish."""
    renew(engine, worker, 0.0)


def finish(engine: Engine, recipe: str, names: Collection[str], entries: Sequence[Entry]) -> None:
    """Note what an engine elsewhere holds now of some documents, all in one transaction.

    Args:
        engine: The database.
        recipe: How it was made.
        names: Documents that were worked at; those without an entry are no longer there.
        entries: What is there.
    """
    with engine.begin() as connection:
        connection.execute(delete(indexed).where(indexed.c.document_id.in_(names)))
        if entries:
            connection.execute(indexed.insert(), [_row(entry, recipe) for entry in entries])
        connection.execute(delete(indexing_jobs).where(indexing_jobs.c.document_id.in_(names)))


def sizes(engine: Engine, recipe: str) -> Mapping[str, Size]:
    """Return what an engine elsewhere holds, by collection."""
    columns = indexed.c
    query = (
        select(columns.collection, func.count(), func.sum(columns.passages), func.sum(columns.sentences))
        .where(columns.recipe == recipe)
        .group_by(columns.collection)
    )
    with engine.connect() as connection:
        return {name: Size(*map(int, counts)) for name, *counts in connection.execute(query)}


def collections_of(engine: Engine, names: Collection[str]) -> Mapping[str, str]:
    """Return the collections in which an engine elsewhere holds documents, by document."""
    columns = indexed.c
    with engine.connect() as connection:
        query = select(columns.document_id, columns.collection).where(columns.document_id.in_(names))
        return {row.document_id: row.collection for row in connection.execute(query)}


def is_noted(engine: Engine, collection: str, recipe: str) -> bool:
    """Whether an engine elsewhere should hold anything of a collection that was made by a recipe."""
    columns = indexed.c
    query = select(columns.document_id).where(columns.collection == collection, columns.recipe == recipe).limit(1)
    with engine.connect() as connection:
        return connection.execute(query).first() is not None


def count_words(engine: Engine, collection: str, recipe: str) -> WordCounts:
    """Add up the words of a collection."""
    columns = indexed.c
    query = select(columns.words).where(columns.collection == collection, columns.recipe == recipe)
    with engine.connect() as connection:
        rows = connection.execute(query, execution_options={"yield_per": _NAMES_A_QUERY})
        return WordCounts.sum(WordCounts.of_fields(json.loads(words)) for words in rows.scalars())


class IndexedDocuments:
    """The documents that an engine elsewhere holds as they are stored.

    Args:
        engine: The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def versions(self, names: Collection[str]) -> dict[str, str]:
        """Return the versions of documents by id."""
        found: dict[str, str] = {}
        some = sorted(names)
        with self._engine.connect() as connection:
            for begin in range(0, len(some), _NAMES_A_QUERY):
                wanted = documents.c.id.in_(some[begin : begin + _NAMES_A_QUERY])
                query = select(documents.c.id, documents.c.version).join(indexed, _same()).where(wanted)
                found |= {row.id: row.version for row in connection.execute(query)}
        return found

    def load(self, name: str) -> Document | None:
        """Return a document, or None."""
        return load_document(self._engine, name) if name in self.versions([name]) else None


def _same() -> ColumnElement[bool]:
    return and_(indexed.c.document_id == documents.c.id, indexed.c.version == documents.c.version)


def _behind(recipe: str) -> Iterator[Select[tuple[str]]]:
    """Yield queries for the ids of what is missing or old, and of what should be gone."""
    old = or_(indexed.c.document_id.is_(None), indexed.c.version != documents.c.version, indexed.c.recipe != recipe)
    both = documents.outerjoin(indexed, indexed.c.document_id == documents.c.id)
    yield select(documents.c.id).select_from(both).where(documents.c.collection != SHIPPED, old)
    gone = indexed.outerjoin(documents, indexed.c.document_id == documents.c.id)
    yield select(indexed.c.document_id).select_from(gone).where(documents.c.id.is_(None))


def _row(entry: Entry, recipe: str) -> dict[str, object]:
    return {
        "document_id": entry.document_id,
        "collection": entry.collection,
        "version": entry.version,
        "recipe": recipe,
        "passages": entry.counts.passages,
        "sentences": entry.sentences,
        "words": json.dumps(entry.counts.to_fields(), ensure_ascii=False),
    }
