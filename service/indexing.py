"""Documents into an engine elsewhere, by as many workers as there are, on as many machines.

What has to be done stands in a table of the database. A worker takes some documents from it for a while, splits and
embeds them, writes their passages, and notes what is there now. One that dies is taken over from: its passages have
ids made from their content, so that what is written twice is there once.
"""

import hashlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from corpus.records import Document, Passage
from corpus.splitting import SPLITTER_VERSION, split_document
from index.caching import view_known
from index.embedding import Embedder
from index.engines.protocol import PassageEngine
from index.parts import RemotePart
from index.remote import Elsewhere
from index.viewing import VIEWS_VERSION, Viewed
from index.weighing import WordCounts
from service.storage import indexing as table
from service.storage.documents import load_some, stored_versions_in

_log = logging.getLogger(__name__)

LEASE_SECONDS = 20.0
"""So long a worker that died keeps others from what it had taken."""

_AT_ONCE = 32
"""Documents that are worked at together: a worker that is killed loses these at most."""

_LOOK_SECONDS = 0.2

Told = Callable[[int, int], None]
"""Told how many documents are done, and of how many."""


class Server(Protocol):
    """Where the engines of all collections are."""

    def open(self, name: str, *, make: bool = False) -> PassageEngine:
        """Open a collection, made when missing if that is wanted."""

    def has(self, name: str) -> bool:
        """Whether there is a collection of that name."""

    def keep_only(self, names: Callable[[], Collection[str]]) -> None:
        """Remove every other collection of this installation, of those that are there before it asks for names."""

    def settle(self, name: str) -> None:
        """Have the latest rows of a collection indexed."""

    def check(self) -> None:
        """Ask whether it answers."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a worker works with.

    Attributes:
        database: Documents and jobs.
        server: Where the passages go.
        embedder: Makes their vectors.
        cache: Folder of vectors that are known already.
        lease_seconds: How long others wait for a worker that died.
    """

    database: Engine
    server: Server
    embedder: Embedder
    cache: Path
    lease_seconds: float = LEASE_SECONDS

    @property
    def recipe(self) -> str:
        """See :func:`recipe_of`."""
        return recipe_of(self.database, self.embedder.model_id)

    @property
    def is_behind(self) -> bool:
        """Whether anything waits to be brought to the engine, or to be taken out of it."""
        return table.is_behind(self.database, self.recipe)


def recipe_of(database: Engine, model_id: str) -> str:
    """Return how passages and vectors are made now, and how often everything was begun anew."""
    made_by = hashlib.sha256(f"{model_id}\n{SPLITTER_VERSION}\n{VIEWS_VERSION}".encode()).hexdigest()[:16]
    return f"{made_by}-{table.load_installation(database).generation}"


def one_before(recipe: str) -> str:
    """Return the recipe of the generation before: what was made by it is searched until every machine has followed."""
    made_by, _, generation = recipe.rpartition("-")
    return f"{made_by}-{int(generation) - 1}"


def engine_name(collection: str, recipe: str) -> str:
    """Return the name under which an engine elsewhere knows a collection that was made by a recipe."""
    return f"{collection}\n{recipe}"


def index_waiting(at: Workplace, told: Told | None = None) -> int:
    """Bring every document that waits to the engine, beside whoever does the same; return when none is left.

    Args:
        at: What to work with.
        told: Told how far all workers are together.

    Returns:
        Documents that this worker has done.

    Raises:
        EngineError: the engine does not answer; what was done stays done.
    """
    recipe = at.recipe
    total, done = table.enqueue(at.database, recipe), 0
    worker = f"{socket.gethostname()[:16]}-{os.getpid()}-{secrets.token_hex(4)}"
    with _renewed(at, worker):
        while True:
            names = table.claim(at.database, worker, _AT_ONCE, time.time(), at.lease_seconds)
            if names:
                _work_at(at, recipe, names)
                done += len(names)
            left = table.waiting(at.database)
            total = max(total, left)
            if told is not None and total:
                told(total - left, total)
            if not left:
                return done
            if not names:  # others work at the rest, or died at it
                time.sleep(_LOOK_SECONDS)


def remote_parts(at: Workplace, most_sentences: int) -> dict[str, RemotePart]:
    """Return the collections that are too large for a vector a sentence: they are searched where their passages are.

    Args:
        at: What was worked with.
        most_sentences: Sentences of a collection up to which it is not one of them.
    """
    recipe = at.recipe
    large = [name for name, size in table.sizes(at.database, recipe).items() if size.sentences > most_sentences]
    return {
        name: RemotePart(
            engine_name(name, recipe), state_of(at.database, name), table.count_words(at.database, name, recipe)
        )
        for name in large
    }


def holds(database: Engine, model_id: str, remote: Mapping[str, RemotePart], most_sentences: int) -> bool:
    """Whether the engine elsewhere and a snapshot's remote parts are what a build would make of what is stored now."""
    recipe = recipe_of(database, model_id)
    if table.is_behind(database, recipe):
        return False
    large = {name for name, size in table.sizes(database, recipe).items() if size.sentences > most_sentences}
    return large == set(remote) and all(
        part.name == engine_name(name, recipe) and part.state == state_of(database, name)
        for name, part in remote.items()
    )


def elsewhere(at: Workplace) -> Elsewhere:
    """Return what the remote parts of a snapshot are searched through."""
    return Elsewhere(at.server.open, table.IndexedDocuments(at.database))


def state_of(database: Engine, collection: str) -> str:
    """Return a digest of which documents a collection has, in which versions."""
    lines = "".join(f"{name}\n{version}\n" for name, version in stored_versions_in(database, collection))
    return hashlib.sha256(lines.encode()).hexdigest()


def _work_at(at: Workplace, recipe: str, names: Sequence[str]) -> None:
    """Make the engine hold of some documents what is stored: their passages, or nothing."""
    stored = {document.id: document for document in load_some(at.database, names)}
    passages = {
        name: split_document(document, at.embedder.count_tokens, at.embedder.token_budget)
        for name, document in stored.items()
    }
    every = [passage for some in passages.values() for passage in some]
    viewed = {one.passage.id: one for one in view_known(every, at.embedder, at.cache)}
    before = table.collections_of(at.database, names)
    where = {name: stored[name].source.collection if name in stored else before.get(name, "") for name in names}
    for collection, some in groupby(sorted(names, key=lambda name: where[name]), key=lambda name: where[name]):
        if collection:
            own = list(some)
            # A collection of which something was noted was made: where it is missing now, it was lost with the rest.
            make = not table.is_noted(at.database, collection, recipe)
            _write(at.server.open(engine_name(collection, recipe), make=make), own, passages, viewed)
            gone, older = [name for name in own if name not in stored], engine_name(collection, one_before(recipe))
            if gone and at.server.has(older):
                at.server.open(older).delete_documents(gone)
    # What has changed while it was worked at is no longer what the engine holds: it waits again.
    now = {document.id: document for document in load_some(at.database, names)}
    entries = [_entry(document, passages[name]) for name, document in stored.items() if now.get(name) == document]
    table.finish(at.database, recipe, names, entries)


def _write(
    engine: PassageEngine,
    names: Sequence[str],
    passages: Mapping[str, Sequence[Passage]],
    viewed: Mapping[str, Viewed],
) -> None:
    """Write the passages of some documents of one collection; what was there of older versions goes."""
    own = [passage for name in names for passage in passages.get(name, ())]
    if own:
        engine.add([viewed[passage.id] for passage in own])
    engine.delete_documents(names, but=[passage.id for passage in own])


def _entry(document: Document, passages: Sequence[Passage]) -> table.Entry:
    return table.Entry(
        document.id,
        document.source.collection,
        document.version,
        sum(len(passage.sentences) for passage in passages),
        WordCounts.of(passages),
    )


@contextmanager
def _renewed(at: Workplace, worker: str) -> Iterator[None]:
    """Keep what a worker takes its own for as long as the block runs, and give back what it leaves undone."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(at.lease_seconds / 4):
            try:
                table.renew(at.database, worker, time.time() + at.lease_seconds)
            except SQLAlchemyError as error:
                _log.warning("a worker's lease was not renewed: %s", type(error).__name__)

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        table.give_back(at.database, worker)
