import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.calibrating import (
    Sample,
    calibrate_service,
    choose_threshold,
    collect,
    cross_validate,
    fit_logistic,
    log_loss,
)
from eval.datasets import load_set
from eval.errors import CalibrationError


class FakeComposer:
    """Answers questions with an even number rightly, and says so in its first feature, with some noise."""

    model_id = "fake-model"

    def __init__(self) -> None:
        self._noise = np.random.default_rng(4)

    def features(self, question: str, history: tuple[str, ...] = ()) -> dict[str, float]:
        del history
        return {"signal": self._knows(question) + float(self._noise.normal(0, 0.4)), "constant": 1.0}

    def compose_unconditionally(self, question: str, history: tuple[str, ...] = ()) -> tuple[set[str], list[str], str]:
        del history
        return ({"good:F01"}, ["good"], "") if self._knows(question) else ({"bad:F01"}, ["bad"], "")

    def ask(self, question: str, history: tuple[str, ...] = ()) -> dict[str, Any]:
        del history
        return {"abstention": {"reason": "personal_advice"} if "dose" in question else None}

    @staticmethod
    def _knows(question: str) -> bool:
        return question.startswith("known")


def question_set(folder: Path, right: int = 60, wrong: int = 40) -> Path:
    rows: list[dict[str, Any]] = [
        {
            "id": f"a{place}",
            "kind": "answer",
            "question": f"known {place}",
            "sources": ["good"],
            "key_facts": [{"any": ["good:F01"], "say": ["x"]}],
        }
        for place in range(right)
    ]
    rows += [
        {"id": f"d{place}", "kind": "decline", "reason": "unclear", "category": "nonsense", "question": f"odd {place}"}
        for place in range(wrong)
    ]
    rows += [
        {
            "id": "p1",
            "kind": "decline",
            "reason": "personal_advice",
            "category": "personal_dose",
            "question": "known dose?",
        }
    ]
    path = folder / "answers.mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_fit_is_written_as_the_service_reads_it(tmp_path: Path) -> None:
    path = question_set(tmp_path)
    out = tmp_path / "data" / "calibration.json"
    lines = list(calibrate_service([path], out, composer=FakeComposer()))
    body = json.loads(out.read_text(encoding="utf-8"))
    assert body["model_id"] == "fake-model"
    assert body["features"] == ["signal", "constant"]
    assert body["weights"][0] > 0
    assert (body["weights"][1], body["scale"][1]) == (0.0, 1.0)
    assert body["n"] == 100
    assert 0 < body["threshold"] < 1
    assert body["risk"] < 0.15
    assert body["calibrated_on"] == f"answers.mine sha256:{load_set(path).sha256}"
    assert lines[0] == "100 questions of answers.mine: 60 would be answered rightly"


def test_the_same_set_gives_the_same_file(tmp_path: Path) -> None:
    path = question_set(tmp_path)
    for name in ("one", "two"):
        list(calibrate_service([path], tmp_path / name, composer=FakeComposer()))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_questions_declined_for_what_they_ask_are_left_out(tmp_path: Path) -> None:
    assert len(collect(FakeComposer(), [load_set(question_set(tmp_path))]).right) == 100


def test_too_little_to_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="60 right and 9 wrong answers are too few"):
        list(calibrate_service([question_set(tmp_path, wrong=9)], tmp_path / "out", composer=FakeComposer()))


def test_the_fit_finds_planted_weights() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(20_000, 2))
    chance = 1 / (1 + np.exp(-(1.5 * table[:, 0] - 0.5 * table[:, 1] + 0.3)))
    fit = fit_logistic(Sample(("a", "b"), table, rng.random(20_000) < chance), 0.3)
    raw = fit.weights / fit.scale
    assert raw == pytest.approx([1.5, -0.5], abs=0.06)
    assert fit.intercept - float(raw @ fit.mean) == pytest.approx(0.3, abs=0.06)
    assert np.mean(np.abs(fit.probabilities(table) - chance)) < 0.01


def test_held_back_probabilities_do_not_see_their_own_answer() -> None:
    rng = np.random.default_rng(6)
    sample = Sample(tuple("abcdefgh"), rng.normal(size=(80, 8)), np.arange(80) % 2 == 0)
    _, held_back = cross_validate(sample)
    assert log_loss(held_back, sample.right) > 0.68


def test_the_threshold_weighs_costs_or_keeps_a_risk() -> None:
    held_back = np.asarray([0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 0.95])
    right = np.asarray([False, False, True, False, True, True, True, True])
    assert choose_threshold(held_back, right).value == pytest.approx(1 / 2)
    assert choose_threshold(held_back, right, wrong_cost=0.5).value == pytest.approx(1 / 3)
    careful = choose_threshold(held_back, right, wrong_cost=1.5)
    assert careful.value == pytest.approx(0.6)
    assert (careful.risk, careful.coverage, careful.needless) == (0.0, 0.5, 0.2)
    # Four right answers and the one still to come: 1 in 5.
    assert choose_threshold(held_back, right, risk=0.2).value == pytest.approx(0.55)
    with pytest.raises(CalibrationError, match="no threshold keeps"):
        choose_threshold(held_back, right, risk=0.1)


def test_a_question_that_counts_as_three_is_fitted_as_if_it_stood_there_three_times() -> None:
    rng = np.random.default_rng(7)
    table, right = rng.normal(size=(60, 3)), rng.random(60) < 0.5
    counts = np.where(np.arange(60) < 20, 3.0, 1.0)
    thrice = np.concatenate([np.arange(60), np.arange(20), np.arange(20)])
    weighed = fit_logistic(Sample(("a", "b", "c"), table, right, counts), 0.3)
    repeated = fit_logistic(Sample(("a", "b", "c"), table[thrice], right[thrice]), 0.3)
    assert weighed.weights == pytest.approx(repeated.weights)
    assert weighed.intercept == pytest.approx(repeated.intercept)
    chances = weighed.probabilities(table)
    assert log_loss(chances, right, counts) == pytest.approx(log_loss(chances[thrice], right[thrice]))


def test_questions_that_nobody_has_read_count_as_told(tmp_path: Path) -> None:
    sample = collect(FakeComposer(), [load_set(question_set(tmp_path))], ("d1", "a"), 6.0)
    assert sample.counts is not None
    assert (sample.counts == 6.0).sum() == 60 + 11  # every a; d1, and d10 to d19
    assert collect(FakeComposer(), [load_set(question_set(tmp_path))]).counts is None
    with pytest.raises(CalibrationError, match="begins with 'dev9-'"):
        collect(FakeComposer(), [load_set(question_set(tmp_path))], ("dev9-",), 6.0)
    out = tmp_path / "fit.json"
    list(calibrate_service([question_set(tmp_path)], out, composer=FakeComposer(), unread=["a"], unread_count=2.0))
    assert json.loads(out.read_text(encoding="utf-8"))["counts"] == {"a": 2.0}
