"""Six ways to cheat or to break, each of which must show on the measure that is meant for it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from eval.failures import kind_of_failure
from eval.records import Figure, Item
from eval.running import Target, ask_all, document_reader
from eval.runs import Run, measure_all
from tests.eval.fakes import (
    ITEMS,
    FakeTarget,
    always_abstain,
    always_answer,
    drop_not,
    echo,
    shuffle_citations,
    whole_page,
)

Spoil = Callable[[Item, int, dict[str, Any]], dict[str, Any]]


def measured(target: Target) -> Run:
    exchanges, _ = ask_all(target, ITEMS)
    return measure_all(exchanges, document_reader(target))


def figures(target: Target) -> Mapping[str, Figure]:
    return {figure.name: figure for figure in measured(target).figures}


def test_the_faultless_target_is_faultless() -> None:
    exchanges, _ = ask_all(FakeTarget(), ITEMS)
    assert [kind_of_failure(ex) for ex in exchanges] == [None] * len(ITEMS)
    found = figures(FakeTarget())
    for name in (
        "key_facts_all",
        "right_source_first",
        "sentences_verbatim",
        "quotes_exact",
        "silence_f1",
        "flags_caught",
    ):
        assert found[name].value == 1.0, name


@pytest.mark.parametrize(
    ("spoil", "measure"),
    [
        (shuffle_citations, "sentences_verbatim"),
        (drop_not, "sentences_verbatim"),
        (always_answer, "silence_recall"),
        (always_answer, "risk"),
        (always_abstain, "needless_refusals"),
        (always_abstain, "key_facts_all"),
        (always_abstain, "flags_caught"),
        (whole_page, "words"),
        (whole_page, "redundancy"),
        (echo, "sentences_cited"),
        (echo, "key_facts_all"),
    ],
)
def test_a_saboteur_is_clearly_worse_on_the_right_measure(spoil: Spoil, measure: str) -> None:
    honest, spoilt = figures(FakeTarget())[measure], figures(FakeTarget(spoil=spoil))[measure]
    assert honest.low is not None
    assert honest.high is not None
    assert spoilt.value is not None
    beyond = spoilt.value > honest.high if honest.better == "lower" else spoilt.value < honest.low
    assert beyond, f"{measure}: {spoilt.value} beside {honest.low} to {honest.high}"


def test_dropping_not_breaks_the_answers_that_held_one_and_no_others() -> None:
    honest, spoilt = measured(FakeTarget()), measured(FakeTarget(spoil=drop_not))
    name = "sentences_verbatim"
    broken = [case for case, score in spoilt.scores[name].items() if score < honest.scores[name][case]]
    assert broken
    assert spoilt.scores["key_facts_all"] == honest.scores["key_facts_all"]


def test_questions_that_fail_are_scored_not_dropped() -> None:
    def break_sometimes(_item: Item, place: int, body: dict[str, Any]) -> dict[str, Any]:
        if place % 2:
            raise RuntimeError("out of paper")
        return body

    honest, broken = measured(FakeTarget()), measured(FakeTarget(spoil=break_sometimes))
    for name in ("success_at_1", "key_facts_all", "silence_recall", "needless_refusals", "flags_caught", "mrr_at_10"):
        before, after = honest.figure(name), broken.figure(name)
        assert before is not None
        assert after is not None
        assert after.n == before.n, name
        assert after.value == (0.5 if before.value in {0.0, 1.0} else before.value), name
    assert broken.misses["failed"] == len(ITEMS) // 2


def test_the_same_target_gives_the_same_run_to_the_bit() -> None:
    first, second = measured(FakeTarget()), measured(FakeTarget())
    assert first.figures == second.figures
    assert first.scores == second.scores
    assert first.curves == second.curves
