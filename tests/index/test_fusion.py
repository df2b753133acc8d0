from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.fusion import LEXICAL_SHARE, MANY_WORDS, fuse
from index.hits import Hit, ranked
from tests.drilling import PROPERTY

RUN = st.lists(st.integers(0, 30), unique=True, max_size=12).map(
    lambda rows: [Hit(row, 1.0 - rank / 100, rank) for rank, row in enumerate(rows, start=1)]
)
RUNS = st.lists(RUN, max_size=4)


def _run(**scores: float) -> list[Hit]:
    """Make a run of rows named by one letter, best first."""
    return ranked([(ord(name), score) for name, score in scores.items()])


def _letters(hits: list[Hit]) -> str:
    return "".join(chr(hit.row) for hit in hits)


def test_scores_are_the_ones_worked_by_hand() -> None:
    # a: .8; b: .5 + .2 * 4/4; c: not among the nearest, so .5 as the last there, and .2 * 2/4.
    fused = fuse([_run(a=0.8, b=0.5)], _run(b=4.0, c=2.0), 3)
    assert _letters(fused) == "abc"
    assert [hit.score for hit in fused] == pytest.approx([0.8, 0.5 + LEXICAL_SHARE, 0.5 + LEXICAL_SHARE / 2])
    assert [hit.rank for hit in fused] == [1, 2, 3]


def test_of_several_searches_by_vectors_the_mean_counts() -> None:
    # a: (.8 + .2) / 2; b: (.6 + .6) / 2; c: the last of the first search, .6, and .2.
    fused = fuse([_run(a=0.8, b=0.6), _run(b=0.6, a=0.2, c=0.2)], [], 3)
    assert _letters(fused) == "bac"
    assert [hit.score for hit in fused] == pytest.approx([0.6, 0.5, 0.4])


def test_a_wide_lead_outweighs_a_rank() -> None:
    assert _letters(fuse([_run(a=0.9, b=0.3)], _run(b=1.0), 3)) == "ab"
    assert _letters(fuse([_run(a=0.9, b=0.8)], _run(b=1.0), 3)) == "ba"


def test_the_words_of_a_long_question_count_for_less() -> None:
    for words, share in ((MANY_WORDS, LEXICAL_SHARE), (4 * MANY_WORDS, LEXICAL_SHARE / 4)):
        assert fuse([_run(a=0.5)], _run(a=7.0), words)[0].score == pytest.approx(0.5 + share)


def test_equal_scores_keep_the_order_of_rows() -> None:
    fused = fuse([_run(d=0.7, b=0.5, c=0.3), _run(c=0.7, d=0.5, b=0.3), _run(b=0.7, c=0.5, d=0.3)], [], 3)
    assert _letters(fused) == "bcd"
    assert len({hit.score for hit in fused}) == 1


def test_nothing_fuses_to_nothing() -> None:
    assert fuse([], [], 0) == []
    assert fuse([[], []], [], 0) == []
    assert _letters(fuse([[]], _run(a=2.0, b=1.0), 3)) == "ab"


@pytest.mark.drill("R11")
@PROPERTY
@given(RUNS, RUN)
def test_every_row_comes_back_once_ordered_and_ranked(dense: list[list[Hit]], lexical: list[Hit]) -> None:
    fused = fuse(dense, lexical, 3)
    assert sorted(hit.row for hit in fused) == sorted({hit.row for run in (*dense, lexical) for hit in run})
    assert fused == ranked([(hit.row, hit.score) for hit in fused])


@pytest.mark.drill("R11")
@PROPERTY
@given(RUNS, RUN, st.randoms(use_true_random=False))
def test_the_order_of_searches_does_not_matter(dense: list[list[Hit]], lexical: list[Hit], random: Random) -> None:
    shuffled = list(dense)
    random.shuffle(shuffled)
    assert fuse(shuffled, lexical, 3) == fuse(dense, lexical, 3)


@pytest.mark.drill("R11")
@PROPERTY
@given(RUNS, RUN)
def test_a_row_that_is_above_another_in_every_list_stays_above(dense: list[list[Hit]], lexical: list[Hit]) -> None:
    ranks = [{hit.row: hit.rank for hit in run} for run in (*dense, lexical)]
    position = {hit.row: hit.rank for hit in fuse(dense, lexical, 3)}
    for upper, upper_at in position.items():
        for lower, lower_at in position.items():
            if all(upper in rank and lower in rank and rank[upper] < rank[lower] for rank in ranks):
                assert upper_at < lower_at


@pytest.mark.drill("R11")
@PROPERTY
@given(RUNS, RUN)
def test_the_scale_of_the_search_by_words_does_not_count(dense: list[list[Hit]], lexical: list[Hit]) -> None:
    rescaled = [Hit(hit.row, hit.score * 1024, hit.rank) for hit in lexical]
    assert fuse(dense, rescaled, 3) == fuse(dense, lexical, 3)
