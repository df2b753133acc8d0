"""Runs, gates and comparisons as they are stored and judged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval.comparing import compare_runs
from eval.datasets import DATA
from eval.errors import RunError
from eval.gates import Gate, falls, judge, load_gates
from eval.running import ask_all, document_reader
from eval.runs import Run, load_run, measure_all, write_run
from tests.eval.fakes import ITEMS, FakeTarget, always_abstain, shuffle_citations


def run_of(target: FakeTarget) -> Run:
    exchanges, _ = ask_all(target, ITEMS)
    about = {
        "created": "2026-01-01",
        "target": "fake",
        "sets": [{"name": "s", "sha256": "1", "items": 32, "asked": 32}],
    }
    return measure_all(exchanges, document_reader(target), about)


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    run = run_of(FakeTarget())
    write_run(run, tmp_path / "new" / "run.json")
    again = load_run(tmp_path / "new")
    assert again.figures == run.figures
    assert again.scores == run.scores
    assert again.misses == {}


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "is no run"), ("{}", "is no run"), ('{"format": 9}', "has format 9")]
)
def test_what_is_no_run_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=reason):
        load_run(tmp_path)
    with pytest.raises(RunError, match="cannot be read"):
        load_run(tmp_path / "absent.json")


def test_gates_judge_values_and_what_was_not_measured_fails() -> None:
    run = run_of(FakeTarget(spoil=shuffle_citations))
    gates = (
        Gate("sentences_verbatim", 0.9, float("inf"), "w"),
        Gate("needless_refusals", float("-inf"), 0.1, "w"),
        Gate("no_such_measure", 0.5, float("inf"), "w"),
    )
    verdicts = judge(run, gates)
    assert [(one.measure, one.passed) for one in verdicts] == [
        ("sentences_verbatim", False),
        ("needless_refusals", True),
        ("no_such_measure", False),
    ]
    assert [one.reason.replace("\N{NO-BREAK SPACE}", " ") for one in verdicts] == [
        "needs ≥ 90 %",
        "needs ≤ 10 %",
        "was not measured",
    ]
    assert len(judge(run, gates, skip_absent=True)) == 2


def test_the_shipped_gates_name_measures_that_exist() -> None:
    names = {figure.name for run in (run_of(FakeTarget()),) for figure in (*run.figures, *run.speed)}
    assert {gate.measure for gate in load_gates()} <= names


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[gate]]\nmeasure='x'\n", "is no file of gates"),
        ("[[gate]]\nmeasure='x'\nwhy='y'\n", "neither at_least nor"),
        ("=", "is no"),
    ],
)
def test_a_faulty_file_of_gates_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "gates.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=reason):
        load_gates(tmp_path / "gates.toml")


def test_a_figure_that_left_the_baseline_is_named() -> None:
    honest, silent = run_of(FakeTarget()), run_of(FakeTarget(spoil=always_abstain))
    fallen = {verdict.measure for verdict in falls(silent, honest)}
    assert {"key_facts_all", "needless_refusals", "flags_caught", "coverage"} - fallen == {"coverage"}
    assert falls(honest, honest) == []


def test_compare_pairs_question_by_question() -> None:
    found = {
        one.figure.name: one for one in compare_runs(run_of(FakeTarget()), run_of(FakeTarget(spoil=always_abstain)))
    }
    facts = found["key_facts_all"]
    assert (facts.before, facts.after, len(facts.won), len(facts.lost)) == (1.0, 0.0, 0, 12)
    assert facts.test.p_value < 0.001
    needless = found["needless_refusals"]
    assert (needless.before, needless.after, len(needless.lost)) == (0.0, 1.0, 12)
    assert found["silence_recall"].test.p_value == 1.0


def test_runs_on_different_sets_are_not_compared() -> None:
    run = run_of(FakeTarget())
    other = replace(run, about={"sets": [{"name": "s", "sha256": "2"}]})
    with pytest.raises(RunError, match="is not the same set in both runs"):
        compare_runs(run, other)


def test_the_log_of_the_report_half_is_sound() -> None:
    log = DATA / "report-log.jsonl"
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            assert {"created", "sets", "figures"} <= row.keys()
