"""Backline's retriever and embedder as LangChain sees them."""

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from index.embedding import Embedder
from index.hits import PassageHit
from index.retrieving import Filters, Retriever


class BacklineEmbeddings(Embeddings):
    """Our embedder behind LangChain's two methods; vectors have unit length."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector a text."""
        return [[float(value) for value in row] for row in self._embedder.embed(texts)]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of one text."""
        return self.embed_documents([text])[0]


class BacklineRetriever(BaseRetriever):
    """Our retriever as a LangChain runnable.

    Attributes:
        retriever: The retriever of one snapshot.
        k: Passages that come back.
        collection: The collection that is searched.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Retriever
    k: int = 10
    collection: str = "default"

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - LangChain's signature
        **kwargs: Any,
    ) -> list[LangChainDocument]:
        k = int(kwargs.get("k", self.k))
        return _to_langchain(self.retriever.search(query, k, Filters(collection=self.collection)))


def _to_langchain(hits: Sequence[PassageHit]) -> list[LangChainDocument]:
    return [
        LangChainDocument(
            id=hit.passage.id,
            page_content=hit.passage.text,
            metadata={
                "source_id": hit.passage.source_id,
                "document_id": hit.passage.document_id,
                "source_start": hit.passage.span.start,
                "source_end": hit.passage.span.end,
                "heading_path": list(hit.passage.heading_path),
                "score": hit.score,
                "rank": hit.rank,
            },
        )
        for hit in hits
    ]
