"""Fusion of ranked lists."""

import math
from collections.abc import Sequence

from index.hits import Hit, ranked

RRF_CONSTANT = 60


def fuse(
    runs: Sequence[Sequence[Hit]], weights: Sequence[float] | None = None, constant: int = RRF_CONSTANT
) -> list[Hit]:
    """Fuse ranked lists by reciprocal rank.

    The fused score of a row is the sum over lists of ``weight / (constant + rank)``; a list that lacks the row adds
    nothing. Only ranks count, so that scores of different searchers need no common scale.

    Args:
        runs: Hits of each searcher, ranks from 1.
        weights: One a run, above 0; None weighs all alike.
        constant: Damps the lead of the first ranks.

    Returns:
        Hits from best to worst; equal scores keep row order.

    Raises:
        ValueError: weights and runs differ in number, a weight is not above 0, or the constant is below 0.

    Source:
        Cormack, Clarke and Büttcher, Reciprocal rank fusion outperforms Condorcet and individual rank learning
        methods, SIGIR 2009, doi:10.1145/1571941.1572114.
    """
    shares = [1.0] * len(runs) if weights is None else list(weights)
    if len(shares) != len(runs):
        raise ValueError(f"{len(runs)} runs but {len(shares)} weights")
    if constant < 0 or not all(weight > 0 for weight in shares):
        raise ValueError("weights must be above 0, and the constant not below 0")
    parts: dict[int, list[float]] = {}
    for run, weight in zip(runs, shares, strict=True):
        for hit in run:
            parts.setdefault(hit.row, []).append(weight / (constant + hit.rank))
    # fsum rounds once, so rows with the same ranks in other lists are equal and the order of lists does not matter.
    return ranked([(row, math.fsum(shares_of_row)) for row, shares_of_row in parts.items()])
