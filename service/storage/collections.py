"""What is said of each collection: its subject, questions to ask it, and whether it may be published."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, RowMapping, func, select

from service.answering.records import Said
from service.storage.database import Place, collections, documents, is_made, open_database, upsert

DEFAULT = "default"
"""The collection of the shipped digests."""

LONGEST = 320
"""Characters of a sentence on a collection, and of each question."""

MOST_QUESTIONS = 12


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection.

    Attributes:
        name: Its name.
        documents: Documents that were brought into it; the shipped digests do not count.
        scope: A sentence on what it is about, said when a question is about something else; "" says so in general.
        questions: Example questions.
        disclaimer: Under which reservation its answers stand; "" leaves ours.
        fetched: When pages were first fetched into it, ISO 8601, or None.
        licence_confirmed: When the operator confirmed the right to publish it, ISO 8601, or None.
    """

    name: str
    documents: int = 0
    scope: str = ""
    questions: tuple[str, ...] = ()
    disclaimer: str = ""
    fetched: str | None = None
    licence_confirmed: str | None = None

    @property
    def publishable(self) -> bool:
        """Whether it may be served off the loopback interface: fetched pages only with a confirmed licence."""
        return self.fetched is None or self.licence_confirmed is not None


def list_collections(engine: Engine) -> list[Collection]:
    """Return every collection that holds documents or of which something was said, by name; ours is always there."""
    with engine.connect() as connection:
        counting = select(documents.c.collection, func.count()).group_by(documents.c.collection)
        counts = {row[0]: int(row[1]) for row in connection.execute(counting)}
        said = {row["name"]: row for row in connection.execute(select(collections)).mappings()}
    return [_collection(name, counts.get(name, 0), said.get(name)) for name in sorted({DEFAULT, *counts, *said})]


def load_collection(engine: Engine, name: str) -> Collection:
    """Return one collection; one that nobody spoke of has nothing but its name."""
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).where(documents.c.collection == name)).scalar()
        row = connection.execute(select(collections).where(collections.c.name == name)).mappings().first()
    return _collection(name, int(count or 0), row)


def describe_collection(
    engine: Engine,
    name: str,
    *,
    scope: str | None = None,
    questions: tuple[str, ...] | None = None,
    disclaimer: str | None = None,
) -> Collection:
    """Say something of a collection; what is None stays as it is.

    Returns:
        The collection as it is now.

    Raises:
        ValueError: it is the shipped collection, whose words stand beside its calibration, or something is too long.
    """
    check_words(name, scope or "", questions or (), disclaimer or "")
    said = {"scope": scope, "disclaimer": disclaimer}
    values: dict[str, str | None] = {column: value for column, value in said.items() if value is not None}
    if questions is not None:
        values["questions"] = json.dumps(questions, ensure_ascii=False)
    _write(engine, name, values)
    return load_collection(engine, name)


def check_words(name: str, scope: str, questions: tuple[str, ...], disclaimer: str) -> None:
    """Refuse what cannot be said of a collection.

    Raises:
        ValueError: it is the shipped collection, whose words stand beside its calibration, or something is too long.
    """
    if name == DEFAULT:
        raise ValueError("the shipped collection describes itself; put documents of your own into another one")
    longest = max(map(len, (name * 5, scope, disclaimer, *questions)))
    if not name or longest > LONGEST or len(questions) > MOST_QUESTIONS:
        raise ValueError(f"each text has at most {LONGEST} characters, a name 1 to 64, and {MOST_QUESTIONS} questions")


def note_fetched(engine: Engine, name: str) -> None:
    """Note that a collection holds fetched pages, so that it must be confirmed before it is published."""
    if load_collection(engine, name).fetched is None:
        _write(engine, name, {"fetched": _now()})


def confirm_licence(engine: Engine, name: str) -> Collection:
    """Note that the operator has the right to publish a collection."""
    _write(engine, name, {"licence_confirmed": _now()})
    return load_collection(engine, name)


def say_for(database: Place) -> Callable[[str], Said]:
    """Return what looks up what is said of a collection, as it is when somebody asks; ours says nothing more."""
    opened: list[Engine] = []

    def say(name: str) -> Said:
        if name == DEFAULT or not is_made(database):
            return Said()
        if not opened:
            opened.append(open_database(database))
        collection = load_collection(opened[0], name)
        return Said(collection.scope, collection.disclaimer)

    return say


def unpublishable_collections(engine: Engine) -> frozenset[str]:
    """Return the collections that may be served on the loopback interface alone."""
    columns = collections.c
    query = select(columns.name).where(columns.fetched.is_not(None), columns.licence_confirmed.is_(None))
    with engine.connect() as connection:
        return frozenset(row.name for row in connection.execute(query))


def publishable(engine: Engine, name: str) -> str:
    """Return the collection's name where it may leave the machine, else "", in which nothing is found."""
    return "" if name in unpublishable_collections(engine) else name


def _write(engine: Engine, name: str, values: dict[str, str | None]) -> None:
    with engine.begin() as connection:
        adding = upsert(engine, collections).values(name=name, **values)
        if values:
            adding = adding.on_conflict_do_update(index_elements=["name"], set_=values)
        else:
            adding = adding.on_conflict_do_nothing()
        connection.execute(adding)


def _collection(name: str, count: int, row: RowMapping | None) -> Collection:
    if row is None:
        return Collection(name, count)
    return Collection(
        name=name,
        documents=count,
        scope=row["scope"],
        questions=tuple(json.loads(row["questions"])),
        disclaimer=row["disclaimer"],
        fetched=row["fetched"],
        licence_confirmed=row["licence_confirmed"],
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
