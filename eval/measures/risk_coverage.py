"""Risk and coverage: what does abstaining buy?

Definition: sort all questions of an answers set by stated probability, best first, and answer one after the other:
coverage is the share answered so far, risk the share of those that is wrong. The area under the curve is the mean
risk over the answered ones; lower is better. Questions with the same probability enter together. Over the answers to
answerable questions alone, the share wrong stands with its exact one-sided 95 % upper bound.

Trap: the target shows its answer only above its threshold, so the curve ends at the coverage in use; its area
compares only between runs of similar coverage, which is why the coverage stands beside it. A target that always
abstains has no curve, not an area of 0.

Paper: Y. Geifman, R. El-Yaniv (2017), Selective classification for deep neural networks, NeurIPS, arXiv:1705.08500.
The bound: C. J. Clopper, E. S. Pearson (1934), The use of confidence or fiducial limits, Biometrika 26,
doi:10.1093/biomet/26.4.404.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from eval.figures import Heading, share_of, single
from eval.measures.calibration import outcomes
from eval.measures.correctness import is_right
from eval.records import AnswerItem, Exchange, Measured, TriageItem
from eval.significance import bootstrap_statistic, exact_upper

GROUP = "Honest probabilities"

AREA = Heading(
    "risk_coverage_area", "Area under risk and coverage", "mean share wrong, surest first", GROUP, "score", "lower"
)
RISK = Heading(
    "risk", "Answers that are wrong", "of the answers given, the share wrong or not due", GROUP, better="lower"
)
WRONG = Heading(
    "wrong_answers", "Answers that lack fact or source", "of the answers to answerable questions", GROUP, better="lower"
)
WRONG_UPPER = Heading(
    "wrong_answers_upper",
    "Lacking fact or source, at most",
    "exact 95 % upper bound of the line above",
    GROUP,
    better="lower",
)
COVERAGE = Heading("coverage", "Questions answered", "of all questions, the share answered", GROUP, better="neither")


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the curve: answering every question stated at ``threshold`` or above."""

    threshold: float
    coverage: float
    risk: float


def curve(cases: Sequence[tuple[float, bool]], asked: int) -> list[Point]:
    """Return the curve from the surest answer down.

    Args:
        cases: Stated probability and whether the answer was right.
        asked: Questions in all, answered or not.
    """
    points: list[Point] = []
    answered = wrong = 0
    for stated, group in groupby(sorted(cases, key=lambda case: -case[0]), key=lambda case: case[0]):
        rights = [right for _, right in group]
        answered += len(rights)
        wrong += rights.count(False)
        points.append(Point(stated, answered / asked, wrong / answered))
    return points


def area(points: Sequence[Point]) -> float | None:
    """Return the mean risk over the coverage that the curve spans; None without points."""
    if not points:
        return None
    total = before = 0.0
    for point in points:
        total += (point.coverage - before) * point.risk
        before = point.coverage
    return total / before


def measure_risk(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure risk and coverage as they stand, and the area where probabilities are stated."""
    asked = [ex for ex in exchanges if not isinstance(ex.item, TriageItem)]
    answered = {ex.item.id: not is_right(ex) for ex in asked if ex.reply.is_answered}
    due = {ex.item.id for ex in asked if isinstance(ex.item, AnswerItem)}
    wrong = {name: is_wrong for name, is_wrong in answered.items() if name in due}
    upper = exact_upper(sum(wrong.values()), len(wrong)) if wrong else None
    figures = [
        share_of(RISK, answered),
        share_of(WRONG, wrong),
        single(WRONG_UPPER, upper, None, len(wrong)),
        share_of(COVERAGE, {ex.item.id: ex.reply.is_answered for ex in asked}),
    ]
    cases = outcomes(asked)
    if cases:

        def value(rows: NDArray[np.intp]) -> float | None:
            return area(curve([cases[row] for row in rows.tolist()], len(asked)))

        interval = bootstrap_statistic(len(cases), value, resamples=500, seed=AREA.seed)
        figures.append(single(AREA, area(curve(cases, len(asked))), interval, len(cases)))
    return figures
