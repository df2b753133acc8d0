"""Retrieval: does a right source stand among the ranked passages, and how high?

Definition: a question's ranking is its list of passages; the first passage of each right source is relevant, later
passages of the same source gain nothing. Then success@k is whether a relevant one stands in the first k, recall@k the
share of right sources found there, MRR@k one over the rank of the first, AP@k the mean of the precisions at the
relevant ranks, nDCG@k the discounted gain over the best possible one, with the grade itself as gain.

Trap: a question without a single hit scores 0 and stays in the mean. Leaving it out raises every figure. And a right
source is not yet the right passage: key facts are measured on the answer (``key_fact``).

Paper: K. Järvelin, J. Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, ACM TOIS 20,
doi:10.1145/582415.582418. E. M. Voorhees (1999), The TREC-8 question answering track report (MRR).
The values agree with ir-measures; a property test holds them to it.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from eval.figures import Heading, mean_of, share_of
from eval.records import AnswerItem, Exchange, Measured

GROUP = "Finding the right source"
CUTOFF = 10

SUCCESS_1 = Heading("success_at_1", "Right source first", "the best-ranked passage comes from a right source", GROUP)
SUCCESS_5 = Heading("success_at_5", "Right source in the first 5", "a right source stands among five passages", GROUP)
SUCCESS_10 = Heading("success_at_10", "Right source in the first 10", "a right source stands among ten passages", GROUP)
RECALL_10 = Heading(
    "recall_at_10", "Right sources found (recall@10)", "of all right sources, the share found in ten passages", GROUP
)
MRR_10 = Heading(
    "mrr_at_10", "Rank of the first right source (MRR@10)", "1 is always first, 0.5 typically second", GROUP, "score"
)
MAP_10 = Heading(
    "map_at_10",
    "Precision over the ranking (MAP@10)",
    "1 when all right sources come before the others",
    GROUP,
    "score",
)
NDCG_10 = Heading(
    "ndcg_at_10", "Ranking quality (nDCG@10)", "1 is the best possible order of the passages", GROUP, "score"
)


def success_at(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Return 1 when one of the first ``k`` ids has a grade above 0, else 0."""
    return float(any(grades.get(name, 0) > 0 for name in ranking[:k]))


def recall_at(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Return the share of relevant ids that stand in the first ``k``; 0 where nothing is relevant."""
    relevant = {name for name, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank_at(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Return one over the rank of the first relevant id in the first ``k``, else 0."""
    return next((1 / rank for rank, name in enumerate(ranking[:k], 1) if grades.get(name, 0) > 0), 0.0)


def average_precision_at(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Return the precisions at the relevant ranks up to ``k``, summed, over the number of relevant ids."""
    relevant = sum(grade > 0 for grade in grades.values())
    found, total = 0, 0.0
    for rank, name in enumerate(ranking[:k], 1):
        if grades.get(name, 0) > 0:
            found += 1
            total += found / rank
    return total / relevant if relevant else 0.0


def ndcg_at(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Return the discounted cumulated gain of the first ``k`` over that of the ideal order; 0 where nothing gains."""
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    ideal = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(best, 1))
    got = sum(max(grades.get(name, 0), 0) / math.log2(rank + 1) for rank, name in enumerate(ranking[:k], 1))
    return got / ideal if ideal else 0.0


def ranking_of(exchange: Exchange) -> list[str]:
    """Return the ranked passages as ids of sources; repeats get a name of their own, so that they gain nothing."""
    seen: set[str] = set()
    ranking = []
    for rank, source in enumerate(exchange.reply.passage_sources, 1):
        ranking.append(source if source not in seen else f"{source}#{rank}")
        seen.add(source)
    return ranking


def rank_of_right_source(exchange: Exchange) -> int | None:
    """Return the 1-based rank of the first passage from a right source, None where there is none."""
    if not isinstance(exchange.item, AnswerItem):
        return None
    return first_rank(exchange.reply.passage_sources, exchange.item.sources)


def first_rank(ranking: Sequence[str], right: Sequence[str]) -> int | None:
    """Return the 1-based rank of the first right name, None where there is none."""
    return next((rank for rank, name in enumerate(ranking, 1) if name in right), None)


def measure_retrieval(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure all questions that have right sources; abstained and failed ones count with what they ranked."""
    asked = {ex.item.id: ex for ex in exchanges if isinstance(ex.item, AnswerItem)}

    def scores(measure: Callable[[Sequence[str], Mapping[str, int], int], float], k: int) -> dict[str, float]:
        return {name: measure(ranking_of(ex), _grades(ex), k) for name, ex in asked.items()}

    shares = [
        share_of(heading, {name: score == 1.0 for name, score in scores(success_at, k).items()})
        for heading, k in ((SUCCESS_1, 1), (SUCCESS_5, 5), (SUCCESS_10, CUTOFF))
    ]
    means = [
        mean_of(RECALL_10, scores(recall_at, CUTOFF)),
        mean_of(MRR_10, scores(reciprocal_rank_at, CUTOFF)),
        mean_of(MAP_10, scores(average_precision_at, CUTOFF)),
        mean_of(NDCG_10, scores(ndcg_at, CUTOFF)),
    ]
    return shares + means


def recall_by_cutoff(exchanges: Sequence[Exchange]) -> list[float]:
    """Return the mean recall at 1, 2, … and at the last cutoff; empty without answerable questions."""
    asked = [(ranking_of(ex), _grades(ex)) for ex in exchanges if isinstance(ex.item, AnswerItem)]
    if not asked:
        return []
    return [sum(recall_at(ranking, grades, k) for ranking, grades in asked) / len(asked) for k in range(1, CUTOFF + 1)]


def _grades(exchange: Exchange) -> dict[str, int]:
    return dict.fromkeys(exchange.item.sources, 1) if isinstance(exchange.item, AnswerItem) else {}
