"""R8: five times what it carries. Whoever is let in waits no longer than on a busy day, the others hear at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from eval.benchmarks.load import Level, Shot, fire, mixed, send_times, sum_up
from eval.datasets import load_set, shipped_path
from eval.measures.speed import percentiles
from eval.records import TriageItem
from eval.reporting.load_plot import answered_plot, load_plot
from tests.drilling import NIGHT, rounds
from tests.end_to_end.conftest import start_serving

BUSY = 0.8
"""Of the capacity: a load under which everything still flows."""

SHARES = (0.25, 0.5, BUSY, 1.0, 1.5, 2.5)
"""Of the capacity: the points of the drawing below five times."""

ROUNDS = rounds(1, 10)
"""Every load is put on in turn, round after round, because a machine's own speed drifts by more than the bound of 10 %."""

OVER = 5.0
IMAGES = Path(__file__).parents[2] / "docs" / "images"


def questions() -> list[str]:
    items = load_set(shipped_path("answers", "dev")).items
    return [item.question for item in items if not isinstance(item, TriageItem) and not item.history]


class Load:
    """Puts loads on one service and keeps what came of each, all rounds of it together."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.questions = questions()
        self.shots: dict[float, list[Shot]] = {}
        self._lasted: dict[float, float] = {}

    def capacity(self, count: int, seed: int) -> float:
        """Return the answers a second when eight askers ask on and on."""
        shots = fire(self.url, [0.0] * count, mixed(self.questions, seed), {}, connections=8)
        assert {shot.status for shot in shots} == {200}
        return count / max(shot.done for shot in shots)

    def put(self, rate: float, seconds: float, seed: int) -> None:
        """Offer so many questions a second, by chance."""
        begin = self._lasted.get(rate, 0.0)
        times = send_times(rate, seconds, seed)
        shots = fire(self.url, times, mixed(self.questions, seed), {}, connections=64)
        self._lasted[rate] = begin + max(seconds, *(shot.done for shot in shots))
        self.shots.setdefault(rate, []).extend(
            replace(shot, intended=begin + shot.intended, sent=begin + shot.sent, done=begin + shot.done)
            for shot in shots
        )

    def level(self, rate: float) -> Level:
        """Sum up what came of one load."""
        return sum_up(round(rate, 1), self._lasted[rate], self.shots[rate])


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
        load.capacity(40, 0)  # warm
        carried = [load.capacity(rounds(100, 2_000), 0)]
        rates = {share: share * carried[0] for share in (*(SHARES if NIGHT else (BUSY,)), OVER)}
        for number in range(1, ROUNDS + 1):
            for share, rate in rates.items():
                load.put(rate, rounds(20, 60) if share == OVER else rounds(4, 6), number)
            if NIGHT:
                carried.append(load.capacity(300, number))
    levels = {share: load.level(rate) for share, rate in rates.items()}
    busy, over, capacity = levels[BUSY], levels[OVER], fmean(carried)
    refusal = check_refusals(load.shots[rates[OVER]])
    assert over.statuses["200"] > 20
    record_property("carries a second", f"{capacity:.0f}")
    record_property(f"p99 at {BUSY:g} of it, ms", f"{busy.waits_ms['p99']:.0f}")
    record_property(f"at {OVER:g} times: accepted p99, ms", f"{over.waits_ms['p99']:.0f}")
    record_property("answered a second", f"{over.answered:.0f}")
    most = max(capacity, *(level.answered for level in levels.values() if level is not over))
    record_property("most at any other load", f"{most:.0f}")
    record_property("refusals", sum(count for status, count in over.statuses.items() if status != "200"))
    record_property(
        "their time p50, p99, most, ms", f"{refusal['p50']:.0f}, {refusal['p99']:.0f}, {refusal['most']:.0f}"
    )
    if not NIGHT:
        return
    (IMAGES / "overload-wait.svg").write_text(load_plot(list(levels.values())), encoding="utf-8")
    (IMAGES / "overload-answered.svg").write_text(answered_plot(list(levels.values())), encoding="utf-8")
    assert over.waits_ms["p99"] <= 2 * busy.waits_ms["p99"]
    assert over.answered >= 0.9 * most
    assert refusal["most"] <= 100
