"""Silence, probabilities, risk, triage, speed: worked by hand."""

import math

import pytest

from eval.measures.calibration import calibration_error, measure_calibration, reliability_bins
from eval.measures.risk_coverage import Point, area, curve, measure_risk
from eval.measures.silence import measure_silence, recall_by_category
from eval.measures.speed import measure_speed, percentiles, percentiles_by_stage
from eval.measures.triage import measure_triage, rows_by_rule
from eval.records import Exchange, Level, Measured, Reply
from tests.eval.measures.replies import FAILED, SILENT, decline, exchange, flag, question, said

RIGHT = said(("Hours to days.", "right", "Hours to days."), facts=("right:F01",), probability=0.9)
WRONG = said(("Weeks.", "wrong", "Weeks."), facts=("wrong:F01",), probability=0.6)


def by_name(measured: list[Measured]) -> dict[str, float | None]:
    return {one.figure.name: one.figure.value for one in measured}


def test_silence_in_a_worked_case() -> None:
    exchanges = [
        exchange(question("a1"), RIGHT),
        exchange(question("a2"), SILENT),
        exchange(question("a3"), FAILED),
        exchange(decline("d1"), SILENT),
        exchange(decline("d2", "nonsense"), WRONG),
        exchange(decline("d3", "nonsense"), Reply("withheld")),
        exchange(decline("d4", "nonsense"), FAILED),
    ]
    found = by_name(measure_silence(exchanges))
    assert found == {
        "silence_precision": pytest.approx(2 / 3),
        "silence_recall": pytest.approx(2 / 4),
        "silence_f1": pytest.approx(4 / 7),
        "needless_refusals": pytest.approx(2 / 3),
        "silence_reason": pytest.approx(1 / 2),
    }
    assert recall_by_category(exchanges) == {"nonsense": (1, 3), "out_of_domain": (1, 1)}


def test_no_abstention_is_no_number_rather_than_a_perfect_one() -> None:
    found = {one.figure.name: one.figure for one in measure_silence([exchange(question(), RIGHT)])}
    assert (found["silence_precision"].value, found["silence_precision"].n) == (None, 0)
    assert found["silence_f1"].value is None


def test_honest_probabilities_have_no_error_and_boasting_has() -> None:
    honest = [(0.8, place % 5 != 0) for place in range(100)]
    assert calibration_error(honest) == 0.0
    boasting = [(0.8, place % 5 >= 3) for place in range(100)]
    # Each bin: gap 0.4, less 0.4 * 0.6 / 19 for chance.
    assert calibration_error(boasting) == pytest.approx(math.sqrt(0.16 - 0.24 / 19))
    assert calibration_error(honest[:9]) is None


def test_bins_have_equal_mass() -> None:
    bins = reliability_bins([(0.1 * place, place > 4) for place in range(10)])
    assert [one.n for one in bins] == [2, 2, 2, 2, 2]
    assert bins[0].stated == pytest.approx(0.05)
    assert (bins[0].right, bins[4].right) == (0.0, 1.0)
    assert bins[2].right == 0.5


def test_calibration_looks_at_answers_that_state_a_probability() -> None:
    exchanges = [exchange(question(f"a{n}"), RIGHT) for n in range(10)]
    exchanges += [exchange(question("s"), SILENT), exchange(flag("t", "soon", "RF01"), RIGHT)]
    (found,) = measure_calibration(exchanges)
    assert found.figure.n == 10
    assert found.figure.value == pytest.approx(0.1)
    assert measure_calibration([exchange(question(), SILENT)]) == []


def test_risk_and_coverage_from_the_surest_down() -> None:
    points = curve([(0.5, False), (0.9, True), (0.7, True), (0.7, False)], asked=8)
    assert points == [Point(0.9, 0.125, 0.0), Point(0.7, 0.375, 1 / 3), Point(0.5, 0.5, 0.5)]
    assert area(points) == pytest.approx((0.125 * 0 + 0.25 / 3 + 0.125 * 0.5) / 0.5)
    assert area([]) is None


def test_an_answer_to_what_should_be_declined_is_wrong() -> None:
    exchanges = [exchange(question("a1"), RIGHT), exchange(decline("d1"), RIGHT), exchange(question("a2"), SILENT)]
    found = by_name(measure_risk(exchanges))
    assert found["risk"] == 0.5
    assert found["wrong_answers"] == 0.0
    assert found["wrong_answers_upper"] == pytest.approx(0.95)
    assert found["coverage"] == pytest.approx(2 / 3)
    assert found["risk_coverage_area"] == 0.5


def warned(level: Level, *rules: str) -> Reply:
    return Reply("answered", level=level, rules=rules)


TRIAGED: list[Exchange] = [
    exchange(flag("t1", "emergency", "RF01", "RF02"), warned("emergency", "RF02")),
    exchange(flag("t2", "emergency", "RF01"), warned("today", "RF01")),
    exchange(flag("t3", "soon", "RF17"), warned("emergency", "RF03")),
    exchange(flag("t4", "today", "RF06"), warned("info", "RF06")),
    exchange(flag("t5", "today", "RF06"), FAILED),
    exchange(flag("n1", "none", "RF01"), warned("none")),
    exchange(flag("n2", "none", "RF01"), warned("soon", "RF17")),
    exchange(flag("n3", "none", "RF01"), warned("info", "RF01")),
    exchange(flag("n4", "info", "RF01"), warned("info", "RF01")),
]


def test_triage_in_a_worked_case() -> None:
    assert by_name(measure_triage(TRIAGED)) == {
        "flags_caught": pytest.approx(3 / 5),
        "emergencies_caught": 0.5,
        "flags_level": pytest.approx(1 / 5),
        "flags_too_mild": pytest.approx(3 / 5),
        "flags_rule": pytest.approx(3 / 5),
        "flags_caught_long": None,
        "false_alarms": 0.25,
        "info_right": 1.0,
        "info_extra": pytest.approx(1 / 3),
    }


def test_ordinary_questions_must_not_alarm() -> None:
    exchanges = [exchange(question("a1"), warned("today", "RF08")), exchange(question("a2"), warned("info", "RF01"))]
    assert by_name(measure_triage(exchanges)) == {"false_alarms_ordinary": 0.5}
    assert measure_triage([exchange(decline(), SILENT)]) == []


def test_rows_by_rule() -> None:
    rows = {row.rule: row for row in rows_by_rule(TRIAGED)}
    assert (rows["RF01"].asked, rows["RF01"].caught, rows["RF01"].level_right) == (2, 2, 1)
    assert (rows["RF01"].false_alarms, rows["RF01"].notes) == (0, 2)
    assert (rows["RF06"].caught, rows["RF06"].rule_right, rows["RF06"].missed) == (0, 1, ("t4", "t5"))
    assert rows["RF17"].false_alarms == 1
    assert list(rows) == ["RF01", "RF02", "RF03", "RF06", "RF17"]


def test_percentiles_interpolate_and_failures_have_no_time() -> None:
    exchanges = [
        exchange(question(f"a{n}"), Reply("answered", timings_ms={"embed": 2.0}), float(n)) for n in range(1, 101)
    ]
    exchanges.append(exchange(question("f"), FAILED, 9999.0))
    found = by_name(measure_speed(exchanges))
    assert found == {"wall_p50_ms": 50.5, "wall_p95_ms": 95.05, "wall_p99_ms": 99.01}
    assert percentiles_by_stage(exchanges)["embed"] == {"p50": 2.0, "p95": 2.0, "p99": 2.0}
    assert percentiles([]) == {}
