"""Dense search. The only file that imports faiss."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.errors import DimensionMismatchError
from index.exact import check_unit_length, cosines
from index.hits import Hit, ranked

MOST_FLAT = 50_000
"""Rows up to which every one is compared: beyond, that takes longer than a question's embedding."""

LEAST_RECALL = 0.998
"""Share of the ten nearest of probes that an index must find which does not compare every row. Of real questions it
finds a few in a hundred less: their neighbours lie in still more cells."""

_PROBES = 200
_LEAST_SHARE = 8
"""At least one of so many cells is compared."""
_TRAINED_ON = 64
"""Rows a cell that the cells are made from."""
_ITERATIONS = 8

_LIBRARY: Any = faiss
"""FAISS as it is: its stubs know only the calls of C++."""


class DenseIndex:
    """Inner-product search over unit vectors in FAISS.

    Up to ``MOST_FLAT`` rows the search is exact. Beyond, rows lie in cells, as half floats, and of each query only the
    nearest cells are compared: an eighth, or as many as it takes to find ``LEAST_RECALL`` of the ten rows nearest to
    probes, each half-way between two rows. That is measured against exact search when the index is built; where a third
    of the cells is not enough the index is flat all the same.

    Rows are numbered in the order in which they came. A FAISS file carries no check-sum: the snapshot verifies it
    before :meth:`load` parses it.

    Attributes:
        recall: Share of the ten nearest rows that was found when the index was built; 1 where the search is exact,
            None where it was loaded and nobody said: the manifest has it.
    """

    def __init__(self, index: faiss.Index, recall: float | None = None) -> None:
        self._index = index
        self.recall = recall

    @classmethod
    def build(cls, vectors: NDArray[np.float32], *, halved: bool = False) -> "DenseIndex":
        """Build from unit vectors, shape ``(rows, dimension)``.

        Args:
            vectors: The rows.
            halved: Compare every row, each kept as half floats: half the memory and less time, for cosines that are
                right to four places.

        Raises:
            ValueError: a vector is not of unit length.
        """
        check_unit_length(vectors)
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if halved:
            half = _LIBRARY.IndexScalarQuantizer(
                rows.shape[1], _LIBRARY.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
            )
            half.add(rows)
            return cls(half, 1.0)
        if len(rows) > MOST_FLAT:
            inverted, recall = _invert(rows)
            if recall >= LEAST_RECALL:
                return cls(inverted, recall)
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(rows)
        return cls(index, 1.0)

    @classmethod
    def load(cls, path: Path, recall: float | None = None) -> "DenseIndex":
        """Load what :meth:`save` wrote; what was measured then stands in the manifest."""
        return cls(faiss.deserialize_index(np.frombuffer(path.read_bytes(), dtype=np.uint8)), recall)

    def save(self, path: Path) -> None:
        """Write the index; writing aside and renaming is the snapshot's work."""
        path.write_bytes(faiss.serialize_index(self._index).tobytes())

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def kind(self) -> str:
        """What the index is, for the manifest: ``flat``, or ``cells`` with how many of them are compared."""
        if isinstance(self._index, faiss.IndexIVF):
            return f"{self._index.nprobe} of {self._index.nlist} cells, half floats"
        return "flat, half floats" if isinstance(self._index, faiss.IndexScalarQuantizer) else "flat"

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
            allowed: Rows that may be found; None allows all. The filter acts before ranking, and takes no time where
                it is a range.

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
        most = len(self) if selection is None else len(selection.rows)
        if most == 0:
            return []
        if selection is not None and most <= MOST_FLAT and isinstance(self._index, faiss.IndexIVF):
            rows = selection.rows  # the nearest cells may hold none of a few rows
            return ranked(list(zip(map(int, rows), self.cosines(query, rows).tolist(), strict=True)))[:k]
        wanted = min(k, most)
        # One hit more than wanted shows whether the last place is tied; then the whole group of ties is fetched.
        depth = min(wanted + 1, most)
        hits = self._nearest(query, depth, selection)
        while len(hits) == depth < most and hits[wanted - 1].score == hits[-1].score:
            depth = min(2 * depth, most)
            hits = self._nearest(query, depth, selection)
        return hits[:wanted]

    def cosines(self, query: NDArray[np.float32], rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosine of a unit vector with each of ``rows``, in [-1, 1]; equal vectors have equal cosines."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        return cosines(query, self.vectors(rows))

    def vectors(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the stored vectors of ``rows``, shape ``(len(rows), dimension)``."""
        matrix: NDArray[np.float32] = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return matrix

    def _selection(self, allowed: Sequence[int] | NDArray[np.int64]) -> "_Selection":
        if isinstance(allowed, range) and allowed.step == 1:
            self._check_rows(allowed.start, allowed.stop - 1, len(allowed))
            return _Selection(allowed, _LIBRARY.IDSelectorRange(allowed.start, allowed.stop))
        rows = np.unique(np.asarray(allowed, dtype=np.int64))
        if len(rows):
            self._check_rows(int(rows[0]), int(rows[-1]), len(rows))
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[rows] = True
        bitmap = np.packbits(chosen, bitorder="little")
        return _Selection(rows, _LIBRARY.IDSelectorBitmap(bitmap), bitmap)

    def _check_rows(self, first: int, last: int, count: int) -> None:
        if count and not 0 <= first <= last < len(self):
            raise IndexError(f"allowed rows must lie in [0, {len(self)})")

    def _nearest(self, query: NDArray[np.float32], k: int, selection: "_Selection | None") -> list[Hit]:
        parameters: Any = None
        if selection is not None and len(selection.rows) < len(self):
            if isinstance(self._index, faiss.IndexIVF):
                parameters = _LIBRARY.SearchParametersIVF(sel=selection.selector, nprobe=self._index.nprobe)
            else:
                parameters = _LIBRARY.SearchParameters(sel=selection.selector)
        # One thread a query: two that wait for each other on a busy machine are many times slower than one.
        faiss.omp_set_num_threads(1)
        scores, found = self._index.search(
            np.ascontiguousarray(query[np.newaxis, :], dtype=np.float32), k, params=parameters
        )
        clipped = np.clip(scores[0], -1.0, 1.0)
        return ranked([(int(row), float(score)) for row, score in zip(found[0], clipped, strict=True) if row >= 0])


@dataclass(frozen=True, slots=True)
class _Selection:
    """Rows that may be found, in order, each once; what tells FAISS; and what that reads, which must outlive it."""

    rows: range | NDArray[np.int64]
    selector: Any
    bitmap: NDArray[np.uint8] | None = None


def _invert(rows: NDArray[np.float32]) -> tuple[Any, float]:
    """Put rows into cells and compare as many cells as it takes.

    Args:
        rows: Unit vectors, shape ``(rows, dimension)``.

    Returns:
        The index, and the share of the ten nearest of some of its own rows that it finds.
    """
    dimension = rows.shape[1]
    cells = 2 ** round(np.log2(4 * np.sqrt(len(rows))))
    index = _LIBRARY.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        cells,
        _LIBRARY.ScalarQuantizer.QT_fp16,
        faiss.METRIC_INNER_PRODUCT,
        False,  # noqa: FBT003 - rows themselves, not how far they are from their cell
    )
    index.cp.max_points_per_centroid = _TRAINED_ON
    index.cp.niter = _ITERATIONS
    index.train(rows)
    index.add(rows)
    index.make_direct_map()
    probes = _probes(rows)
    wanted = nearest_rows(probes, rows, 10)
    index.nprobe = cells // _LEAST_SHARE
    while (recall := recall_of(index.search(probes, 10)[1], wanted)) < LEAST_RECALL and index.nprobe < cells // 3:
        index.nprobe += cells // 32
    return index, recall


def _probes(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return unit vectors half-way between two rows each, drawn by seed: their neighbours lie in many cells."""
    draw = np.random.default_rng(1)
    sums = rows[draw.integers(len(rows), size=_PROBES)] + rows[draw.integers(len(rows), size=_PROBES)]
    unit: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return unit


def nearest_rows(queries: NDArray[np.float32], rows: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the ``k`` nearest rows of each query by comparing all, in no order, shape ``(queries, k)``."""
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(np.ascontiguousarray(rows, dtype=np.float32))
    found: NDArray[np.int64] = flat.search(np.ascontiguousarray(queries), k)[1]
    return found


def recall_of(found: NDArray[np.int64], wanted: NDArray[np.int64]) -> float:
    """Return the mean share of each line of ``wanted`` that stands in that line of ``found``."""
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]))
