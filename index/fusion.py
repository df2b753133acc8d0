"""Fusion of what searches by vectors and by words have found."""

import math
from collections.abc import Sequence

from index.hits import Hit, ranked

LEXICAL_SHARE = 0.2
"""Weight of BM25, scaled to its best, beside the cosine."""

MANY_WORDS = 12
"""Words of a question from which on each counts for less: the longer it is, the more of them are beside the point."""


def fuse(dense: Sequence[Sequence[Hit]], lexical: Sequence[Hit], words: int) -> list[Hit]:
    """Fuse by score: the mean of a row's cosines, and a share of its BM25 as measured by the best.

    How much better one passage is than the next is kept, which ranks throw away. A row that a search by vectors lacks
    counts there as its last hit does: it is no nearer. One that shares none of the words has 0 for them.

    Args:
        dense: Hits of each search by vectors, cosines, best first.
        lexical: Hits of the search by words, BM25, best first.
        words: How many words were looked for.

    Returns:
        Hits from best to worst; equal scores keep row order.

    Source:
        S. Bruch, S. Gai, A. Ingber (2023), An Analysis of Fusion Functions for Hybrid Retrieval, ACM Transactions on
        Information Systems 42(1), doi:10.1145/3596512, which finds sums of scores better than sums of ranks.
    """
    runs = [{hit.row: hit.score for hit in run} for run in dense if run]
    last = [run[-1].score for run in dense if run]
    share = LEXICAL_SHARE * min(1.0, MANY_WORDS / max(1, words))
    sharing = {hit.row: share * hit.score / lexical[0].score for hit in lexical}
    rows = {row for run in (*runs, sharing) for row in run}
    scores = []
    for row in rows:
        # fsum rounds once, so that the order of the searches does not matter.
        cosines = math.fsum(run.get(row, least) for run, least in zip(runs, last, strict=True))
        scores.append((row, cosines / max(1, len(runs)) + sharing.get(row, 0.0)))
    return ranked(scores)
