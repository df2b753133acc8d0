"""Dense search. The only file that imports faiss."""

from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.errors import DimensionMismatchError
from index.exact import check_unit_length
from index.hits import Hit, ranked


class DenseIndex:
    """Inner-product search over unit vectors, exact, in a flat FAISS index.

    Rows are numbered in the order in which they came. A FAISS file carries no check-sum: the snapshot verifies it
    before :meth:`load` parses it.
    """

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> "DenseIndex":
        """Build from unit vectors, shape ``(rows, dimension)``.

        Raises:
            ValueError: a vector is not of unit length.
        """
        check_unit_length(vectors)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> "DenseIndex":
        """Load what :meth:`save` wrote."""
        return cls(faiss.deserialize_index(np.frombuffer(path.read_bytes(), dtype=np.uint8)))

    def save(self, path: Path) -> None:
        """Write the index; writing aside and renaming is the snapshot's work."""
        path.write_bytes(faiss.serialize_index(self._index).tobytes())

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def search(self, query: NDArray[np.float32], k: int, allowed: Sequence[int] | None = None) -> list[Hit]:
        """Rank rows by cosine similarity to one query.

        Args:
            query: One unit vector, shape ``(dimension,)``.
            k: Hits wanted, at least 1.
            allowed: Rows that may be found; None allows all. The filter acts before ranking.

        Returns:
            Hits from best to worst, cosines in [-1, 1]; equal scores keep row order.

        Raises:
            DimensionMismatchError: the query has another dimension than the index.
            ValueError: ``k`` is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if query.shape != (self.dimension,):
            raise DimensionMismatchError(self.dimension, query.shape[-1])
        if len(self) == 0 or (allowed is not None and not len(allowed)):
            return []
        parameters = None
        if allowed is not None:
            rows = np.asarray(allowed, dtype=np.int64)
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(rows))  # type: ignore[call-arg] # faiss ships no types for it
        scores, found = self._index.search(
            np.ascontiguousarray(query[np.newaxis, :], dtype=np.float32), min(k, len(self)), params=parameters
        )
        return ranked([(int(row), float(score)) for row, score in zip(found[0], scores[0], strict=True) if row >= 0])

    def vectors(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return the stored vectors of ``rows``, shape ``(len(rows), dimension)``."""
        matrix: NDArray[np.float32] = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return matrix
