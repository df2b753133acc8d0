import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.records import Span
from corpus.sentences import is_list_item, split_sentences
from tests.corpus.strategies import texts
from tests.drilling import PROPERTY

HARD = Path(__file__).parent / "data" / "hard_sentences.jsonl"
FEWEST_CASES = 300
RIGHT = 0.995


def sentences_of(text: str) -> list[str]:
    return [span.slice(text) for span in split_sentences(text)]


def test_hard_sentences_are_split_as_a_reader_would() -> None:
    cases = [json.loads(line) for line in HARD.read_text(encoding="utf-8").splitlines()]
    assert len({case["text"] for case in cases}) == len(cases) >= FEWEST_CASES
    misses = [case for case in cases if sentences_of(case["text"]) != case["sentences"]]
    for case in misses:
        sys.stdout.write(f"expected {case['sentences']}\n     got {sentences_of(case['text'])}\n")
    assert 1 - len(misses) / len(cases) >= RIGHT


def test_hard_sentences_hold_their_whole_text() -> None:
    for line in HARD.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        assert "".join("".join(case["sentences"]).split()) == "".join(case["text"].split())


def test_spans_are_offsets_into_the_whole_text() -> None:
    text = "Skip this. Rest for 1 to 2 days. Then walk. Skip that."
    assert split_sentences(text, 11, 43) == [Span(11, 32), Span(33, 43)]
    assert split_sentences(text, 11, 30) == [Span(11, 30)]
    assert split_sentences(text, 5, 5) == []
    assert split_sentences("") == []
    assert split_sentences("  \n ") == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- rest", True),
        ("  • rest", True),
        ("12. rest", True),
        ("b) rest", True),
        ("(3) rest", True),
        ("✅ rest", True),
        ("-rest", False),
        ("3.5 mg", False),
        ("2021. rest", False),
        ("rest - ice", False),
        ("", False),
    ],
)
def test_list_items_are_known_by_their_marker(line: str, *, expected: bool) -> None:
    assert is_list_item(line) is expected


@pytest.mark.drill("R11")
@PROPERTY
@given(texts, st.data())
def test_sentences_cover_every_character_once(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    spans = split_sentences(text, start, end)
    covered = [place for span in spans for place in range(span.start, span.end)]
    assert covered == sorted(set(covered))
    assert {place for place in range(start, end) if not text[place].isspace()} <= set(covered)
    assert set(covered) <= set(range(start, end))
    for span in spans:
        assert span.slice(text) == span.slice(text).strip() != ""


@pytest.mark.drill("R11")
@PROPERTY
@given(texts)
def test_sentences_do_not_depend_on_what_stands_around_them(text: str) -> None:
    padded = f"Before.\n\n{text}\n\nAfter."
    shifted = [Span(span.start + 9, span.end + 9) for span in split_sentences(text)]
    assert split_sentences(padded, 9, 9 + len(text)) == shifted


@pytest.mark.parametrize(
    "unit", ["a. ", "(a. ", "a\n", "A.", "...", "“", "x", "((((", "Dr. ", "\n", ". . ", "No. 5 | ", "😀 "]
)
def test_time_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.process_time()
    split_sentences(text)
    assert time.process_time() - begin < 2.5
