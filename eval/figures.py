"""From the score of each case to a figure with its interval."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from eval.records import Better, Figure, Measured, Unit
from eval.significance import SEED, Interval, bca_mean, wilson


@dataclass(frozen=True, slots=True)
class Heading:
    """What a figure is called and what it says; the value comes with a run."""

    name: str
    title: str
    meaning: str
    group: str
    unit: Unit = "share"
    better: Better = "higher"

    @property
    def seed(self) -> int:
        """Seed of this figure's own draws: adding a figure never moves another one's interval."""
        return SEED + zlib.crc32(self.name.encode())


def share_of(heading: Heading, scores: Mapping[str, bool]) -> Measured:
    """Sum up yes-or-no cases: the share of yes, with Wilson's interval."""
    n, met = len(scores), sum(scores.values())
    interval = wilson(met, n) if n else None
    return single(heading, met / n if n else None, interval, n, {name: float(ok) for name, ok in scores.items()})


def mean_of(heading: Heading, scores: Mapping[str, float]) -> Measured:
    """Sum up graded cases: the mean, with a BCa bootstrap interval over cases."""
    n = len(scores)
    values = list(scores.values())
    interval = bca_mean(values, seed=heading.seed) if n else None
    return single(heading, sum(values) / n if n else None, interval, n, scores)


def single(
    heading: Heading, value: float | None, interval: Interval | None, n: int, scores: Mapping[str, float] | None = None
) -> Measured:
    """Make a figure of a value that was worked out elsewhere; without scores it cannot be paired."""
    figure = Figure(
        name=heading.name,
        title=heading.title,
        value=value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=n,
        meaning=heading.meaning,
        group=heading.group,
        unit=heading.unit,
        better=heading.better,
    )
    return Measured(figure, scores or {})
