"""Workers that bring documents to an engine elsewhere: together, killed, and over again."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine

from corpus.records import Document
from corpus.splitting import split_document
from index.embedding import Progress
from index.engines.embedded import EmbeddedPassages
from index.engines.milvus import MilvusServer
from index.errors import EngineError
from index.parts import RemotePart
from service.building import _drop_unused
from service.indexing import Workplace, engine_name, holds, index_waiting, remote_parts
from service.settings import Settings
from service.storage.database import open_database
from service.storage.documents import delete_document, store_documents
from service.storage.indexing import begin_generation, sizes, waiting
from tests.index.fakes import HashingEmbedder, make_document

EMBEDDER = HashingEmbedder()
COUNT = 150


def document(number: int, text: str = "", collection: str = "ward") -> Document:
    said = text or f"Bed {number} is warm. It has {number} pillows."
    return make_document(f"n{number:03}", "Guide", ("Beds", said), collection=collection)


def passages_of(*documents: Document) -> set[str]:
    return {p.id for one in documents for p in split_document(one, EMBEDDER.count_tokens, EMBEDDER.token_budget)}


class Here:
    """Engines in this process, in place of a server."""

    def __init__(self) -> None:
        self.engines: dict[str, EmbeddedPassages] = {}
        self.down = False

    def open(self, name: str, *, make: bool = False) -> EmbeddedPassages:
        if self.down:
            raise EngineError("it does not answer")
        if not make and name not in self.engines:
            raise EngineError("it has lost a collection")
        return self.engines.setdefault(name, EmbeddedPassages(16))

    def has(self, name: str) -> bool:
        return name in self.engines

    def keep_only(self, names: Callable[[], Collection[str]]) -> None:
        there = set(self.engines)
        for name in there - set(names()):
            del self.engines[name]

    def settle(self, name: str) -> None:
        del name

    def check(self) -> None:
        pass

    def held(self, at: Workplace, collection: str = "ward") -> set[str]:
        return {one.passage.id for one in self.open(engine_name(collection, at.recipe)).everything()}


@pytest.fixture
def here() -> Here:
    return Here()


@pytest.fixture
def at(engine: Engine, here: Here, tmp_path: Path) -> Workplace:
    return Workplace(engine, here, EMBEDDER, tmp_path / "cache", 0.5)


def test_the_engine_holds_what_is_stored_after_each_change(at: Workplace, here: Here) -> None:
    documents = [document(number) for number in range(40)]
    store_documents(at.database, documents)
    told: list[tuple[int, int]] = []
    assert index_waiting(at, lambda done, of: told.append((done, of))) == 40
    assert here.held(at) == passages_of(*documents)
    assert told == [(32, 40), (40, 40)]
    changed = document(3, "Bed 3 is cold now.")
    store_documents(at.database, [changed, document(99, collection="other")])
    delete_document(at.database, documents[4].id)
    assert index_waiting(at) == 3
    assert here.held(at) == passages_of(changed, *documents[:3], *documents[5:])
    assert here.held(at, "other") == passages_of(document(99, collection="other"))
    assert index_waiting(at) == 0


def test_collections_above_a_size_are_searched_elsewhere(at: Workplace) -> None:
    store_documents(at.database, [*map(document, range(20)), document(99, collection="small")])
    index_waiting(at)
    parts = remote_parts(at, 10)
    assert set(parts) == {"ward"}
    assert parts["ward"].counts.passages == sizes(at.database, at.recipe)["ward"].passages
    assert holds(at.database, EMBEDDER.model_id, parts, 10)
    assert not holds(at.database, EMBEDDER.model_id, {}, 10)
    assert not holds(at.database, "other@2", parts, 10)
    delete_document(at.database, document(5).id)
    assert not holds(at.database, EMBEDDER.model_id, parts, 10)
    index_waiting(at)
    assert not holds(at.database, EMBEDDER.model_id, parts, 10)
    newer: dict[str, RemotePart] = remote_parts(at, 10)
    assert newer["ward"].state != parts["ward"].state


def test_what_an_engine_did_not_take_waits_for_the_next_time(at: Workplace, here: Here) -> None:
    store_documents(at.database, [document(1)])
    here.down = True
    with pytest.raises(EngineError, match="does not answer"):
        index_waiting(at)
    assert waiting(at.database) == 1
    here.down = False
    assert index_waiting(at) == 1
    assert here.held(at) == passages_of(document(1))


def test_what_was_there_before_stays_for_other_machines_and_loses_what_is_deleted(
    at: Workplace, here: Here, tmp_path: Path
) -> None:
    shared = Settings.model_validate({"home": tmp_path, "database_url": "postgresql://db.internal/backline"})
    store_documents(at.database, [document(1), document(2)])
    names = []
    for _ in range(3):
        index_waiting(at)
        names.append(engine_name("ward", at.recipe))
        begin_generation(at.database)
    index_waiting(at)
    _drop_unused(at, shared)
    assert set(here.engines) == {names[2], engine_name("ward", at.recipe)}
    delete_document(at.database, document(1).id)
    index_waiting(at)
    for name in here.engines:
        assert {one.passage.id for one in here.open(name).everything()} == passages_of(document(2))
    _drop_unused(at, Settings(home=tmp_path))
    assert set(here.engines) == {engine_name("ward", at.recipe)}


def test_a_collection_that_was_lost_is_not_made_anew_with_the_latest_document_alone(at: Workplace, here: Here) -> None:
    documents = [document(number) for number in range(3)]
    store_documents(at.database, documents[:2])
    index_waiting(at)
    here.engines.clear()
    store_documents(at.database, documents[2:])
    with pytest.raises(EngineError, match="lost a collection"):
        index_waiting(at)
    assert (here.engines, waiting(at.database)) == ({}, 1)
    begin_generation(at.database)
    assert index_waiting(at) == 3
    assert here.held(at) == passages_of(*documents)


def test_a_collection_stays_until_its_last_document_was_taken_out(at: Workplace, here: Here, tmp_path: Path) -> None:
    store_documents(at.database, [document(1)])
    index_waiting(at)
    delete_document(at.database, document(1).id)
    _drop_unused(at, Settings(home=tmp_path))
    assert index_waiting(at) == 1
    assert here.held(at) == set()
    _drop_unused(at, Settings(home=tmp_path))
    assert here.engines == {}


class Meddling(HashingEmbedder):
    """Has a document stored anew while it embeds, once."""

    def __init__(self, database: Engine, newer: Document) -> None:
        super().__init__()
        self._database = database
        self._newer: Document | None = newer

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        if self._newer is not None:
            store_documents(self._database, [self._newer])
            self._newer = None
        return super().embed(texts, progress)


def test_what_changes_while_it_is_worked_at_is_worked_at_again(at: Workplace, here: Here, tmp_path: Path) -> None:
    store_documents(at.database, [document(1)])
    newer = document(1, "Bed 1 was sold.")
    meddled = Workplace(at.database, here, Meddling(at.database, newer), tmp_path, 0.5)
    index_waiting(meddled)
    assert meddled.is_behind
    index_waiting(meddled)
    assert here.held(at) == passages_of(newer)
    assert not meddled.is_behind


def test_workers_together_do_each_document(at: Workplace, here: Here) -> None:
    documents = [document(number) for number in range(COUNT)]
    store_documents(at.database, documents)
    here.open(engine_name("ward", at.recipe), make=True)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: index_waiting(at), range(2)))
    assert sum(done) >= COUNT
    assert here.held(at) == passages_of(*documents)


WORKER = """
import os, sys
from pathlib import Path
from index.engines.milvus import MilvusServer
from service.indexing import Workplace, index_waiting
from service.storage.database import open_database
from service.storage.indexing import load_installation
from tests.index.fakes import HashingEmbedder

class Dying(HashingEmbedder):
    left = int(sys.argv[3])
    def embed_parts(self, texts, parts, progress=None):
        made = super().embed_parts(texts, parts)
        if self.left == 0:
            os._exit(9)  # as a kill does: nothing is given back, nothing closed
        self.left -= 1
        return made

class DyingServer(MilvusServer):
    def open(self, name, *, make=False):
        engine = super().open(name, make=make)
        written = engine.add
        def add(passages):
            written(passages)
            if embedder.left == 0:
                os._exit(9)  # the passages are there, and nobody has noted it
        engine.add = add
        return engine

embedder = Dying()
database = open_database(Path(sys.argv[1]))
kind = DyingServer if sys.argv[4] == "written" else MilvusServer
server = kind(sys.argv[2], "", embedder.model_id, 16, load_installation(database).name)
index_waiting(Workplace(database, server, embedder, Path(sys.argv[1]).parent / "cache", 0.5))
"""


def test_killed_three_times_an_ingest_into_milvus_ends_complete_and_without_doubles(
    milvus_server: str, tmp_path: Path
) -> None:
    place = tmp_path / "backline.sqlite"
    database = open_database(place)
    documents = [document(number) for number in range(COUNT)]
    store_documents(database, documents)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for left, when in (("1", "embedded"), ("1", "written"), ("0", "embedded")):
        program = [sys.executable, "-c", WORKER, str(place), milvus_server, left, when]
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 9, done.stderr
        assert waiting(database) > 0
    name = database_name(database)
    server = MilvusServer(milvus_server, "", EMBEDDER.model_id, 16, name)
    at = Workplace(database, server, EMBEDDER, tmp_path / "cache", 0.5)
    assert index_waiting(at) < COUNT  # what was finished before is not done again
    held = [one.passage.id for one in server.open(engine_name("ward", at.recipe)).everything()]
    assert len(held) == len(set(held)) == len(passages_of(*documents))
    assert set(held) == passages_of(*documents)
    assert len(server.open(engine_name("ward", at.recipe))) == sizes(database, at.recipe)["ward"].passages


def database_name(database: Engine) -> str:
    from service.storage.indexing import load_installation

    return load_installation(database).name
