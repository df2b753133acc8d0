"""From a query to fused hits: the one object of this package that the service sees."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.records import Document, Passage
from index.embedding import Embedder
from index.errors import EngineError, ForeignSnapshotError
from index.fusion import fuse
from index.hits import Hit, PassageHit, SentenceHit, ranked
from index.known import NOWHERE, KnownQuestions, Nearness
from index.lexical import LexicalIndex, stems
from index.parts import Part
from index.remote import Elsewhere, RemoteCollection
from index.reranking import RERANKED, Reranker
from index.snapshot import Snapshot
from index.spelling import Speller, words_of_others
from index.viewing import VIEWED_PASSAGES, rank_sentences

Rows = NDArray[np.int64]
_Rows = tuple[Rows | None, Rows | None]
"""Passages and sentences that may be found; None stands for all of them."""

DEPTH = 100
"""Hits that each searcher hands to fusion, or more when more are asked for."""

SENTENCE_LEXICAL_SHARE = 0.15
"""Weight of BM25, scaled to its best, beside a sentence's cosine; see docs/evaluation.md."""


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
        known: How near known questions are.
    """

    passages: tuple[PassageHit, ...]
    sentences: tuple[SentenceHit, ...]
    known: Nearness = NOWHERE


class Retriever:
    """Searches one snapshot with one embedder.

    Args:
        snapshot: The snapshot.
        embedder: Of the snapshot's model.
        known_words: Words that spelling repair leaves alone although the corpus lacks them, lower case.
        elsewhere: What the snapshot's remote collections are searched through; None where there are none.
        reranker: Looks at the best passages of collections in this process again; None leaves them as they are.
        aside: Entered while a model or an engine elsewhere is waited for, so that others may compute meanwhile.

    Raises:
        ForeignSnapshotError: the embedder's model is not the snapshot's.
        EngineError: the snapshot has remote collections, and nothing is said of where they are.

    Equal scores are ordered by row, and rows follow document id and position: the same snapshot and query give the
    same hits.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: Embedder,
        known_words: frozenset[str] = frozenset(),
        elsewhere: Elsewhere | None = None,
        reranker: Reranker | None = None,
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        if embedder.model_id != snapshot.manifest.model_id:
            raise ForeignSnapshotError(
                snapshot.id, f"the model {snapshot.manifest.model_id}", f"the model {embedder.model_id}"
            )
        if snapshot.remote and elsewhere is None:
            raise EngineError("the index is on Milvus: set BACKLINE_ENGINE=milvus, or build another: `backline index`")
        self.snapshot = snapshot
        self._remote = {
            name: RemoteCollection(part, elsewhere) for name, part in snapshot.remote.items() if elsewhere is not None
        }
        self._documents = None if elsewhere is None else elsewhere.documents
        self._embedder = embedder
        self._known_words = known_words
        self._reranker = reranker
        self._aside = aside
        self._spellers: dict[str, Speller] = {}
        self._lock = threading.Lock()
        self._withdrawn: frozenset[str] = frozenset()
        self._rows: dict[tuple[frozenset[str], Filters], _Rows] = {}
        self._known = {name: KnownQuestions(part) for name, part in snapshot.parts.items()}

    def withdraw(self, versions: Collection[tuple[str, str]]) -> None:
        """Hide documents that were deleted after the snapshot was built; the next search no longer finds them.

        Args:
            versions: Id and version of every deleted document, all of them at each call: one that is missing here is
                found again. What the snapshot does not hold is passed over.
        """
        held = self.snapshot.documents
        self._withdrawn = frozenset(
            name for name, version in versions if name in held and held.version(name) == version
        )

    def shows(self, document_id: str) -> bool:
        """Whether a document can be quoted: it is here, or in a remote collection, and not withdrawn."""
        if document_id in self.snapshot.documents:
            return document_id not in self._withdrawn
        return self.document(document_id) is not None

    def document(self, document_id: str) -> Document | None:
        """Return a document that can be quoted, or None."""
        if document_id in self.snapshot.documents:
            return None if document_id in self._withdrawn else self.snapshot.documents[document_id]
        found = None if self._documents is None or not self._remote else self._documents.load(document_id)
        return found if found is not None and found.source.collection in self._remote else None

    def versions(self, collections: Mapping[str, str]) -> dict[str, str]:
        """Return in which versions documents can be quoted, by id; what cannot be quoted is left out.

        Args:
            collections: Their collections, by id.
        """
        held = self.snapshot.documents
        found = {name: held.version(name) for name in collections if name in held and name not in self._withdrawn}
        distant = [name for name, where in collections.items() if name not in held and where in self._remote]
        return found | dict(self._documents.versions(distant) if self._documents is not None and distant else {})

    def document_of(self, passage: Passage) -> Document:
        """Return the document that a found passage is cut from.

        Raises:
            EngineError: it is in a remote collection, and was deleted or changed since the passage was found.
        """
        remote = self._remote.get(passage.collection)
        if remote is None:
            return self.snapshot.documents[passage.document_id]
        with self._aside():
            return remote.document_of(passage)

    def passage(self, passage_id: str) -> Passage | None:
        """Return a passage that can be quoted, or None.

        Raises:
            EngineError: an engine elsewhere does not answer.
        """
        passage = self.snapshot.passage(passage_id)
        if passage is not None:
            return passage if self.shows(passage.document_id) else None
        with self._aside():
            return next((p for p in (one.passage(passage_id) for one in self._remote.values()) if p is not None), None)

    def repair(self, query: str, collection: str = "default") -> str:
        """Return a query with misspelt words replaced by a collection's own."""
        return self._speller(collection).repair(query)

    def recognised(self, query: str, collection: str = "default") -> float:
        """Return the share of a query's words that are words at all, in [0, 1]."""
        return self._speller(collection).recognised(query)

    def words(self, collection: str = "default") -> LexicalIndex:
        """Return the index that weighs a question's words by how a collection uses them."""
        if collection in self._remote:
            return self._remote[collection].words
        part = self.snapshot.parts.get(collection)
        return LexicalIndex.build([]) if part is None else part.words

    def _speller(self, collection: str) -> Speller:
        """Return a collection's speller; the first question to a collection makes it."""
        speller = self._spellers.get(collection)
        if speller is None:
            with self._lock:
                speller = self._spellers.get(collection)
                if speller is None:
                    part, remote = self.snapshot.parts.get(collection), self.snapshot.remote.get(collection)
                    own: Mapping[str, int] = {} if part is None else part.spelling
                    others = (one.text for one in (part.questions if part else ()) if one.reason == "out_of_scope")
                    known = self._known_words | words_of_others(others)
                    speller = Speller(own if remote is None else remote.counts.words, known)
                    if part is not None or remote is not None:  # names that were made up must not fill the memory
                        self._spellers[collection] = speller
        return speller

    def embed(self, query: str) -> NDArray[np.float32]:
        """Return the embedding of a query, shape ``(dimension,)``."""
        vector: NDArray[np.float32] = self.embed_all([query])[0]
        return vector

    def embed_all(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings of some queries, shape ``(queries, dimension)``, for which is waited once."""
        with self._aside():
            return self._embedder.embed(queries)

    def search(self, query: str, k: int = 10, filters: Filters | None = None) -> list[PassageHit]:
        """Return at most ``k`` passages for ``query``, best first.

        Raises:
            ValueError: ``k`` is below 1.
        """
        repaired = self.repair(query, "default" if filters is None else filters.collection)
        return list(self.find(repaired, self.embed(repaired), k, 0, filters).passages)

    def rank_apart(self, query: str, k: int = 10, filters: Filters | None = None) -> dict[str, list[Passage]]:
        """Return the passages that each searcher ranks by itself, best first: to look at the engine, not to answer.

        Returns:
            At most ``k`` passages under ``dense`` and under ``bm25``.

        Raises:
            ValueError: ``k`` is below 1.
        """
        if k < 1:
            raise ValueError("at least one passage must be asked for")
        wanted = filters or Filters()
        repaired = self.repair(query, wanted.collection)
        remote = self._remote.get(wanted.collection)
        if remote is not None:
            vector = self.embed(repaired)
            with self._aside():
                dense, lexical = remote.rank(repaired, vector, max(DEPTH, k), wanted.source_ids)
            return {"dense": [passage for passage, _ in dense[:k]], "bm25": [passage for passage, _ in lexical[:k]]}
        part = self.snapshot.parts.get(wanted.collection)
        if part is None:
            return {"dense": [], "bm25": []}
        rows = self._allowed(part, wanted)[0]
        runs = {
            "dense": part.passage_vectors.search(self.embed(repaired), k, rows),
            "bm25": part.passage_words.search(repaired, k, rows),
        }
        return {name: [part.passages[hit.row] for hit in hits] for name, hits in runs.items()}

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
            sentences: Sentences wanted; 0 leaves out ranking them, and looking up known questions.
            filters: Applied before ranking.

        Raises:
            ValueError: no passage is asked for, or a number of sentences below 0.
            EngineError: the collection is on an engine elsewhere, which does not answer.
        """
        if passages < 1 or sentences < 0:
            raise ValueError("at least one passage must be asked for, and not fewer than no sentences")
        wanted = filters or Filters()
        if wanted.collection in self._remote:
            return self._find_elsewhere(self._remote[wanted.collection], query, vector, passages, sentences, wanted)
        part = self.snapshot.parts.get(wanted.collection)
        if part is None:
            return Found((), ())
        rows = self._allowed(part, wanted)
        if rows[0] is not None and not len(rows[0]):
            return Found((), ())
        depth = max(DEPTH, passages, sentences)
        dense = [part.passage_vectors.search(vector, depth, rows[0])]
        by_words = part.passage_words.search(query, depth, rows[0])
        by_sentence: list[Hit] = []
        read = part.read(vector, query)
        if part.sentences:
            by_sentence = part.sentence_vectors.search(read, depth, rows[1])
            dense.append(_passages_of(part, by_sentence))
        fused = self._rerank(query, part, fuse(dense, by_words, len(stems(query))))[: max(passages, VIEWED_PASSAGES)]
        cosines = part.passage_vectors.cosines(vector, [hit.row for hit in fused])
        hits = [
            PassageHit(part.passages[hit.row], hit.score, hit.rank, float(cosine))
            for hit, cosine in zip(fused, cosines, strict=True)
        ]
        if not sentences:
            return Found(tuple(hits[:passages]), ())
        if part.sentences:
            found = _rank_indexed(part, query, read, by_sentence, rows[1], sentences)
        else:
            best = [hit.row for hit in fused[:VIEWED_PASSAGES]]
            own, views = [part.passages[row] for row in best], [part.views[row] for row in best]
            found = rank_sentences(part.words, query, vector, own, views, sentences)
        return Found(tuple(hits[:passages]), found, self._known[wanted.collection].look_up(vector, query))

    def _rerank(self, query: str, part: Part, fused: list[Hit]) -> list[Hit]:
        """Order the best passages by what the reranker says; equal ones, and those behind, as they were.

        Its scores, in [0, 1] or beyond, are moved above those of fusion: only their order means anything.
        """
        best = fused[:RERANKED]
        if self._reranker is None or not best:
            return fused
        with self._aside():
            scores = self._reranker.score(query, [part.passages[hit.row].embedded_text for hit in best])
        lift = fused[0].score - float(scores.min()) + 1.0
        order = ranked([(place, float(score) + lift) for place, score in enumerate(scores)])
        front = [Hit(best[hit.row].row, hit.score, hit.rank) for hit in order]
        return front + fused[RERANKED:]

    def _find_elsewhere(
        self,
        remote: RemoteCollection,
        query: str,
        vector: NDArray[np.float32],
        passages: int,
        sentences: int,
        filters: Filters,
    ) -> Found:
        """Search a collection that an engine elsewhere holds."""
        depth, wanted = max(DEPTH, passages, sentences), max(passages, VIEWED_PASSAGES)
        with self._aside():
            found = remote.search(query, vector, depth, wanted, filters.source_ids)
        hits = tuple(found.hits[:passages])
        if not sentences:
            return Found(hits, ())
        best = [hit.passage for hit in found.hits[:VIEWED_PASSAGES]]
        views = found.views[:VIEWED_PASSAGES]
        return Found(hits, rank_sentences(remote.words, query, vector, best, views, sentences))

    def _allowed(self, part: Part, filters: Filters) -> _Rows:
        """Return the passage and sentence rows that may be found; several threads may ask at once."""
        if filters.source_ids is None and not self._withdrawn:
            return None, None
        wanted = Filters(None if filters.source_ids is None else frozenset(filters.source_ids), filters.collection)
        # What is withdrawn is part of the key: rows that another thread works out meanwhile are kept under the old one.
        key = (self._withdrawn, wanted)
        rows = self._rows.get(key)
        if rows is None:
            sources = wanted.source_ids
            passages = part.owners.rows_where(
                lambda document, source: (sources is None or source in sources) and document not in key[0]
            )
            inside = set(passages.tolist())
            sentences = [row for row, (owner, _) in enumerate(part.sentences) if owner in inside]
            rows = (passages, np.array(sentences, dtype=np.int64))
            if len(self._rows) >= 64:
                self._rows.clear()
            self._rows[key] = rows
        return rows


def _rank_indexed(
    part: Part,
    query: str,
    vector: NDArray[np.float32],
    dense: Sequence[Hit],
    allowed: Rows | None,
    k: int,
) -> tuple[SentenceHit, ...]:
    """Order sentences by their cosine and a little BM25."""
    lexical = part.sentence_words.scores(query)
    by_words = part.sentence_words.search(query, max(DEPTH, k), allowed)
    rows = sorted({hit.row for hit in (*dense, *by_words)})
    # All cosines come from one computation, so that equal sentences have equal scores and their order is stated.
    values = part.sentence_vectors.cosines(vector, rows)
    cosines = {row: float(value) for row, value in zip(rows, values, strict=True)}
    # Scaled to the best of what may be found: what a filter hides must not move the scores of what it shows.
    top = by_words[0].score if by_words else 1.0
    scores = {row: cosine + SENTENCE_LEXICAL_SHARE * float(lexical[row]) / top for row, cosine in cosines.items()}
    found = []
    for hit in ranked(list(scores.items()))[:k]:
        passage_row, span = part.sentences[hit.row]
        passage, cosine, weight = part.passages[passage_row], cosines[hit.row], float(lexical[hit.row])
        found.append(SentenceHit(passage, span, passage.text_of(span), hit.score, cosine, weight))
    return tuple(found)


def _passages_of(part: Part, hits: Sequence[Hit]) -> list[Hit]:
    """Turn sentence hits into passage hits: a passage has the score of its best sentence."""
    best: dict[int, float] = {}
    for hit in hits:
        best.setdefault(part.sentences[hit.row][0], hit.score)
    return ranked(list(best.items()))
