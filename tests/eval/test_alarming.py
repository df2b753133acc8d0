"""Ordinary questions drawn by the seed: the same ones each time, and each alarm listed."""

import gzip
import json
from pathlib import Path

import pytest

from eval.alarming import draw_questions, list_alarms
from eval.errors import SetError
from service.triage.loading import read_rules


def _file(tmp_path: Path, texts: list[str]) -> Path:
    path = tmp_path / "asked.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps({"title": text}) + "\n" for text in texts).encode()))
    return path


def test_the_same_questions_are_drawn_each_time_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, [f"question {number}" for number in range(50)])
    drawn = draw_questions(path, "title", 20)
    assert drawn == draw_questions(path, "title", 20)
    assert len(set(drawn)) == 20
    assert drawn == sorted(drawn, key=lambda question: int(question.split()[1]))


def test_a_small_file_is_taken_whole(tmp_path: Path) -> None:
    assert draw_questions(_file(tmp_path, ["a", "b"]), "title", 1000) == ["a", "b"]


@pytest.mark.parametrize("texts", [[], ["a"]])
def test_a_file_without_the_field_or_without_questions_is_refused(tmp_path: Path, texts: list[str]) -> None:
    with pytest.raises(SetError, match=r"asked\.jsonl\.gz"):
        draw_questions(_file(tmp_path, texts), "question", 5)


def test_each_alarm_is_listed_with_what_raised_it_and_notes_are_only_counted() -> None:
    questions = [
        "What is a muscle spasm?",
        "What are the signs of cauda equina syndrome?",
        "I can't pee and my back hurts",
    ]
    first, *listed = list_alarms(questions, read_rules())
    assert first.startswith("1 of 3 questions raised an alarm: 33.33%, 95 % interval 6.15% to 79.23%; 1 got a note")
    assert listed == ["emergency RF01 by rule, \"can't pee\": I can't pee and my back hurts"]
