"""Searching a collection that an engine elsewhere holds, so that the same is found as by the indexes of a snapshot.

The engine finds candidates; what is a hit is decided here. A passage counts only while its document is stored in the
version that it was cut from: what was deleted or changed is gone with the next question, whatever the engine still
holds. Words are weighed by our own formula over the counts of the whole collection, and ties go by place.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.records import Document, Passage, passage_id
from index.engines.protocol import Allowed, PassageEngine
from index.errors import EngineAwayError, EngineError
from index.exact import cosines
from index.fusion import fuse
from index.hits import Hit, PassageHit
from index.lexical import LexicalIndex, stems
from index.parts import RemotePart

_AWAY_SECONDS = 5.0


class StoredDocuments(Protocol):
    """Where documents are kept that no snapshot holds."""

    def versions(self, names: Collection[str]) -> Mapping[str, str]:
        """Return the versions of documents by id; what is not stored is left out."""

    def load(self, name: str) -> Document | None:
        """Return a document, or None."""


class Absence:
    """Remembers for a while that an engine did not answer, so that few questions wait for it in vain.

    Args:
        seconds: How long; one question tries again then, and the others are turned away until it knows.
    """

    def __init__(self, seconds: float = _AWAY_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._until: float | None = None

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Hold while the engine is asked.

        Raises:
            EngineAwayError: it did not answer just now; nothing was asked.
        """
        with self._lock:
            if self._until is not None:
                if time.monotonic() < self._until:
                    raise EngineAwayError("the search engine of this collection did not answer a moment ago")
                self._until = float("inf")
        until = None
        try:
            yield
        except EngineAwayError:
            until = time.monotonic() + self._seconds
            raise
        finally:
            self._until = until


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a snapshot's remote parts are searched through.

    Attributes:
        open: Opens an engine by the name that it has in a snapshot.
        documents: The documents.
        absence: Whether the engine was away just now: all collections are on the same.
    """

    open: Callable[[str], PassageEngine]
    documents: StoredDocuments
    absence: Absence = field(default_factory=Absence)


@dataclass(frozen=True, slots=True)
class RemoteFound:
    """What a search found.

    Attributes:
        hits: Passages, best first.
        views: What is seen of the sentences of each, see :mod:`index.viewing`.
    """

    hits: Sequence[PassageHit]
    views: Sequence[NDArray[np.int8]]


class RemoteCollection:
    """One collection that an engine elsewhere holds.

    Args:
        part: What the snapshot has of it.
        elsewhere: Engine and documents.
    """

    def __init__(self, part: RemotePart, elsewhere: Elsewhere) -> None:
        self.part = part
        self.words: LexicalIndex = part.counts.weights()
        self._elsewhere = elsewhere
        self._engine: PassageEngine | None = None

    def search(
        self, query: str, vector: NDArray[np.float32], depth: int, k: int, source_ids: Collection[str] | None
    ) -> RemoteFound:
        """Search by vector and by words, and fuse both.

        Args:
            query: The words.
            vector: The query's embedding, shape ``(dimension,)``.
            depth: Candidates of each search.
            k: Passages wanted.
            source_ids: Only these sources; None means all.

        Raises:
            EngineError: the engine does not answer.
        """
        dense, lexical = self.rank(query, vector, depth, source_ids)
        places = {passage.id: passage for run in (dense, lexical) for passage, _ in run}
        ordered = sorted(places.values(), key=_place)
        rows = {passage.id: row for row, passage in enumerate(ordered)}
        runs = [[Hit(rows[p.id], score, rank) for rank, (p, score) in enumerate(run, 1)] for run in (dense, lexical)]
        fused = fuse(runs[:1], runs[1], len(stems(query)))[:k]
        with self._opened() as engine:
            kept = engine.fetch([ordered[hit.row].id for hit in fused])
        fused = [hit for hit in fused if ordered[hit.row].id in kept]  # deleted this very moment
        if not fused:
            return RemoteFound((), ())
        best = [kept[ordered[hit.row].id] for hit in fused]
        near = cosines(vector, np.stack([one.vector for one in best]))
        hits = [
            PassageHit(ordered[hit.row], hit.score, hit.rank, float(cosine))
            for hit, cosine in zip(fused, near, strict=True)
        ]
        return RemoteFound(hits, [one.views for one in best])

    def rank(
        self, query: str, vector: NDArray[np.float32], depth: int, source_ids: Collection[str] | None
    ) -> tuple[list[tuple[Passage, float]], list[tuple[Passage, float]]]:
        """Return what the dense search and BM25 find, each with its scores, best first."""
        allowed = Allowed(source_ids)
        with self._opened() as engine:
            near = engine.search_dense(vector, depth, allowed)
            sharing = engine.search_lexical(query, depth, allowed)
        shown = self._shown([one.passage for one in (*near, *sharing)])
        dense = [(one.passage, one.score) for one in near if one.passage.id in shown]
        worded = [one.passage for one in sharing if one.passage.id in shown]
        scores = self.part.counts.score(query, [passage.embedded_text for passage in worded], self.words)
        return _sorted(dense), _sorted(list(zip(worded, scores, strict=True)))

    def passage(self, name: str) -> Passage | None:
        """Return a passage by its id while its document is stored as it was, or None."""
        with self._opened() as engine:
            found = engine.fetch([name])
        if name not in found or not self._shown([found[name].passage]):
            return None
        return found[name].passage

    def document_of(self, passage: Passage) -> Document:
        """Return the document that a found passage is cut from, in its version.

        Raises:
            EngineError: it was deleted or changed since the passage was found.
        """
        document = self._elsewhere.documents.load(passage.document_id)
        if document is None or not _is_cut_from(passage, document.version):
            raise EngineError("a document was changed while it was quoted; ask again")
        return document

    def _shown(self, passages: Sequence[Passage]) -> set[str]:
        """Return the ids of those passages whose documents are stored as they were."""
        versions = self._elsewhere.documents.versions({passage.document_id for passage in passages})
        return {
            passage.id
            for passage in passages
            if passage.document_id in versions and _is_cut_from(passage, versions[passage.document_id])
        }

    @contextmanager
    def _opened(self) -> Iterator[PassageEngine]:
        """Give the engine to ask; raises at once while it is known to be away."""
        with self._elsewhere.absence.asked():
            if self._engine is None:
                self._engine = self._elsewhere.open(self.part.name)
            yield self._engine


def _is_cut_from(passage: Passage, version: str) -> bool:
    return passage_id(passage.document_id, version, passage.span) == passage.id


def _place(passage: Passage) -> tuple[str, int]:
    return passage.document_id, passage.span.start


def _sorted(run: list[tuple[Passage, float]]) -> list[tuple[Passage, float]]:
    return sorted(run, key=lambda item: (-item[1], _place(item[0])))
