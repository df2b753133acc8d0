import numpy as np
import pytest

from index.errors import DimensionMismatchError
from index.exact import check_unit_length, cosines, search_exact

AXES = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], dtype=np.float32)
EAST = np.array([1, 0], dtype=np.float32)


def test_hits_are_cosines_from_best_to_worst() -> None:
    hits = search_exact(EAST, AXES, 4)
    assert [(hit.row, hit.rank) for hit in hits] == [(0, 1), (2, 2), (1, 3), (3, 4)]
    assert [hit.score for hit in hits] == pytest.approx([1.0, 0.6, 0.0, -1.0])


def test_k_beyond_the_rows_returns_every_row() -> None:
    assert [hit.row for hit in search_exact(EAST, AXES, 99)] == [0, 2, 1, 3]


def test_equal_rows_have_equal_scores_and_keep_their_order_at_every_size() -> None:
    vector = np.random.default_rng(7).normal(size=384).astype(np.float32)
    vector /= np.linalg.norm(vector)
    query = np.roll(vector, 1)
    for rows in range(1, 40):
        hits = search_exact(query, np.repeat(vector[np.newaxis], rows, axis=0), rows)
        assert {hit.score for hit in hits} == {hits[0].score}
        assert [hit.row for hit in hits] == list(range(rows))


def test_cosines_never_leave_their_range() -> None:
    vector = np.full(3, np.sqrt(1 / 3), dtype=np.float32) * np.float32(1.0002)
    assert cosines(vector, vector[np.newaxis]).tolist() == [1.0]
    assert cosines(-vector, vector[np.newaxis]).tolist() == [-1.0]


def test_other_dimensions_are_refused_with_both_numbers() -> None:
    with pytest.raises(DimensionMismatchError, match="dimension 2, got 3") as caught:
        search_exact(np.array([1, 0, 0], dtype=np.float32), AXES, 1)
    assert (caught.value.expected, caught.value.actual) == (2, 3)


def test_k_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        search_exact(EAST, AXES, 0)


@pytest.mark.parametrize("value", [0.0, 2.0, np.nan, np.inf])
def test_a_vector_that_is_not_of_unit_length_is_refused_by_its_row(value: float) -> None:
    vectors = np.array([[1, 0], [0, value]], dtype=np.float32)
    with pytest.raises(ValueError, match="vector 1 has length"):
        check_unit_length(vectors)
    with pytest.raises(ValueError, match="vector 1 has length"):
        search_exact(EAST, vectors, 1)
