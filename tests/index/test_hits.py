from index.hits import Hit, ranked


def test_ranks_count_from_one_and_ties_keep_row_order() -> None:
    assert ranked([(3, 0.5), (1, 0.5), (2, 0.9)]) == [Hit(2, 0.9, 1), Hit(1, 0.5, 2), Hit(3, 0.5, 3)]


def test_nothing_ranks_to_nothing() -> None:
    assert ranked([]) == []
