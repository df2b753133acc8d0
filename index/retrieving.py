"""From a query to fused hits: the one object of this package that the service sees."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.embedding import Embedder
from index.errors import ForeignSnapshotError
from index.fusion import fuse
from index.hits import Hit, PassageHit, SentenceHit, ranked
from index.snapshot import Snapshot
from index.spelling import Speller

Rows = NDArray[np.int64]

DEPTH = 100
"""Hits that each searcher hands to fusion, or more when more are asked for."""

LEXICAL_SHARE = 0.15
"""Weight of BM25, scaled to its best, beside the sentence's cosine; see docs/evaluation.md."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be found.

    Attributes:
        source_ids: Only these sources; None means all.
        collection: Only this collection.
    """

    source_ids: Collection[str] | None = None
    collection: str = "default"


@dataclass(frozen=True, slots=True)
class Found:
    """What one query found.

    Attributes:
        passages: Fused passages, best first.
        sentences: Sentences, best first.
    """

    passages: tuple[PassageHit, ...]
    sentences: tuple[SentenceHit, ...]


class Retriever:
    """Searches one snapshot with one embedder.

    Args:
        snapshot: The snapshot.
        embedder: Of the snapshot's model.
        known_words: Words that spelling repair leaves alone although the corpus lacks them, lower case.

    Raises:
        ForeignSnapshotError: the embedder's model is not the snapshot's.

    Equal scores are ordered by row, and rows follow document id and position: the same snapshot and query give the
    same hits.
    """

    def __init__(self, snapshot: Snapshot, embedder: Embedder, known_words: frozenset[str] = frozenset()) -> None:
        if embedder.model_id != snapshot.manifest.model_id:
            raise ForeignSnapshotError(
                snapshot.id, f"the model {snapshot.manifest.model_id}", f"the model {embedder.model_id}"
            )
        self.snapshot = snapshot
        self._embedder = embedder
        self._speller = Speller((passage.embedded_text for passage in snapshot.passages), known_words)
        self._withdrawn: frozenset[str] = frozenset()
        self._rows: dict[tuple[frozenset[str], Filters], tuple[Rows, Rows]] = {}

    def withdraw(self, versions: Collection[tuple[str, str]]) -> None:
        """Hide documents that were deleted after the snapshot was built; the next search no longer finds them.

        Args:
            versions: Id and version of every deleted document, all of them at each call: one that is missing here is
                found again. What the snapshot does not hold is passed over.
        """
        documents = self.snapshot.documents
        self._withdrawn = frozenset(
            name for name, version in versions if name in documents and documents[name].version == version
        )

    def shows(self, document_id: str) -> bool:
        """Whether the snapshot holds a document that is not withdrawn."""
        return document_id in self.snapshot.documents and document_id not in self._withdrawn

    def repair(self, query: str) -> str:
        """Return a query with misspelt words replaced by the corpus's own."""
        return self._speller.repair(query)

    def recognised(self, query: str) -> float:
        """Return the share of a query's words that are words at all, in [0, 1]."""
        return self._speller.recognised(query)

    def embed(self, query: str) -> NDArray[np.float32]:
        """Return the embedding of a query, shape ``(dimension,)``."""
        vector: NDArray[np.float32] = self._embedder.embed([query])[0]
        return vector

    def search(self, query: str, k: int = 10, filters: Filters | None = None) -> list[PassageHit]:
        """Return at most ``k`` passages for ``query``, best first.

        Raises:
            ValueError: ``k`` is below 1.
        """
        repaired = self.repair(query)
        return list(self.find(repaired, self.embed(repaired), k, 1, filters).passages)

    def find(
        self,
        query: str,
        vector: NDArray[np.float32],
        passages: int,
        sentences: int,
        filters: Filters | None = None,
    ) -> Found:
        """Search passages and sentences at once.

        Args:
            query: The words, for the lexical side.
            vector: The query's embedding, shape ``(dimension,)``.
            passages: Passages wanted, at least 1.
            sentences: Sentences wanted, at least 1.
            filters: Applied before ranking.

        Raises:
            ValueError: a number is below 1.
        """
        if min(passages, sentences) < 1:
            raise ValueError("at least one passage and one sentence must be asked for")
        passage_rows, sentence_rows = self._allowed(filters or Filters())
        if not len(passage_rows):
            return Found((), ())
        depth = max(DEPTH, passages, sentences)
        dense = self.snapshot.passage_vectors.search(vector, depth, passage_rows)
        by_sentence = self.snapshot.sentence_vectors.search(vector, depth, sentence_rows)
        words = self.snapshot.passage_words.search(query, depth, passage_rows)
        fused = fuse([dense, self._passages_of(by_sentence), words], [1.0, 1.0, 0.5])[:passages]
        cosines = self.snapshot.passage_vectors.cosines(vector, [hit.row for hit in fused])
        return Found(
            tuple(
                PassageHit(self.snapshot.passages[hit.row], hit.score, hit.rank, float(cosine))
                for hit, cosine in zip(fused, cosines, strict=True)
            ),
            self._sentences(query, vector, by_sentence, sentence_rows, sentences),
        )

    def _sentences(
        self,
        query: str,
        vector: NDArray[np.float32],
        dense: Sequence[Hit],
        allowed: Rows,
        k: int,
    ) -> tuple[SentenceHit, ...]:
        """Order sentences by their cosine and a little BM25."""
        words = self.snapshot.sentence_words
        lexical = words.scores(query)
        by_words = words.search(query, max(DEPTH, k), allowed)
        rows = sorted({hit.row for hit in (*dense, *by_words)})
        # All cosines come from one computation, so that equal sentences have equal scores and their order is stated.
        values = self.snapshot.sentence_vectors.cosines(vector, rows)
        cosines = {row: float(value) for row, value in zip(rows, values, strict=True)}
        # Scaled to the best of what may be found: what a filter hides must not move the scores of what it shows.
        top = by_words[0].score if by_words else 1.0
        scores = {row: cosine + LEXICAL_SHARE * float(lexical[row]) / top for row, cosine in cosines.items()}
        found = []
        for hit in ranked(list(scores.items()))[:k]:
            passage_row, span = self.snapshot.sentences[hit.row]
            passage = self.snapshot.passages[passage_row]
            text = passage.text[span.start - passage.span.start : span.end - passage.span.start]
            found.append(SentenceHit(passage, span, text, hit.score, cosines[hit.row], float(lexical[hit.row])))
        return tuple(found)

    def _passages_of(self, hits: Sequence[Hit]) -> list[Hit]:
        """Turn sentence hits into passage hits: a passage has the rank of its best sentence."""
        best: dict[int, float] = {}
        for hit in hits:
            best.setdefault(self.snapshot.sentences[hit.row][0], hit.score)
        return ranked(list(best.items()))

    def _allowed(self, filters: Filters) -> tuple[Rows, Rows]:
        """Return the passage and sentence rows that may be found; several threads may ask at once."""
        wanted = Filters(None if filters.source_ids is None else frozenset(filters.source_ids), filters.collection)
        # What is withdrawn is part of the key: rows that another thread works out meanwhile are kept under the old one.
        key = (self._withdrawn, wanted)
        rows = self._rows.get(key)
        if rows is None:
            passages = [
                row
                for row, passage in enumerate(self.snapshot.passages)
                if passage.collection == wanted.collection
                and (wanted.source_ids is None or passage.source_id in wanted.source_ids)
                and passage.document_id not in key[0]
            ]
            inside = set(passages)
            sentences = [row for row, (owner, _) in enumerate(self.snapshot.sentences) if owner in inside]
            rows = (np.array(passages, dtype=np.int64), np.array(sentences, dtype=np.int64))
            if len(self._rows) >= 64:
                self._rows.clear()
            self._rows[key] = rows
        return rows
