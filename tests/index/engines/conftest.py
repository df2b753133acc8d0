"""A Milvus for the tests: the server that the package ``milvus-lite`` starts, over TCP."""

import secrets
from collections.abc import Callable

import pytest

from index.engines.milvus import MilvusPassages, connect
from tests.index.fakes import HashingEmbedder


@pytest.fixture
def open_milvus(milvus_server: str) -> Callable[[], MilvusPassages]:
    """Opens an empty collection."""
    embedder = HashingEmbedder()

    def opener() -> MilvusPassages:
        name = secrets.token_hex(6)
        return MilvusPassages(connect(milvus_server), name, embedder.model_id, embedder.dimension, "test")

    return opener
