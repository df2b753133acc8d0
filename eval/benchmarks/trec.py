"""Judged runs: TREC's run and judgement files in and out, and the measures over them.

A query without a single hit, or without anything relevant, is scored 0. A query that nobody judged is left out, and
how many were is said. Hits are put in trec_eval's order: by score in single precision, equal scores by document id, the
last one first. So the same file gives the same figures here and in ir-measures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.errors import RunError
from eval.figures import Heading, mean_of, share_of
from eval.measures.retrieval import average_precision_at, ndcg_at, recall_at, reciprocal_rank_at, success_at
from eval.records import Measured

Ranking = Sequence[tuple[str, float]]
"""Document ids with scores, best first."""

Grades = Mapping[str, Mapping[str, int]]
"""Grade by query and document."""

GROUP = "Benchmark"


@dataclass(frozen=True, slots=True)
class Scale:
    """What the grades of a collection mean.

    TREC's medical question answering grades answers from 1 (incorrect) to 4 (excellent): there the worst grade is 1,
    and 3 (correct, but incomplete) is the first that counts as relevant.

    Attributes:
        worst: The grade that is worth nothing; the gain of a document is what its grade lies above it.
        relevant_from: Lowest grade that is relevant, for measures that know only yes and no.
    """

    worst: int = 0
    relevant_from: int = 1

    def gains(self, grades: Mapping[str, int]) -> dict[str, int]:
        """Return the gain of each document, 0 or more."""
        return {name: max(grade - self.worst, 0) for name, grade in grades.items()}

    def relevant(self, grades: Mapping[str, int], start: int | None = None) -> dict[str, int]:
        """Return 1 for each document graded ``start`` or better (``relevant_from`` where not given), else 0."""
        limit = self.relevant_from if start is None else start
        return {name: int(grade >= limit) for name, grade in grades.items()}


BINARY = Scale()

_GAIN = Heading("ndcg_at_10", "nDCG@10", "1 is the best possible order of ten", GROUP, "score")
_MEASURES: tuple[tuple[Heading, Callable[[Sequence[str], Mapping[str, int], int], float], int], ...] = (
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
        barren: Judged queries for which nothing relevant is known, which count as 0 whatever was found.
    """

    figures: tuple[Measured, ...]
    unjudged: int
    empty: int
    barren: int


def judge_run(rankings: Mapping[str, Ranking], grades: Grades, scale: Scale = BINARY) -> Judged:
    """Measure a run against judgements.

    Where grades go beyond yes and no, the first document is judged by grade too, as TREC's question answering does: the
    mean of its gain, and the share of queries whose first document has at least each grade.

    Args:
        rankings: Hits by query; put in trec_eval's order here.
        grades: The judgements: every query in them counts.
        scale: What the grades mean.

    Source: A. Ben Abacha, E. Agichtein, Y. Pinter, D. Demner-Fushman (2017), Overview of the medical question answering
    task at TREC 2017 LiveQA, TREC.
    """
    names = {query: [name for name, _ in in_trec_order(rankings.get(query, ()))] for query in grades}
    gains = {query: scale.gains(found) for query, found in grades.items()}
    relevant = {query: scale.relevant(found) for query, found in grades.items()}
    figures = [mean_of(_GAIN, {query: ndcg_at(names[query], gains[query], 10) for query in grades})]
    figures += [
        mean_of(heading, {query: measure(names[query], relevant[query], k) for query in grades})
        for heading, measure, k in _MEASURES
    ]
    return Judged(
        figures=(*figures, *_by_grade(names, grades, scale)),
        unjudged=sum(query not in grades for query in rankings),
        empty=sum(not found for found in names.values()),
        barren=sum(not any(found.values()) for found in relevant.values()),
    )


def in_trec_order(ranking: Ranking) -> list[tuple[str, float]]:
    """Return hits by score, higher first; scores that are equal in single precision by id, the last one first."""
    # trec_eval holds scores as floats of 32 bits: what differs in a later digit is a tie there.
    return sorted(ranking, key=lambda hit: (np.float32(hit[1]), hit[0]), reverse=True)


def _by_grade(names: Mapping[str, Sequence[str]], grades: Grades, scale: Scale) -> list[Measured]:
    known = sorted({grade for found in grades.values() for grade in found.values() if grade > scale.worst})
    if len(known) < 2:
        return []
    first = {
        query: grades[query].get(found[0], scale.worst) if found else scale.worst for query, found in names.items()
    }
    mean = Heading("first_gain", "Gain@1", "mean gain of the first document", GROUP, "score")
    rows = [mean_of(mean, {query: float(max(grade - scale.worst, 0)) for query, grade in first.items()})]
    for limit in known:
        heading = Heading(f"success_at_1_from_{limit}", f"Success@1 ≥ {limit}", "the first has this grade", GROUP)
        wanted = {query: scale.relevant(grades[query], limit) for query in grades}
        rows.append(share_of(heading, {query: success_at(names[query], wanted[query], 1) == 1.0 for query in grades}))
    return rows


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
    """Read a TREC run of six columns; hits come in trec_eval's order, whatever ranks the file states.

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
    return {query: in_trec_order(hits) for query, hits in rankings.items()}


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
