import math

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.measures.retrieval import (
    average_precision_at,
    measure_retrieval,
    ndcg_at,
    rank_of_right_source,
    ranking_of,
    recall_at,
    reciprocal_rank_at,
    success_at,
)
from eval.records import Reply
from tests.eval.measures.replies import FAILED, decline, exchange, question

RANKING = ["x", "b", "y", "a", "z"]
GRADES = {"a": 3, "b": 1, "c": 2, "x": 0}


def test_hand_worked_values() -> None:
    assert success_at(RANKING, GRADES, 1) == 0.0
    assert success_at(RANKING, GRADES, 2) == 1.0
    assert recall_at(RANKING, GRADES, 3) == pytest.approx(1 / 3)
    assert recall_at(RANKING, GRADES, 5) == pytest.approx(2 / 3)
    assert reciprocal_rank_at(RANKING, GRADES, 5) == 0.5
    assert reciprocal_rank_at(RANKING, GRADES, 1) == 0.0
    assert average_precision_at(RANKING, GRADES, 5) == pytest.approx((1 / 2 + 2 / 4) / 3)
    ideal = 3 + 2 / math.log2(3) + 1 / 2
    assert ndcg_at(RANKING, GRADES, 5) == pytest.approx((1 / math.log2(3) + 3 / math.log2(5)) / ideal)


def test_nothing_relevant_and_nothing_found_score_zero() -> None:
    for measure in (success_at, recall_at, reciprocal_rank_at, average_precision_at, ndcg_at):
        assert measure([], {"a": 1}, 10) == 0.0
        assert measure(["a"], {}, 10) == 0.0


names = st.sampled_from([f"p{place}" for place in range(30)])


@settings(max_examples=60, deadline=None)
@given(
    ranking=st.lists(names, unique=True, max_size=30),
    grades=st.dictionaries(names, st.integers(0, 4), min_size=1, max_size=20),
    k=st.sampled_from([1, 3, 5, 10, 20]),
)
def test_values_agree_with_ir_measures(ranking: list[str], grades: dict[str, int], k: int) -> None:
    if not any(grades.values()):
        grades = {**grades, "p0": 1}
    run = [ir_measures.ScoredDoc("q", name, -float(rank)) for rank, name in enumerate(ranking)]
    qrels = [ir_measures.Qrel("q", name, grade) for name, grade in grades.items()]
    measures = {
        ir_measures.Success @ k: success_at,
        ir_measures.R @ k: recall_at,
        ir_measures.RR @ k: reciprocal_rank_at,
        ir_measures.AP @ k: average_precision_at,
        ir_measures.nDCG @ k: ndcg_at,
    }
    theirs = ir_measures.calc_aggregate(list(measures), qrels, run)
    for measure, ours in measures.items():
        assert ours(ranking, grades, k) == pytest.approx(theirs[measure], abs=1e-9)


def test_repeated_sources_gain_nothing() -> None:
    found = exchange(question("a", ("right", "also")), Reply("answered", passage_sources=("right", "right", "also")))
    assert ranking_of(found) == ["right", "right#2", "also"]
    assert rank_of_right_source(found) == 1


def test_abstained_and_failed_questions_stay_in_the_mean() -> None:
    exchanges = [
        exchange(question("a1"), Reply("answered", passage_sources=("right",))),
        exchange(question("a2"), Reply("abstained", passage_sources=("wrong", "right"))),
        exchange(question("a3"), FAILED),
        exchange(decline(), Reply("answered", passage_sources=("right",))),
    ]
    found = {one.figure.name: one for one in measure_retrieval(exchanges)}
    assert found["success_at_1"].scores == {"a1": 1.0, "a2": 0.0, "a3": 0.0}
    assert found["success_at_10"].figure.value == pytest.approx(2 / 3)
    assert found["mrr_at_10"].figure.value == pytest.approx(0.5)
    assert found["mrr_at_10"].figure.n == 3
