import numpy as np
import pytest
from numpy.typing import NDArray

from service.clustering import centre, group, unit


def around(axes: list[int], seed: int = 3) -> NDArray[np.float64]:
    """Return unit vectors, each near the axis that is named for it."""
    noise = np.random.default_rng(seed).normal(scale=0.08, size=(len(axes), 32))
    return unit(np.eye(32)[axes] + noise)


def parts(groups: NDArray[np.int64]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(groups == number).tolist()) for number in set(groups.tolist())}


def test_what_is_near_is_one_group() -> None:
    assert parts(group(around([0, 1, 0, 2, 1, 0, 2, 1]))) == {
        frozenset({0, 2, 5}),
        frozenset({1, 4, 7}),
        frozenset({3, 6}),
    }


def test_a_row_by_itself_stays_by_itself() -> None:
    assert parts(group(around([0, 0, 0, 0, 0, 9]))) == {frozenset(range(5)), frozenset({5})}


def test_the_order_of_rows_changes_nothing() -> None:
    vectors = around([0, 1, 2, 3] * 6)
    order = np.random.default_rng(1).permutation(24)
    moved = {frozenset(int(order[row]) for row in rows) for rows in parts(group(vectors[order]))}
    assert moved == parts(group(vectors))
    assert len(moved) == 4


@pytest.mark.parametrize(("rows", "groups"), [(0, []), (1, [1])])
def test_few_rows_are_no_fault(rows: int, groups: list[int]) -> None:
    assert group(around([0] * rows).reshape(rows, 32)).tolist() == groups


def test_centring_takes_out_what_all_share() -> None:
    vectors = np.array([[0.6, 0.8, 0.0], [0.6, 0.0, 0.8], [1.0, 0.0, 0.0]], dtype=np.float32)
    mean = np.array([0.6, 0.0, 0.0], dtype=np.float32)
    expected = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    np.testing.assert_allclose(centre(vectors, mean), expected, atol=1e-6)
    same = np.array([[1.0, 0.0]], dtype=np.float32)
    np.testing.assert_array_equal(centre(same, same[0]), [[1.0, 0.0]])
