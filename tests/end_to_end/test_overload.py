"""R8: five times what it carries. Whoever is let in waits no longer than on a busy day, the others hear at once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from eval.benchmarks.load import Level, Shot, fire, send_times, sum_up
from eval.datasets import load_set, shipped_path
from eval.measures.speed import percentiles
from eval.records import TriageItem
from eval.reporting.load_plot import answered_plot, load_plot
from tests.drilling import NIGHT, rounds
from tests.end_to_end.conftest import start_serving

BUSY = 0.8
"""Of the capacity: a load under which everything still flows."""

SHARES = (0.25, 0.5, 1.0, 1.5, 2.5)
"""Of the capacity: further points of the drawing."""

OVER = 5.0
IMAGES = Path(__file__).parents[2] / "docs" / "images"


def questions() -> list[str]:
    items = load_set(shipped_path("answers", "dev")).items
    return [item.question for item in items if not isinstance(item, TriageItem) and not item.history]


class Load:
    """Puts loads on one service and keeps what came of them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.questions = questions()
        self.levels: list[Level] = []

    def capacity(self, count: int) -> float:
        """Return the answers a second when eight askers ask on and on."""
        shots = fire(self.url, [0.0] * count, self.questions, {}, connections=8)
        assert {shot.status for shot in shots} == {200}
        return count / max(shot.done for shot in shots)

    def put(self, rate: float, seconds: float) -> tuple[Level, Sequence[Shot]]:
        """Offer so many questions a second, by chance."""
        shots = fire(self.url, send_times(rate, seconds, 1), self.questions, {}, connections=64)
        level = sum_up(round(rate, 1), seconds, shots)
        self.levels.append(level)
        return level, shots


def check_refusals(shots: Sequence[Shot]) -> dict[str, float]:
    """Hold every refusal to its shape; return the milliseconds that they took."""
    assert {shot.status for shot in shots} <= {200, 429, 503}
    refused = [shot for shot in shots if shot.status != 200]
    assert refused
    assert all(int(shot.retry_after) > 0 for shot in refused)
    times = [1000 * (shot.done - shot.sent) for shot in refused]
    return {**percentiles(times), "most": max(times)}


@pytest.mark.drill("R8")
def test_five_times_what_it_carries(home: Path, record_property: Callable[[str, object], None]) -> None:
    with start_serving(home, BACKLINE_LOG_LEVEL="warning") as (url, _):
        load = Load(url)
        load.capacity(40)  # warm
        capacity = load.capacity(rounds(100, 2_000))
        busy, _ = load.put(BUSY * capacity, rounds(4, 60))
        if NIGHT:
            for share in SHARES:
                load.put(share * capacity, 20)
        over, shots = load.put(OVER * capacity, rounds(20, 600))
    refusal = check_refusals(shots)
    assert over.statuses["200"] > 20
    record_property("carries a second", f"{capacity:.0f}")
    record_property(f"p99 at {BUSY:g} of it, ms", f"{busy.waits_ms['p99']:.0f}")
    record_property(f"at {OVER:g} times: accepted p99, ms", f"{over.waits_ms['p99']:.0f}")
    record_property("answered a second", f"{over.answered:.0f}")
    record_property("refusals", sum(count for status, count in over.statuses.items() if status != "200"))
    record_property(
        "their time p50, p99, most, ms", f"{refusal['p50']:.0f}, {refusal['p99']:.0f}, {refusal['most']:.0f}"
    )
    if not NIGHT:
        return
    load.levels.sort(key=lambda level: level.offered)
    (IMAGES / "overload-wait.svg").write_text(load_plot(load.levels), encoding="utf-8")
    (IMAGES / "overload-answered.svg").write_text(answered_plot(load.levels), encoding="utf-8")
    assert over.waits_ms["p99"] <= 2 * busy.waits_ms["p99"]
    assert over.answered >= 0.9 * max(capacity, *(level.answered for level in load.levels))
    assert refusal["most"] <= 100
