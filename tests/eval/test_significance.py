import numpy as np
import pytest

from eval.significance import Interval, bca_mean, bootstrap_statistic, exact_upper, paired_randomisation, wilson


def test_wilson_agrees_with_worked_values() -> None:
    found = wilson(8, 10)
    assert (round(found.low, 4), round(found.high, 4)) == (0.4902, 0.9433)


def test_wilson_has_a_width_where_nothing_and_everything_succeeds() -> None:
    none, every = wilson(0, 30), wilson(30, 30)
    assert (none.low, round(none.high, 5)) == (0.0, 0.11351)
    assert (round(every.low, 5), every.high) == (0.88649, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(successes, n)
    with pytest.raises(ValueError, match="is no share"):
        exact_upper(successes, n)


def test_exact_upper_bound_solves_the_binomial_tail() -> None:
    assert exact_upper(0, 30) == pytest.approx(1 - 0.05 ** (1 / 30), abs=1e-12)
    assert exact_upper(30, 30) == 1.0
    # One miss in two: (1-p)^2 + 2p(1-p) = 0.05 has the root p = sqrt(0.95).
    assert exact_upper(1, 2) == pytest.approx(0.95**0.5, abs=1e-12)


@pytest.mark.parametrize("n", [30, 50, 150])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.93])
def test_wilson_covers_the_truth(share: float, n: int) -> None:
    drawn = np.random.default_rng(1).binomial(n, share, size=1000)
    intervals = [wilson(int(successes), n) for successes in drawn]
    assert np.mean([found.low <= share <= found.high for found in intervals]) >= 0.93


SKEWED = np.array([0.0, 0.387, 0.5, 0.63, 1.0])
"""Scores of single questions as nDCG gives them: mostly perfect, some by steps, a few nothing."""
CHANCES = np.array([0.05, 0.03, 0.05, 0.07, 0.8])


@pytest.mark.parametrize("n", [50, 100])
@pytest.mark.parametrize("scores", ["smooth", "skewed"])
def test_bca_covers_the_truth(scores: str, n: int) -> None:
    rng = np.random.default_rng(2)
    if scores == "smooth":
        truth, draws = 5 / 7, rng.beta(5, 2, size=(1000, n))
    else:
        truth, draws = float(SKEWED @ CHANCES), rng.choice(SKEWED, size=(1000, n), p=CHANCES)
    intervals = [bca_mean(row.tolist(), resamples=600, seed=place) for place, row in enumerate(draws)]
    assert np.mean([found.low <= truth <= found.high for found in intervals]) >= 0.93


def test_bca_leans_towards_the_long_tail() -> None:
    values = [0.0] * 45 + [1.0] * 5
    found = bca_mean(values)
    assert found.high - 0.1 > 0.1 - found.low
    assert found == bca_mean(values)


def test_bca_of_equal_values_has_no_width_and_of_none_is_refused() -> None:
    assert bca_mean([0.5, 0.5, 0.5]) == Interval(0.5, 0.5)
    with pytest.raises(ValueError, match="at least one value"):
        bca_mean([])


def test_bootstrap_of_a_statistic_gives_up_where_it_is_mostly_undefined() -> None:
    assert bootstrap_statistic(0, lambda rows: float(rows.mean())) is None
    assert bootstrap_statistic(5, lambda _rows: None) is None
    found = bootstrap_statistic(100, lambda rows: float(rows.mean()))
    assert found is not None
    assert found.low < 49.5 < found.high


def test_a_planted_difference_is_found_and_an_absent_one_is_not() -> None:
    rng = np.random.default_rng(3)
    false_alarms = found = 0
    for place in range(1000):
        base = rng.random(50)
        noise = rng.normal(0, 0.1, 50)
        false_alarms += paired_randomisation(base.tolist(), (base + noise).tolist(), 400, place).p_value <= 0.05
        better = (base + noise + 0.08).tolist()
        found += paired_randomisation(base.tolist(), better, 400, place).p_value <= 0.05
    assert false_alarms <= 60
    assert found >= 990


def test_a_paired_test_counts_wins_and_losses() -> None:
    test = paired_randomisation([0.0, 0.0, 1.0, 0.5], [1.0, 1.0, 0.0, 0.5])
    assert (test.difference, test.wins, test.losses, test.n) == (0.25, 2, 1, 4)
    assert paired_randomisation([1.0], [1.0]).p_value == 1.0
    with pytest.raises(ValueError, match="same questions"):
        paired_randomisation([1.0], [])


def test_six_wins_of_six_have_the_exact_probability() -> None:
    # Of 64 sign patterns, two are as far from zero as six wins: p = 1/32, up to the draw.
    test = paired_randomisation([0.0] * 6, [1.0] * 6, resamples=20_000)
    assert test.p_value == pytest.approx(1 / 32, abs=0.004)
