"""How sure a figure is: intervals for one run, a test for the difference of two.

Every draw comes from a generator whose seed is fixed by the caller, so the same scores always give the same interval.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEED = 20261122
RESAMPLES = 2000
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval that holds the truth at the stated level."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Outcome of a paired comparison.

    Attributes:
        difference: Mean of second minus first.
        p_value: Share of random sign flips that differ at least as much; never 0.
        wins: Pairs in which the second is higher.
        losses: Pairs in which it is lower.
        n: Pairs.
    """

    difference: float
    p_value: float
    wins: int
    losses: int
    n: int


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Return Wilson's score interval for a share.

    Unlike the textbook interval it stays inside [0, 1] and has a width at 0 and 1: no misses in 30 cases is
    not the same as never.

    Source: E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference,
    JASA 22, doi:10.1080/01621459.1927.10502953.

    Raises:
        ValueError: ``n`` is below 1 or ``successes`` outside of [0, n].
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    z = _NORMAL.inv_cdf((1 + level) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def exact_upper(successes: int, n: int, level: float = 0.95) -> float:
    """Return the exact one-sided upper bound of a share: the largest one under which so few are not surprising.

    Source: C. J. Clopper, E. S. Pearson (1934), The use of confidence or fiducial limits illustrated in the case of
    the binomial, Biometrika 26, doi:10.1093/biomet/26.4.404.

    Raises:
        ValueError: ``n`` is below 1 or ``successes`` outside of [0, n].
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    if successes == n:
        return 1.0
    low, high = successes / n, 1.0
    for _ in range(60):  # each step halves the gap: 60 reach the last bit of a double
        middle = (low + high) / 2
        chance = math.fsum(_binomial(n, k, middle) for k in range(successes + 1))
        low, high = (middle, high) if chance > 1 - level else (low, middle)
    return high


def bca_mean(values: Sequence[float], level: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED) -> Interval:
    """Return the bias-corrected and accelerated bootstrap interval of a mean.

    Values that are all equal give an interval without width: the bootstrap cannot see what it never drew.

    Source: B. Efron (1987), Better bootstrap confidence intervals, JASA 82, doi:10.1080/01621459.1987.10478410.

    Raises:
        ValueError: there are no values.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        raise ValueError("an interval needs at least one value")
    if np.all(data == data[0]):
        return Interval(float(data[0]), float(data[0]))
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, data.size, size=(resamples, data.size))].mean(axis=1)
    return _bca(means, float(data.mean()), _acceleration(data), level)


def _binomial(n: int, k: int, share: float) -> float:
    # In logarithms: the binomial coefficients of some hundred cases overflow a double.
    if share >= 1.0:
        return float(k == n)
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + (k * math.log(share) if k else 0.0) + (n - k) * math.log1p(-share))


def _acceleration(data: Floats) -> float:
    # The jackknife mean without value i is linear in value i, so its skewness is that of the values.
    spread = data - data.mean()
    return float(np.sum(spread**3) / (6 * np.sum(spread**2) ** 1.5))


def _bca(draws: Floats, estimate: float, acceleration: float, level: float) -> Interval:
    below = (np.count_nonzero(draws < estimate) + np.count_nonzero(draws == estimate) / 2) / draws.size
    bias = _NORMAL.inv_cdf(min(max(below, 0.5 / draws.size), 1 - 0.5 / draws.size))
    places = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        z = bias + _NORMAL.inv_cdf(tail)
        places.append(_NORMAL.cdf(bias + z / (1 - acceleration * z)))
    low, high = np.quantile(draws, places)
    return Interval(float(low), float(high))


def bootstrap_statistic(
    n: int, statistic: Callable[[NDArray[np.intp]], float | None], resamples: int = 1000, seed: int = SEED
) -> Interval | None:
    """Return the percentile bootstrap interval of any statistic of ``n`` cases.

    For figures that are not a mean over cases, such as F1 or an area. Draws on which the statistic is undefined are
    left out; below a tenth of defined draws there is no interval.

    Source: B. Efron (1979), Bootstrap methods: another look at the jackknife, Ann. Statist. 7,
    doi:10.1214/aos/1176344552.

    Args:
        n: Cases to draw from.
        statistic: Value for row numbers drawn with replacement; None where undefined.
        resamples: Draws.
        seed: Seed of the draws.
    """
    if n < 1:
        return None
    rng = np.random.default_rng(seed)
    drawn = (statistic(rng.integers(0, n, size=n)) for _ in range(resamples))
    values = [value for value in drawn if value is not None]
    if len(values) < resamples / 10:
        return None
    low, high = np.quantile(np.asarray(values), (0.025, 0.975))
    return Interval(float(low), float(high))


def paired_randomisation(
    first: Sequence[float], second: Sequence[float], resamples: int = 10_000, seed: int = SEED
) -> PairedTest:
    """Test whether two runs differ on the same questions, by flipping the sign of each difference at random.

    It assumes nothing about how scores are spread, only that under no difference either run could have had
    either score. Two-sided.

    Source: M. D. Smucker, J. Allan, B. Carterette (2007), A comparison of statistical significance tests for
    information retrieval evaluation, CIKM, doi:10.1145/1321440.1321528.

    Raises:
        ValueError: the runs differ in length, or are empty.
    """
    if len(first) != len(second) or not first:
        raise ValueError("a paired test needs the same questions in both runs, at least one")
    gaps = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    observed = abs(gaps.sum())
    moved = gaps[gaps != 0]
    if moved.size == 0:
        return PairedTest(0.0, 1.0, 0, 0, len(gaps))
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 2, size=(resamples, moved.size), dtype=np.int8) * 2.0 - 1.0
    # A whisker of tolerance, or sums that are equal on paper would differ in their last bit.
    as_far = np.count_nonzero(np.abs(signs @ moved) >= observed - 1e-9)
    p_value = (1 + as_far) / (1 + resamples)
    return PairedTest(
        float(gaps.mean()), float(p_value), int(np.sum(moved > 0)), int(np.sum(moved < 0)), int(gaps.size)
    )
