"""The shipped corpus behind a fake embedder: the whole path in milliseconds, without a model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpus.sources import load_differences, load_shipped_documents
from index.building import build_snapshot
from index.retrieving import Retriever
from index.snapshot import Snapshot, open_snapshot
from service.answering.answerer import Answerer
from service.answering.replying import Replier
from service.storage.database import open_database
from service.triage.screening import load_rules
from tests.service.fakes import StemEmbedder


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    root = tmp_path_factory.mktemp("snapshots")
    embedder = StemEmbedder()
    build_snapshot(load_shipped_documents(), embedder, root)
    return open_snapshot(root, embedder.model_id)


@pytest.fixture(scope="session")
def answerer(snapshot: Snapshot) -> Answerer:
    return Answerer(Retriever(snapshot, StemEmbedder()), None, load_differences())


@pytest.fixture(scope="session")
def replier(answerer: Answerer) -> Replier:
    return Replier(load_rules(), answerer)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database, of each kind in turn: what holds over one has to hold over the other."""
    place = tmp_path / "backline.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    opened = open_database(place)
    yield opened
    opened.dispose()
