"""Ages, times, fevers and pulses."""

import pytest

from service.triage.loading import Rules
from service.triage.normalising import split_words
from service.triage.quantities import find_quantities, number_of


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("I'm 71", {"older"}),
        ("im 15 and", {"child"}),
        ("the twins are 7 and", {"child"}),
        ("she is thirty-four", {"adult"}),
        ("my nan, 83, fell", {"older", "very_old"}),
        ("a seventy one year old", {"older"}),
        ("my boy of 10 years", {"child"}),
        ("81, bent down", {"older", "very_old"}),
        ("40 year old woman", {"adult"}),
        ("in her late fifties", {"older"}),
        ("for 10 years", set()),
        ("I'm 20 weeks along", set()),
        ("came off at 50 mph", set()),
        ("did 15 squats", set()),
        ("I'm 12 stone", set()),
    ],
)
def test_an_age_is_told_from_other_numbers(rules: Rules, text: str, names: set[str]) -> None:
    found = find_quantities(split_words(text, rules.spelling, {}))
    assert found.keys() & {"child", "adult", "older", "very_old"} == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("for 4 days", {"days"}),
        ("I'm 22 weeks, wee burns", {"week", "weeks", "gestation"}),
        ("I'm 22 weeks post op", {"week", "weeks"}),
        ("im 39 yrs old, no fever", set()),
        ("ten days", {"days", "week"}),
        ("a couple of weeks", {"week", "weeks"}),
        ("six weeks now", {"week", "weeks"}),
        ("a fortnight", {"weeks"}),
        ("two days", set()),
        ("five days ago", set()),
        ("12 yrs ago", {"years_ago"}),
        ("every 3 months", set()),
        ("for about 9 hours", {"hours"}),
        ("in 1998", {"past_year"}),
        ("temp 39.8", {"hot"}),
        ("temperature of 38", {"hot"}),
        ("38 squats", set()),
        ("hr 140", {"fast_pulse"}),
    ],
)
def test_times_fevers_and_pulses_are_found(rules: Rules, text: str, names: set[str]) -> None:
    found = find_quantities(split_words(text, rules.spelling, {}))
    assert found.keys() - {"number", "many", "adult", "child", "older", "very_old"} == names


@pytest.mark.parametrize(
    ("token", "value"),
    [("12", 12.0), ("38,5", 38.5), ("seven", 7.0), ("back", None), ("12345678", None), ("²", None), ("1.2.3", None)],
)
def test_a_number_is_read_in_figures_and_words(token: str, value: float | None) -> None:
    assert number_of(token) == value
