from dataclasses import replace
from typing import Any

import pytest

from eval.measures.robustness import measure_robustness
from eval.perturbing import CHANGES, misspell, pad, shout, strip_marks
from eval.records import Item
from eval.running import ask_all
from tests.eval.fakes import ITEMS, FakeTarget, abstained

QUESTION = "How long does a back spasm last?"


def test_each_change_keeps_the_words_but_not_the_look() -> None:
    slipped = misspell(QUESTION)
    assert slipped != QUESTION
    assert sorted(slipped) == sorted(QUESTION)
    assert slipped == misspell(QUESTION)
    assert shout(QUESTION) == "HOW LONG DOES A BACK SPASM LAST?"
    assert QUESTION in pad(QUESTION)
    assert strip_marks("Can't bend, at all!") == "can't bend at all"


def test_a_question_without_a_long_word_is_left_alone() -> None:
    assert misspell("is ice ok") == "is ice ok"
    assert misspell("aaaaaaa") == "aaaaaaa"


def test_only_an_unchanged_outcome_counts() -> None:
    def afraid_of_capitals(_item: Item, place: int, body: dict[str, Any]) -> dict[str, Any]:
        if place == 1:
            raise RuntimeError("out of paper")
        return abstained() if place == 0 else body

    plain, _ = ask_all(FakeTarget(), ITEMS)
    shouted, _ = ask_all(FakeTarget(spoil=afraid_of_capitals), ITEMS)
    (found,) = measure_robustness(plain, {"shouted": shouted})
    assert found.figure.value == 1 - 2 / len(ITEMS)
    assert [name for name, same in found.scores.items() if not same] == ["a0", "a1"]


def test_different_items_cannot_be_paired() -> None:
    plain, _ = ask_all(FakeTarget(), ITEMS[:1])
    other = [replace(plain[0], item=ITEMS[1])]
    with pytest.raises(ValueError, match="are different items"):
        measure_robustness(plain, dict.fromkeys(CHANGES, other))
