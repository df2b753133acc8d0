from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.fusion import fuse
from index.hits import Hit, ranked
from tests.drilling import PROPERTY

RUNS = st.lists(
    st.lists(st.integers(0, 30), unique=True, max_size=12).map(
        lambda rows: [Hit(row, 1.0 - rank / 100, rank) for rank, row in enumerate(rows, start=1)]
    ),
    max_size=5,
)


def _run(*rows: int) -> list[Hit]:
    return [Hit(row, 1.0, rank) for rank, row in enumerate(rows, start=1)]


def test_scores_are_the_ones_worked_by_hand() -> None:
    # Row 7: 1/61 + 1/62 = 0.0325225; row 5: 1/62 = 0.0161290; row 3: 1/61 = 0.0163934.
    fused = fuse([_run(7, 5), _run(3, 7)])
    assert [(hit.row, hit.rank) for hit in fused] == [(7, 1), (3, 2), (5, 3)]
    assert [hit.score for hit in fused] == pytest.approx([0.0325225, 0.0163934, 0.0161290], abs=1e-7)


def test_weights_multiply_and_the_constant_damps() -> None:
    # With constant 0: row 1 has 2/1, row 2 has 2/2 + 0.5/1 = 1.5.
    assert fuse([_run(1, 2), _run(2)], [2.0, 0.5], constant=0) == [Hit(1, 2.0, 1), Hit(2, 1.5, 2)]


def test_rows_with_the_same_ranks_in_other_lists_tie_and_keep_row_order() -> None:
    fused = fuse([_run(4, 2, 9), _run(9, 4, 2), _run(2, 9, 4)])
    assert [hit.row for hit in fused] == [2, 4, 9]
    assert len({hit.score for hit in fused}) == 1


def test_nothing_fuses_to_nothing() -> None:
    assert fuse([]) == []
    assert fuse([[], []]) == []


@pytest.mark.parametrize(
    ("weights", "constant", "message"),
    [
        ([1.0], 60, "2 runs but 1 weights"),
        ([1.0, 0.0], 60, "above 0"),
        ([1.0, -1.0], 60, "above 0"),
        ([1.0, 1.0], -1, "not below 0"),
    ],
)
def test_wrong_weights_and_constants_are_refused(weights: list[float], constant: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fuse([_run(1), _run(2)], weights, constant)


@pytest.mark.drill("R11")
@PROPERTY
@given(RUNS)
def test_every_row_comes_back_once_ordered_and_ranked(runs: list[list[Hit]]) -> None:
    fused = fuse(runs)
    assert sorted(hit.row for hit in fused) == sorted({hit.row for run in runs for hit in run})
    assert fused == ranked([(hit.row, hit.score) for hit in fused])


@pytest.mark.drill("R11")
@PROPERTY
@given(RUNS, st.randoms(use_true_random=False))
def test_the_order_of_lists_does_not_matter(runs: list[list[Hit]], random: Random) -> None:
    shuffled = list(runs)
    random.shuffle(shuffled)
    assert fuse(shuffled) == fuse(runs)


@pytest.mark.drill("R11")
@PROPERTY
@given(RUNS)
def test_a_row_that_is_above_another_in_every_list_stays_above(runs: list[list[Hit]]) -> None:
    ranks = [{hit.row: hit.rank for hit in run} for run in runs]
    position = {hit.row: hit.rank for hit in fuse(runs)}
    absent = 10_000
    for upper, upper_at in position.items():
        for lower, lower_at in position.items():
            if all(rank.get(upper, absent) < rank.get(lower, absent) for rank in ranks):
                assert upper_at < lower_at


@pytest.mark.drill("R11")
@PROPERTY
@given(RUNS)
def test_scores_of_the_searchers_do_not_count(runs: list[list[Hit]]) -> None:
    rescaled = [[Hit(hit.row, hit.score * 1000, hit.rank) for hit in run] for run in runs]
    assert fuse(rescaled) == fuse(runs)
