"""Exact search in plain numpy: the yardstick that every searcher is tested against."""

import numpy as np
from numpy.typing import NDArray

from index.errors import DimensionMismatchError
from index.hits import Hit, ranked

UNIT_TOLERANCE = 1e-3


def search_exact(query: NDArray[np.float32], vectors: NDArray[np.float32], k: int) -> list[Hit]:
    """Rank rows by cosine similarity to one query, comparing against every row.

    Vectors must already have unit length: the score is their inner product, and it equals the cosine only then.
    Cost is one ``(rows, dimension)`` product, made row by row: a matrix product may round equal rows differently,
    and then the order of ties would hang on how many rows there are.

    Args:
        query: One embedding, shape ``(dimension,)``.
        vectors: One embedding a row, shape ``(rows, dimension)``.
        k: Hits wanted, at least 1. Fewer come back when there are fewer rows.

    Returns:
        Hits from best to worst, cosines in [-1, 1]. Equal scores keep row order, so the same vectors always give
        the same run.

    Raises:
        DimensionMismatchError: ``query`` and ``vectors`` differ in dimension.
        ValueError: ``k`` is below 1, or a vector is not of unit length.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if query.shape != vectors.shape[1:]:
        raise DimensionMismatchError(vectors.shape[1], query.shape[-1])
    check_unit_length(query[np.newaxis, :])
    check_unit_length(vectors)
    scores = cosines(query, vectors)
    return ranked([(row, float(score)) for row, score in enumerate(scores)])[:k]


def cosines(query: NDArray[np.float32], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of unit vector ``query`` with each row, in [-1, 1]; equal rows have equal cosines."""
    scores: NDArray[np.float32] = np.clip(np.einsum("ij,j->i", vectors, query), -1.0, 1.0)
    return scores


def check_unit_length(vectors: NDArray[np.float32]) -> None:
    """Raise ``ValueError`` when a row is not of unit length (or not finite)."""
    lengths = np.linalg.norm(vectors, axis=1)
    if not bool(np.all(np.abs(lengths - 1.0) <= UNIT_TOLERANCE)):
        worst = int(np.argmax(np.nan_to_num(np.abs(lengths - 1.0), nan=np.inf)))
        raise ValueError(f"vector {worst} has length {lengths[worst]:.4f}; vectors must have unit length")
