"""Calibration: when the target says 0.8, is it right in eight of ten cases?

Definition: the answers that were given, sorted by their stated probability, fall into five bins of equal size; in
each, the mean stated probability is held against the share that was right. The error is the root of the mean squared
gap, with the part of each gap that chance alone would make taken off.

Trap: without that correction a perfect forecaster gets an error that only shrinks with the size of the set, and more
bins make it look worse. An error of 0 says that the probabilities are honest, not that they tell right from wrong:
stating the base rate for everything is honest too. Abstentions have no outcome and are not in it.

Paper: A. Kumar, P. Liang, T. Ma (2019), Verified uncertainty calibration, NeurIPS, arXiv:1909.10155.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.figures import Heading, single
from eval.measures.correctness import is_right
from eval.records import Exchange, Measured, TriageItem
from eval.significance import bootstrap_statistic

GROUP = "Honest probabilities"
BINS = 5

ERROR = Heading(
    "calibration_error", "Calibration error", "gap between stated probability and share right", GROUP, "score", "lower"
)


@dataclass(frozen=True, slots=True)
class Bin:
    """One dot of the reliability diagram."""

    stated: float
    right: float
    n: int


def outcomes(exchanges: Sequence[Exchange]) -> list[tuple[float, bool]]:
    """Return stated probability and whether the answer was right, for each answer that states one."""
    return [
        (ex.reply.probability, is_right(ex))
        for ex in exchanges
        if ex.reply.is_answered and ex.reply.probability is not None and not isinstance(ex.item, TriageItem)
    ]


def reliability_bins(cases: Sequence[tuple[float, bool]], bins: int = BINS) -> list[Bin]:
    """Return up to ``bins`` bins of equal size in rising order of the stated probability; ties keep their order."""
    table = np.asarray(sorted(cases, key=lambda case: case[0]), dtype=np.float64).reshape(-1, 2)
    parts = [part for part in np.array_split(table, bins) if len(part)]
    return [Bin(float(part[:, 0].mean()), float(part[:, 1].mean()), len(part)) for part in parts]


def calibration_error(cases: Sequence[tuple[float, bool]], bins: int = BINS) -> float | None:
    """Return the debiased error in [0, 1]; None below two cases a bin, where chance cannot be told apart."""
    if len(cases) < 2 * bins:
        return None
    total = 0.0
    for found in reliability_bins(cases, bins):
        chance = found.right * (1 - found.right) / (found.n - 1)
        total += found.n / len(cases) * ((found.stated - found.right) ** 2 - chance)
    return float(np.sqrt(max(total, 0.0)))


def measure_calibration(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure the answers that state a probability; nothing where none does."""
    cases = outcomes(exchanges)
    if not cases:
        return []

    def value(rows: NDArray[np.intp]) -> float | None:
        return calibration_error([cases[row] for row in rows.tolist()])

    interval = bootstrap_statistic(len(cases), value, resamples=500, seed=ERROR.seed)
    return [single(ERROR, calibration_error(cases), interval, len(cases))]
