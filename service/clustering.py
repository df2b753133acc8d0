"""Groups texts by what they are about, from their embeddings: the same texts always give the same groups."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]

NEIGHBOURS: Final = 4
ROUNDS: Final = 3
LEAST_COSINE: Final = 0.2
"""Below it a neighbour is none."""

LARGEST_DISTANCE: Final = 0.35
"""Mean cosine distance up to which two groups become one. This and the numbers above were chosen on eighty
questions about ten topics (``tests/service/data/gaps.dev.txt``): there five topics come out as five groups."""


def centre(vectors: NDArray[np.float32], mean: NDArray[np.float32]) -> Vectors:
    """Take out what all texts share, so that what tells them apart decides.

    Args:
        vectors: One unit vector a row.
        mean: Mean of what they are compared with.

    Returns:
        Unit vectors, one a row; a row that is the mean itself stays as it was.
    """
    apart = vectors.astype(np.float64) - mean
    lengths = np.linalg.norm(apart, axis=1, keepdims=True)
    return unit(np.where(lengths < 1e-9, vectors, apart))


def unit(vectors: Vectors) -> Vectors:
    """Return the rows at unit length."""
    rows: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def group(vectors: Vectors) -> NDArray[np.int64]:
    """Group rows by average linkage, after each has moved towards its neighbours a few times.

    A question names its topic in its own words, and two of one topic may share none; but both are near a third.
    Moving closes such gaps inside a topic more than those between topics. Cost and memory grow with the square of
    the rows.

    Args:
        vectors: Unit vectors, one a row.

    Returns:
        A group number a row.

    Source: average linkage, Sokal and Michener 1958; moving towards neighbours is one step of mean shift (Fukunaga
    and Hostetler 1975, doi:10.1109/TIT.1975.1055330) on the nearest neighbours.
    """
    if len(vectors) < 2:
        return np.ones(len(vectors), dtype=np.int64)
    # A fifth of a second that a service which starts need not wait for.
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    moved = vectors
    for _ in range(ROUNDS):
        moved = unit(moved + _pulls(moved) @ moved)
    tree = linkage(pdist(moved, "cosine").clip(0), "average")
    groups: NDArray[np.int64] = fcluster(tree, LARGEST_DISTANCE, "distance").astype(np.int64)
    return groups


def _pulls(vectors: Vectors) -> Vectors:
    """Return how strongly each row is pulled towards each other one: only towards its nearest, and only if near."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    order = np.argsort(-np.round(cosines, 9), axis=1, kind="stable")[:, :NEIGHBOURS]
    pulls = np.zeros_like(cosines)
    rows = np.arange(len(vectors))[:, None]
    pulls[rows, order] = (cosines[rows, order] - LEAST_COSINE).clip(0)
    return pulls
