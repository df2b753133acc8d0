from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.datasets import load_set, shipped_path
from eval.errors import SetError
from eval.measures.length import words_of
from eval.measures.robustness import measure_robustness
from eval.perturbing import CHANGES, load_paraphrases, misspell, pad, shout, strip_marks
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


def test_an_item_that_was_not_asked_plainly_cannot_be_paired() -> None:
    plain, _ = ask_all(FakeTarget(), ITEMS[:1])
    other = [replace(plain[0], item=ITEMS[1])]
    with pytest.raises(KeyError):
        measure_robustness(plain, dict.fromkeys(CHANGES, other))


def test_a_part_of_the_items_may_be_asked_in_other_words() -> None:
    plain, _ = ask_all(FakeTarget(), ITEMS)
    (found,) = measure_robustness(plain, {"paraphrased": plain[3:5]})
    assert (found.figure.value, found.figure.n) == (1.0, 2)


def test_the_shipped_paraphrases_stand_for_items_of_the_development_half() -> None:
    asked = {
        item.id: item.question for name in ("answers", "triage") for item in load_set(shipped_path(name, "dev")).items
    }
    found = load_paraphrases()
    assert len(found) >= 60
    assert found.keys() <= asked.keys()
    for name, question in found.items():
        before, after = (set(words_of(text.lower())) for text in (asked[name], question))
        assert len(before & after) / len(before | after) < 0.8, name  # other words, not another order


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"of": "a"}', '{"of": "a", "question": " "}', '{"of": "a", "question": 3}']
)
def test_a_faulty_paraphrase_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"of": "b", "question": "q"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(SetError, match=r"p\.jsonl:2: "):
        load_paraphrases(path)
    path.write_text('{"of": "b", "question": "q"}\n' * 2, encoding="utf-8")
    with pytest.raises(SetError, match="has a line already"):
        load_paraphrases(path)
