"""The digests can be read by a worried person, and the log of sentences read is the log of these digests."""

from __future__ import annotations

import re
from pathlib import Path

from tests.corpus.draw_sentences import draw
from tests.corpus.reading_level import grades

LOG = Path(__file__).resolve().parents[2] / "docs" / "digests.md"


def test_digests_read_at_about_grade_eight() -> None:
    found = grades()
    assert 7.0 < found["all"] < 8.6
    # A digest about drug trials keeps its drugs' names.
    assert {name for name, grade in found.items() if grade > 10.5} == {"eop-2020-back-pain-drugs"}


def test_printed_grades_are_those_of_the_digests() -> None:
    printed = {
        name: float(grade)
        for grade, name in re.findall(r"^ *(\d+\.\d)  (\S+)$", LOG.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    found = grades()
    assert printed.keys() == found.keys()
    assert {name for name, grade in found.items() if abs(grade - printed[name]) > 0.3} == set()


def test_a_draw_is_the_same_each_time_and_another_seed_draws_others() -> None:
    drawn = draw("a", 5)
    assert drawn == draw("a", 5)
    assert len(set(drawn)) == 5
    assert drawn != draw("b", 5)


def test_log_holds_the_fifty_drawn_sentences_as_they_stand() -> None:
    log = LOG.read_text(encoding="utf-8")
    rows = [f"| {drawn.sentence.text} | {' '.join(drawn.sentence.fact_ids)} |" for drawn in draw()]
    assert len(rows) == 50
    assert [row for row in rows if row not in log] == []
