"""LangChain's own standard tests, over a snapshot made with the fake embedder, and the values they do not look at."""

from pathlib import Path
from typing import Any

import pytest
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, RetrieversIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from corpus.records import Document
from index.building import build_snapshot
from index.langchain import BacklineEmbeddings, BacklineRetriever
from index.retrieving import Retriever
from index.snapshot import open_snapshot
from tests.index.fakes import HashingEmbedder


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def retriever_of_passages(documents: list[Document], tmp_path: Path) -> Retriever:
    embedder = HashingEmbedder()
    build_snapshot(documents, embedder, tmp_path)
    return Retriever(open_snapshot(tmp_path, embedder.model_id), embedder)


@pytest.mark.anyio
class TestBacklineRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _searched(self, retriever_of_passages: Retriever) -> None:
        self._retriever = retriever_of_passages

    @property
    def retriever_constructor(self) -> type[BacklineRetriever]:
        return BacklineRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"retriever": self._retriever}

    @property
    def retriever_query_example(self) -> str:
        return "Does a warm bath help?"


class _Embeddings:
    @property
    def embeddings_class(self) -> type[BacklineEmbeddings]:
        return BacklineEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"embedder": HashingEmbedder()}


@pytest.mark.anyio
class TestBacklineEmbeddings(_Embeddings, EmbeddingsIntegrationTests):
    pass


class TestBacklineEmbeddingsConstruction(_Embeddings, EmbeddingsUnitTests):
    pass


def test_documents_are_the_passages_of_our_own_search(retriever_of_passages: Retriever) -> None:
    found = BacklineRetriever(retriever=retriever_of_passages, k=2).invoke("wrap ice in a towel")
    hits = retriever_of_passages.search("wrap ice in a towel", 2)
    assert [document.page_content for document in found] == [hit.passage.text for hit in hits]
    assert found[0].id == hits[0].passage.id
    assert found[0].metadata == {
        "source_id": "warmth",
        "document_id": "doc_warmth",
        "source_start": hits[0].passage.span.start,
        "source_end": hits[0].passage.span.end,
        "heading_path": ["Ice"],
        "score": hits[0].score,
        "rank": 1,
    }


def test_only_the_named_collection_is_found(retriever_of_passages: Retriever) -> None:
    clinic = BacklineRetriever(retriever=retriever_of_passages, collection="clinic")
    assert [document.metadata["source_id"] for document in clinic.invoke("warm bath")] == ["private"]


def test_embeddings_are_the_vectors_of_our_embedder() -> None:
    embedder = HashingEmbedder()
    embeddings = BacklineEmbeddings(embedder)
    assert embeddings.embed_documents(["heat", "ice"]) == embedder.embed(["heat", "ice"]).tolist()
    assert embeddings.embed_query("ice") == embedder.embed(["ice"])[0].tolist()
    assert embeddings.embed_documents([]) == []
