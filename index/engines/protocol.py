"""What an engine is asked for, in the same words whichever it is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.records import Passage
from index.fusion import fuse
from index.hits import Hit
from index.lexical import stems
from index.viewing import Viewed

DEPTH = 100
"""Hits that each search hands to fusion, or more when more are asked for."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be found; it acts before ranking.

    Attributes:
        source_ids: Only these sources; None means all.
        withdrawn: None of these documents.
    """

    source_ids: Collection[str] | None = None
    withdrawn: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage that an engine found.

    Attributes:
        passage: The passage.
        score: Higher is better: a cosine from the dense search; from the others only the order means anything.
        rank: From 1. Equal scores are ordered by passage id.
    """

    passage: Passage
    score: float
    rank: int


class PassageEngine(Protocol):
    """The passages of one collection."""

    def add(self, passages: Sequence[Viewed]) -> None:
        """Take passages in, found from the next search on; what has the id of one that is there takes its place."""

    def delete_documents(self, names: Collection[str], but: Collection[str] = ()) -> None:
        """Take the passages of these documents out; the next search no longer finds them.

        Args:
            names: Ids of the documents.
            but: Ids of passages that stay: those of a document's new version.
        """

    def fetch(self, names: Collection[str]) -> Mapping[str, Viewed]:
        """Return passages with their vectors by id; what is not there is left out."""

    def everything(self) -> Iterator[Viewed]:
        """Yield every passage with its vectors, in no order."""

    def replacing(self) -> "AbstractContextManager[PassageEngine]":
        """Give an empty engine to fill, which takes the place of this one whole when the block ends without a fault."""

    def __len__(self) -> int:
        """Return how many passages there are."""

    def search_dense(self, vector: NDArray[np.float32], k: int, allowed: Allowed | None = None) -> list[Ranked]:
        """Return the ``k`` nearest passages by cosine, best first, exact."""

    def search_lexical(self, query: str, k: int, allowed: Allowed | None = None) -> list[Ranked]:
        """Return at most ``k`` passages that share a word with the query, by BM25, best first."""


def search_fused(
    engine: PassageEngine, query: str, vector: NDArray[np.float32], k: int, allowed: Allowed | None = None
) -> list[Ranked]:
    """Search both ways and fuse what was found.

    Args:
        engine: What is searched.
        query: The words.
        vector: The query's embedding, shape ``(dimension,)``.
        k: Passages wanted, at least 1.
        allowed: What may be found.

    Raises:
        ValueError: ``k`` is below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    depth = max(DEPTH, k)
    runs = engine.search_dense(vector, depth, allowed), engine.search_lexical(query, depth, allowed)
    found = {one.passage.id: one.passage for run in runs for one in run}
    rows = {name: row for row, name in enumerate(sorted(found))}
    names = sorted(found)
    near, sharing = ([Hit(rows[one.passage.id], one.score, one.rank) for one in run] for run in runs)
    hits = fuse([near], sharing, len(stems(query)))
    return [Ranked(found[names[hit.row]], hit.score, hit.rank) for hit in hits[:k]]
