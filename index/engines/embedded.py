"""The engine within this process: a flat FAISS index and BM25, as a snapshot has them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from index.dense import DenseIndex
from index.engines.protocol import Allowed, Ranked
from index.hits import Hit
from index.lexical import LexicalIndex
from index.viewing import Viewed


class EmbeddedPassages:
    """Passages in memory. Adding and deleting build the indexes anew: as dear as building a snapshot.

    Args:
        dimension: Length of a vector.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._kept: dict[str, Viewed] = {}
        self._build()

    def add(self, passages: Sequence[Viewed]) -> None:
        """Take passages in; what has the id of one that is there takes its place."""
        self._kept |= {one.passage.id: one for one in passages}
        self._build()

    def delete_documents(self, names: Collection[str], but: Collection[str] = ()) -> None:
        """Take the passages of these documents out, but for some."""
        self._kept = {
            name: kept for name, kept in self._kept.items() if kept.passage.document_id not in names or name in but
        }
        self._build()

    def fetch(self, names: Collection[str]) -> dict[str, Viewed]:
        """Return passages with their vectors by id."""
        return {name: self._kept[name] for name in names if name in self._kept}

    def everything(self) -> Iterator[Viewed]:
        """Yield every passage with its vectors."""
        yield from self._kept.values()

    @contextmanager
    def replacing(self) -> Iterator["EmbeddedPassages"]:
        """Give an empty engine to fill, which takes the place of this one when the block ends without a fault."""
        newer = EmbeddedPassages(self._dimension)
        yield newer
        self._kept = newer._kept
        self._build()

    def __len__(self) -> int:
        return len(self._passages)

    def search_dense(self, vector: NDArray[np.float32], k: int, allowed: Allowed | None = None) -> list[Ranked]:
        """Return the ``k`` nearest passages by cosine, best first."""
        return self._ranked(self._vectors.search(vector, k, self._rows(allowed)))

    def search_lexical(self, query: str, k: int, allowed: Allowed | None = None) -> list[Ranked]:
        """Return at most ``k`` passages that share a word with the query, by BM25, best first."""
        return self._ranked(self._words.search(query, k, self._rows(allowed)))

    def _build(self) -> None:
        kept = [self._kept[name] for name in sorted(self._kept)]
        self._passages = [one.passage for one in kept]
        empty = np.zeros((0, self._dimension), dtype=np.float32)
        self._vectors = DenseIndex.build(np.stack([one.vector for one in kept]) if kept else empty)
        self._words = LexicalIndex.build([passage.embedded_text for passage in self._passages])

    def _rows(self, allowed: Allowed | None) -> list[int] | None:
        if allowed is None:
            return None
        sources = None if allowed.source_ids is None else set(allowed.source_ids)
        return [
            row
            for row, passage in enumerate(self._passages)
            if (sources is None or passage.source_id in sources) and passage.document_id not in allowed.withdrawn
        ]

    def _ranked(self, hits: Sequence[Hit]) -> list[Ranked]:
        return [Ranked(self._passages[hit.row], hit.score, hit.rank) for hit in hits]
