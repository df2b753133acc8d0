"""Speed: how long does one question take, asked one after the other, and what does the service need?

Definition: the 50th, 95th and 99th percentile of the wall time as the asker saw it, and of each stage as the target
states it, by linear interpolation between order statistics. Where the service runs in this process, also the time to
open it and the most memory that the process ever held.

Trap: questions asked one by one never wait for each other: this is the time of an idle service, not of a busy one.
The first question is among them and pays for what is loaded late. No two runs give the same numbers, so speed is
kept apart from the measures that must repeat to the bit. Memory is that of the whole process, the evaluation with it.

Paper: R. J. Hyndman, Y. Fan (1996), Sample quantiles in statistical packages, The American Statistician 50,
doi:10.1080/00031305.1996.10473566 (type 7).
"""

import resource
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from eval.figures import Heading, single
from eval.records import Exchange, Measured

GROUP = "Speed"
PERCENTILES = (50, 95, 99)

HEADINGS = tuple(
    Heading(f"wall_p{p}_ms", f"Time, p{p}", f"{p} of 100 questions are answered within this", GROUP, "ms", "lower")
    for p in PERCENTILES
)

START = Heading("start_ms", "Time to open the service", "model, index and rules are loaded", GROUP, "ms", "lower")
MEMORY = Heading("memory_mb", "Memory at most", "of the process that answers and measures", GROUP, "MB", "lower")


def percentiles(values: Sequence[float]) -> Mapping[str, float]:
    """Return p50, p95 and p99 of ``values``; empty without values."""
    if not values:
        return {}
    return {f"p{p}": float(np.percentile(np.asarray(values), p)) for p in PERCENTILES}


def cumulative(exchanges: Sequence[Exchange]) -> list[float]:
    """Return the wall time within which 0, 1, … and 100 of 100 questions were answered; empty without replies."""
    values = [ex.wall_ms for ex in exchanges if ex.reply.status != "failed"]
    return [float(value) for value in np.percentile(np.asarray(values), range(101))] if values else []


def measure_speed(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure the wall time of all questions that got a reply."""
    values = [ex.wall_ms for ex in exchanges if ex.reply.status != "failed"]
    found = percentiles(values)
    return [
        single(heading, found.get(f"p{p}"), None, len(values)) for heading, p in zip(HEADINGS, PERCENTILES, strict=True)
    ]


def percentiles_by_stage(exchanges: Sequence[Exchange]) -> dict[str, Mapping[str, float]]:
    """Return the percentiles of each stage that the target states, and of the wall time."""
    stages: dict[str, list[float]] = {}
    for ex in exchanges:
        if ex.reply.status != "failed":
            stages.setdefault("wall", []).append(ex.wall_ms)
            for stage, value in ex.reply.timings_ms.items():
                stages.setdefault(stage, []).append(value)
    return {stage: percentiles(values) for stage, values in stages.items()}


def measure_process(start_ms: float) -> list[Measured]:
    """Measure the process that holds service and evaluation.

    Args:
        start_ms: Milliseconds that opening the service took.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    to_mb = 1024 * 1024 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return [single(START, start_ms, None, 1), single(MEMORY, peak / to_mb, None, 1)]
