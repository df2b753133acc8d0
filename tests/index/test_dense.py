from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.dense import DenseIndex, recall_of
from index.errors import DimensionMismatchError
from index.exact import search_exact
from index.hits import Hit


def _unit(rows: int, dimension: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _assert_equal(actual: list[Hit], expected: list[Hit]) -> None:
    assert [(hit.row, hit.rank) for hit in actual] == [(hit.row, hit.rank) for hit in expected]
    assert [hit.score for hit in actual] == pytest.approx([hit.score for hit in expected], abs=1e-6)


@pytest.mark.parametrize("dimension", [16, 384])
@pytest.mark.parametrize("k", [1, 10, 100, 500])
def test_hits_are_those_of_exact_search(dimension: int, k: int) -> None:
    vectors, queries = _unit(500, dimension, 1), _unit(10, dimension, 2)
    index = DenseIndex.build(vectors)
    for query in queries:
        _assert_equal(index.search(query, k), search_exact(query, vectors, k))


def test_a_filter_acts_before_ranking() -> None:
    vectors, query = _unit(500, 16, 3), _unit(1, 16, 4)[0]
    worst = [hit.row for hit in search_exact(query, vectors, 500)][-20:]
    hits = DenseIndex.build(vectors).search(query, 5, worst)
    assert [hit.row for hit in hits] == worst[:5]
    assert [hit.score for hit in hits] == pytest.approx([float(vectors[row] @ query) for row in worst[:5]], abs=1e-6)
    assert DenseIndex.build(vectors).search(query, 5, np.array(worst)) == hits


def test_a_filter_that_repeats_rows_or_allows_all_of_them_changes_nothing() -> None:
    vectors, query = _unit(50, 16, 5), _unit(1, 16, 6)[0]
    index = DenseIndex.build(vectors)
    assert index.search(query, 50, list(range(50))) == index.search(query, 50)
    assert index.search(query, 50, [7, 7, 3]) == index.search(query, 50, [3, 7])


@pytest.mark.parametrize("halved", [False, True])
@pytest.mark.parametrize("rows", [range(20), range(20, 50), range(50), range(7, 8), range(3, 3)])
def test_a_range_of_rows_is_a_filter_like_any_other(rows: range, *, halved: bool) -> None:
    vectors, query = _unit(50, 16, 5), _unit(1, 16, 6)[0]
    index = DenseIndex.build(vectors, halved=halved)
    assert index.search(query, 9, rows) == index.search(query, 9, list(rows))
    assert len(index.search(query, 9, rows)) == min(9, len(rows))


def test_half_floats_are_right_to_four_places(tmp_path: Path) -> None:
    vectors, queries = _unit(500, 384, 1), _unit(10, 384, 2)
    index = DenseIndex.build(vectors, halved=True)
    index.save(tmp_path / "rows.faiss")
    again = DenseIndex.load(tmp_path / "rows.faiss")
    assert again.kind == index.kind == "flat, half floats"
    assert (tmp_path / "rows.faiss").stat().st_size < 0.6 * vectors.nbytes
    for query in queries:
        hits = again.search(query, 500)
        assert {hit.row for hit in hits} == set(range(500))
        exact = {hit.row: hit.score for hit in search_exact(query, vectors, 500)}
        assert max(abs(hit.score - exact[hit.row]) for hit in hits) < 1e-4


def test_a_filter_that_allows_nothing_finds_nothing() -> None:
    assert DenseIndex.build(_unit(5, 16, 7)).search(_unit(1, 16, 8)[0], 3, []) == []


@pytest.mark.parametrize("rows", [[5], [-1], [0, 99], range(6), range(-1, 2), range(5, 9)])
def test_a_filter_that_names_a_row_that_is_not_there_is_refused(rows: Sequence[int]) -> None:
    with pytest.raises(IndexError, match=r"\[0, 5\)"):
        DenseIndex.build(_unit(5, 16, 7)).search(_unit(1, 16, 8)[0], 3, rows)


@pytest.mark.parametrize("k", [1, 3, 99, 100, 101, 250])
@pytest.mark.parametrize("dimension", [16, 384])
def test_of_rows_that_tie_the_first_come_back(k: int, dimension: int) -> None:
    same = np.repeat(_unit(1, dimension, 9), 300, axis=0)
    query = _unit(1, dimension, 10)[0]
    assert [hit.row for hit in DenseIndex.build(same).search(query, k)] == list(range(k))
    odd = list(range(1, 300, 2))
    assert [hit.row for hit in DenseIndex.build(same).search(query, k, odd)] == odd[:k]


def test_ties_behind_better_rows_keep_row_order_too() -> None:
    query = _unit(1, 384, 11)[0]
    tied = np.repeat(_unit(1, 384, 12), 400, axis=0)
    tied[399] = query
    hits = DenseIndex.build(tied).search(query, 150)
    assert [hit.row for hit in hits] == [399, *range(149)]


def test_k_beyond_the_rows_returns_every_row_once() -> None:
    vectors = _unit(7, 16, 13)
    assert sorted(hit.row for hit in DenseIndex.build(vectors).search(vectors[0], 1000)) == list(range(7))


def test_scores_are_cosines_within_their_range() -> None:
    vectors = _unit(200, 384, 14)
    index = DenseIndex.build(vectors)
    for row in range(200):
        best = index.search(vectors[row], 1)[0]
        assert best.row == row
        assert best.score == pytest.approx(1.0, abs=1e-6)
        assert best.score <= 1.0


def test_cosines_of_named_rows_agree_with_search() -> None:
    vectors, query = _unit(60, 384, 15), _unit(1, 384, 16)[0]
    index = DenseIndex.build(vectors)
    hits = index.search(query, 60)
    assert index.cosines(query, [hit.row for hit in hits]).tolist() == pytest.approx(
        [hit.score for hit in hits], abs=1e-6
    )
    assert index.cosines(query, []).tolist() == []


def test_stored_vectors_come_back_in_the_order_asked_for() -> None:
    vectors = _unit(6, 16, 17)
    assert np.array_equal(DenseIndex.build(vectors).vectors([4, 0, 4]), vectors[[4, 0, 4]])


def test_an_index_survives_saving(tmp_path: Path) -> None:
    vectors, query = _unit(50, 16, 18), _unit(1, 16, 19)[0]
    index = DenseIndex.build(vectors)
    index.save(tmp_path / "a.faiss")
    loaded = DenseIndex.load(tmp_path / "a.faiss")
    loaded.save(tmp_path / "b.faiss")
    assert (len(loaded), loaded.dimension) == (50, 16)
    assert np.array_equal(loaded.vectors(range(50)), vectors)
    assert loaded.search(query, 10) == index.search(query, 10)
    assert (tmp_path / "a.faiss").read_bytes() == (tmp_path / "b.faiss").read_bytes()


def test_an_empty_index_finds_nothing_and_survives_saving(tmp_path: Path) -> None:
    DenseIndex.build(np.zeros((0, 16), dtype=np.float32)).save(tmp_path / "empty.faiss")
    empty = DenseIndex.load(tmp_path / "empty.faiss")
    assert (len(empty), empty.dimension, empty.search(_unit(1, 16, 20)[0], 3)) == (0, 16, [])


def test_vectors_and_queries_that_are_not_of_unit_length_are_refused() -> None:
    with pytest.raises(ValueError, match="vector 1 has length 2"):
        DenseIndex.build(np.array([[1, 0], [0, 2]], dtype=np.float32))
    index = DenseIndex.build(_unit(5, 16, 21))
    with pytest.raises(ValueError, match="unit length"):
        index.search(np.zeros(16, dtype=np.float32), 1)


def test_k_below_one_and_another_dimension_are_refused() -> None:
    index = DenseIndex.build(_unit(5, 16, 22))
    with pytest.raises(ValueError, match="at least 1, got 0"):
        index.search(_unit(1, 16, 23)[0], 0)
    with pytest.raises(DimensionMismatchError, match="dimension 16, got 8"):
        index.search(_unit(1, 8, 24)[0], 1)


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> tuple[DenseIndex, NDArray[np.float32]]:
    """An index of more rows than are all compared, in groups as passages are."""
    monkeypatch.setattr("index.dense.MOST_FLAT", 1_000)
    middles = _unit(100, 32, 5)
    rows = np.repeat(middles, 40, axis=0) + 0.4 * _unit(4_000, 32, 6)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return DenseIndex.build(rows), rows


def test_above_a_size_rows_lie_in_cells_and_the_recall_is_measured(
    cells: tuple[DenseIndex, NDArray[np.float32]], tmp_path: Path
) -> None:
    index, rows = cells
    assert index.kind.endswith("of 256 cells, half floats")
    assert index.recall is not None
    assert index.recall >= 0.99
    found, wanted = [], []
    for query in rows[7::97]:
        found.append([hit.row for hit in index.search(query, 10)])
        wanted.append([hit.row for hit in search_exact(query, rows, 10)])
    assert recall_of(np.array(found), np.array(wanted)) >= 0.97
    assert index.vectors([3, 5]) == pytest.approx(rows[[3, 5]], abs=1e-3)
    assert DenseIndex.build(rows).search(rows[0], 10) == index.search(rows[0], 10)  # built twice, the same
    index.save(tmp_path / "rows.faiss")
    loaded = DenseIndex.load(tmp_path / "rows.faiss")
    assert (loaded.kind, loaded.recall) == (index.kind, None)
    assert loaded.search(rows[9], 20) == index.search(rows[9], 20)


def test_a_few_allowed_rows_are_all_compared(cells: tuple[DenseIndex, NDArray[np.float32]]) -> None:
    index, rows = cells
    far = [hit.row for hit in search_exact(rows[0], rows, len(rows))][-30:]
    assert {hit.row for hit in index.search(rows[0], 30, far)} == set(far)
    most = np.arange(2_000, 4_000)
    assert all(hit.row >= 2_000 for hit in index.search(rows[2_100], 50, most))
    assert index.search(rows[2_100], 1, most)[0].row == 2_100


def test_rows_without_any_order_stay_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.dense.MOST_FLAT", 100)
    index = DenseIndex.build(_unit(600, 384, 8))
    assert (index.kind, index.recall) == ("flat", 1.0)
