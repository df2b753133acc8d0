"""Dense search. The only file that imports faiss."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.errors import DimensionMismatchError
from index.exact import check_unit_length, cosines
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

    def search(
        self, query: NDArray[np.float32], k: int, allowed: Sequence[int] | NDArray[np.int64] | None = None
    ) -> list[Hit]:
        """Rank rows by cosine similarity to one query.

        Args:
            query: One unit vector, shape ``(dimension,)``.
            k: Hits wanted, at least 1. Fewer come back when fewer rows are allowed.
            allowed: Rows that may be found; None allows all. The filter acts before ranking.

        Returns:
            Hits from best to worst, cosines in [-1, 1]; equal scores keep row order, and of rows that tie for the
            last place the first come back.

        Raises:
            DimensionMismatchError: the query has another dimension than the index.
            IndexError: a row of ``allowed`` does not exist.
            ValueError: ``k`` is below 1, or the query is not of unit length.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if query.shape != (self.dimension,):
            raise DimensionMismatchError(self.dimension, query.shape[-1])
        check_unit_length(query[np.newaxis, :])
        selection = None if allowed is None else self._selection(allowed)
        most = len(self) if selection is None else int(selection.sum())
        if most == 0:
            return []
        wanted = min(k, most)
        # One hit more than wanted shows whether the last place is tied; then the whole group of ties is fetched.
        depth = min(wanted + 1, most)
        hits = self._nearest(query, depth, selection)
        while depth < most and hits[wanted - 1].score == hits[-1].score:
            depth = min(2 * depth, most)
            hits = self._nearest(query, depth, selection)
        return hits[:wanted]

    def cosines(self, query: NDArray[np.float32], rows: Sequence[int]) -> NDArray[np.float32]:
        """Return the cosine of a unit vector with each of ``rows``, in [-1, 1]; equal vectors have equal cosines."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        return cosines(query, self.vectors(rows))

    def vectors(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return the stored vectors of ``rows``, shape ``(len(rows), dimension)``."""
        matrix: NDArray[np.float32] = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return matrix

    def _selection(self, allowed: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        rows = np.asarray(allowed, dtype=np.int64)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"allowed rows must lie in [0, {len(self)})")
        selection = np.zeros(len(self), dtype=np.bool_)
        selection[rows] = True
        return selection

    def _nearest(self, query: NDArray[np.float32], k: int, selection: NDArray[np.bool_] | None) -> list[Hit]:
        parameters: Any = None
        if selection is not None and not selection.all():
            bitmap = np.packbits(selection, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap))  # type: ignore[call-arg, arg-type] # the stubs know only the C++ call
        scores, found = self._index.search(
            np.ascontiguousarray(query[np.newaxis, :], dtype=np.float32), k, params=parameters
        )
        clipped = np.clip(scores[0], -1.0, 1.0)
        return ranked([(int(row), float(score)) for row, score in zip(found[0], clipped, strict=True) if row >= 0])
