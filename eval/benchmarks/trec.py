"""Judged runs: TREC's run and judgement files in and out, and the measures over them.

A query without a single hit is scored 0. A query that nobody judged is left out, and how many were is said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.errors import RunError
from eval.figures import Heading, mean_of
from eval.measures.retrieval import average_precision_at, ndcg_at, recall_at, reciprocal_rank_at
from eval.records import Measured

Ranking = Sequence[tuple[str, float]]
"""Document ids with scores, best first."""

Grades = Mapping[str, Mapping[str, int]]
"""Grade by query and document; 0 and below is not relevant."""

GROUP = "Benchmark"

_MEASURES: tuple[tuple[Heading, Callable[[Sequence[str], Mapping[str, int], int], float], int], ...] = (
    (Heading("ndcg_at_10", "nDCG@10", "1 is the best possible order of ten", GROUP, "score"), ndcg_at, 10),
    (
        Heading("map_at_10", "MAP@10", "precision at each relevant rank up to ten", GROUP, "score"),
        average_precision_at,
        10,
    ),
    (
        Heading("mrr_at_10", "MRR@10", "one over the rank of the first relevant one", GROUP, "score"),
        reciprocal_rank_at,
        10,
    ),
    (Heading("recall_at_100", "Recall@100", "of the relevant ones, the share among a hundred", GROUP), recall_at, 100),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one run.

    Attributes:
        figures: The measures over all judged queries.
        unjudged: Queries of the run that the judgements do not know.
        empty: Judged queries without a hit, which count as 0.
    """

    figures: tuple[Measured, ...]
    unjudged: int
    empty: int


def judge_run(rankings: Mapping[str, Ranking], grades: Grades) -> Judged:
    """Measure a run against judgements; queries whose judgements hold nothing relevant are left out, as TREC does."""
    judged = {query: found for query, found in grades.items() if any(grade > 0 for grade in found.values())}
    names = {query: [name for name, _ in rankings.get(query, ())] for query in judged}
    return Judged(
        figures=tuple(
            mean_of(heading, {query: measure(names[query], judged[query], k) for query in judged})
            for heading, measure, k in _MEASURES
        ),
        unjudged=sum(query not in grades for query in rankings),
        empty=sum(not ranking for ranking in names.values()),
    )


def load_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read judgements: TREC's four columns, or BEIR's three with a heading.

    Raises:
        RunError: a line has neither shape.
    """
    grades: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_lines(path), 1):
        parts = line.split()
        if number == 1 and parts[:1] == ["query-id"]:
            continue
        try:
            query, document, grade = (parts[0], parts[2], parts[3]) if len(parts) == 4 else parts
            grades.setdefault(query, {})[document] = int(grade)
        except ValueError as fault:
            raise RunError(f"{path}:{number}", "is no line of judgements (query, document, grade)") from fault
    return grades


def load_trec_run(path: Path) -> dict[str, list[tuple[str, float]]]:
    """Read a TREC run of six columns; hits are ordered by score, equal scores by their order in the file.

    Raises:
        RunError: a line has another shape.
    """
    rankings: dict[str, list[tuple[str, float]]] = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            query, _, document, _, score, _ = line.split()
            rankings.setdefault(query, []).append((document, float(score)))
        except ValueError as fault:
            raise RunError(f"{path}:{number}", "is no line of a TREC run (query Q0 document rank score tag)") from fault
    return {query: sorted(hits, key=lambda hit: -hit[1]) for query, hits in rankings.items()}


def write_trec_run(rankings: Mapping[str, Ranking], path: Path, tag: str) -> None:
    """Write a TREC run; ranks are 1-based."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for query, ranking in rankings.items():
            for rank, (document, score) in enumerate(ranking, 1):
                file.write(f"{query} Q0 {document} {rank} {score!r} {tag}\n")


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except OSError as fault:
        raise RunError(str(path), f"cannot be read: {fault.strerror}") from fault
