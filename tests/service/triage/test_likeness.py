"""The second reader: what it counts, what it leaves out, what it adds and what it doubts."""

from collections import Counter
from dataclasses import replace
from math import sqrt

import pytest

from service.triage.likeness import Features, find_likeness, pieces_of, weigh_word
from service.triage.loading import Rules
from service.triage.records import Level
from service.triage.screening import screen
from service.triage.turns import read_turn
from service.triage.weights import BIAS, Weights

_CHOICE = {BIAS: {"RF01": 0.0, "RF07": -1.0, "emergency": 0.0, "today": -2.0, "soon": -2.0}}


def _weights(
    alarm: dict[str, float], alarm_from: float = 1.0, choice: dict[str, dict[str, float]] | None = None
) -> Weights:
    named = {
        feature: " ".join(f"{name}:{weight}" for name, weight in weights.items())
        for feature, weights in {**_CHOICE, **(choice or {})}.items()
    }
    return Weights({}, {BIAS: 0.0, **alarm}, named, alarm_from)


def test_words_pairs_and_concepts_are_taken_once_with_their_marks(rules: Rules) -> None:
    features = Features(read_turn("cold legs, cold legs", 0, rules))
    (window,) = features.windows()
    named = features.named_in(*window)
    assert {"cold", "legs", "cold legs", "<leg>", "<legs>"} <= named
    assert features.size(*window) == sqrt(2 + 8)


def test_numbers_keep_their_length_only(rules: Rules) -> None:
    assert Features(read_turn("for 41 or 120 of 7", 0, rules)).words == ["for", "00", "or", "000", "of", "0"]


@pytest.mark.parametrize("text", ["No fever.", "no numbness", "Hello, thank you so much."])
def test_what_is_denied_and_courtesy_leave_nothing(rules: Rules, text: str) -> None:
    features = Features(read_turn(text, 0, rules))
    assert (list(features.windows()), features.concepts) == ([], [])


def test_what_is_asked_in_general_is_marked(rules: Rules) -> None:
    assert "general:tingling" in Features(read_turn("What causes tingling?", 0, rules)).words


def test_pieces_of_a_word_know_its_ends_and_not_its_mark() -> None:
    assert pieces_of("past:numb") == [
        "~^nu", "~num", "~umb", "~mb$", "~^num", "~numb", "~umb$", "~^numb", "~numb$",
    ]  # fmt: skip


def test_windows_hold_whole_sentences_and_cover_the_text(rules: Rules) -> None:
    text = " ".join(f"{'word ' * 24}end{number}." for number in range(6))
    windows = list(Features(read_turn(text, 0, rules)).windows())
    assert windows == [(0, 50), (25, 75), (50, 100), (75, 125), (100, 150)] or windows[0][0] == 0
    assert windows[-1][1] == 150


def test_the_score_is_the_sum_of_all_features_over_the_root_of_the_words(rules: Rules) -> None:
    alarm = {"dead": 2.0, "cheeks dead": 1.5, "~dea": 0.5, "~eek": 0.25, "<leg>": 9.0}
    found = find_likeness(read_turn("cheeks dead", 0, rules), _weights(alarm))
    assert found is not None
    assert found.score == pytest.approx((2.0 + 1.5 + 0.5 + 0.25) / sqrt(2 + 8))


def test_the_shipped_sum_equals_the_features_times_their_weights(rules: Rules) -> None:
    assert rules.weights is not None
    text = "arse cheeks are like cotton wool since I shifted that piano"
    features = Features(read_turn(text, 0, rules))
    (window,) = features.windows()
    counts = Counter(features.named_in(*window))
    for word in features.words_in(*window):
        counts.update(pieces_of(word))
    table = rules.weights.alarm
    expected = (
        sum(table.get(name, 0.0) * count for name, count in counts.items()) / features.size(*window) + table[BIAS]
    )
    found = find_likeness(read_turn(text, 0, rules), replace(rules.weights, alarm_from=-100.0, seen={}))
    assert found is not None
    assert found.score == pytest.approx(expected)


def test_a_sign_in_the_middle_of_a_long_story_is_found(rules: Rules) -> None:
    story = "We walked to the shops and talked about the garden. " * 20
    weights = _weights({"cotton": 5.0, "walked": -3.0, "garden": -3.0})
    found = find_likeness(read_turn(f"{story}All cotton wool. {story}", 0, rules), weights)
    assert found is not None
    assert found.rules == ["RF01", "RF07"]


def test_small_talk_is_left_out_and_never_the_whole_message(rules: Rules) -> None:
    weights = _weights({"cotton": 5.0, "flat": 4.0, "walked": -3.0})
    talk = "We walked to the shops."
    alone = find_likeness(read_turn("All cotton wool.", 0, rules), weights)
    beside = find_likeness(read_turn(f"{talk} All cotton wool. {talk}", 0, rules), weights)
    assert alone is not None
    assert beside is not None
    assert beside.score == alone.score
    only_talk = find_likeness(read_turn(talk, 0, rules), weights)
    assert only_talk is not None
    assert only_talk.score == pytest.approx(-3.0 / sqrt(5 + 8))


def test_the_memory_of_words_is_used_and_emptied(rules: Rules) -> None:
    weights = _weights({"numb": 1.0})
    assert (weigh_word("numb", weights), weights.seen) == (1.0, {"numb": 1.0})
    weights.seen.update({f"word{number}": 0.0 for number in range(50_001)})
    find_likeness(read_turn("cotton wool", 0, rules), weights)
    assert len(weights.seen) == 2


def test_an_alarm_by_likeness_says_so_and_shows_the_words_that_weighed_most(rules: Rules) -> None:
    learnt = replace(rules, weights=_weights({"marble": 9.0, "statue": 5.0}))
    notice = screen("Since Monday a marble statue stands there", learnt)
    assert notice is not None
    match = notice.rules[0]
    assert (match.id, match.by, match.level, match.matched) == ("RF01", "likeness", Level.EMERGENCY, "marble statue")


_KICK = "I fell off a ladder with a marble statue in both hands on Friday and my back hurts."


def _doubting(rules: Rules, below: float, alarm: dict[str, float] | None = None) -> Rules:
    return replace(rules, weights=replace(_weights(alarm or {"marble": -9.0}, alarm_from=50.0), doubt_below=below))


def test_an_emergency_that_a_rule_finds_is_never_doubted(rules: Rules) -> None:
    notice = screen(_KICK, _doubting(rules, 100.0))
    assert notice is not None
    assert (notice.level, notice.rules[0].id, notice.rules[0].by) == (Level.EMERGENCY, "RF05", "rule")


def test_a_doubted_match_below_an_emergency_leaves_nothing(rules: Rules) -> None:
    text = "Since the marble statue came my sciatica has been playing up on Tuesdays and on Sundays too."
    kept, doubted = (screen(text, _doubting(rules, below)) for below in (-9.0, -1.0))
    assert kept is not None
    assert kept.level is Level.SOON
    assert doubted is None


def test_a_short_message_is_never_doubted(rules: Rules) -> None:
    notice = screen("my sciatica is marble", _doubting(rules, 100.0))
    assert notice is not None
    assert notice.level is Level.SOON


def test_a_stricter_alarm_of_another_rule_is_added_and_a_milder_one_is_not(rules: Rules) -> None:
    text = "my sciatica is playing up beside the marble statue"
    stricter = {BIAS: {"RF01": 1.0, "RF19": -9.0, "emergency": 1.0, "today": -2.0, "soon": -2.0}}
    milder = {BIAS: {"RF01": -9.0, "RF19": 1.0, "emergency": -2.0, "today": -2.0, "soon": 1.0}}
    found = [
        [(match.id, match.by) for match in notice.rules] if (notice := screen(text, learnt)) else None
        for learnt in (
            replace(rules, weights=_weights({"marble": 50.0}, choice=choice)) for choice in (stricter, milder)
        )
    ]
    assert found == [[("RF01", "likeness"), ("RF17", "rule")], [("RF17", "rule")]]


def test_within_a_rule_its_conditions_say_how_strict_it_is(rules: Rules) -> None:
    choice = {BIAS: {"RF05": 9.0, "RF19": -9.0, "emergency": 9.0, "today": -9.0, "soon": -9.0}}
    learnt = replace(rules, weights=_weights({"bumped": 50.0}, choice=choice))
    notice = screen("i bumped my lower back on a table five days ago, only lightly, still sore", learnt)
    assert notice is not None
    assert (notice.level, notice.rules[0].id, notice.rules[0].by) == (Level.TODAY, "RF05", "rule")


def test_an_emergency_of_a_rule_is_never_lowered(rules: Rules) -> None:
    choice = {BIAS: {"RF01": -9.0, "RF19": 9.0, "emergency": -9.0, "today": -9.0, "soon": 9.0}}
    text = "My back hurts and I can't pee."
    loud = replace(rules, weights=_weights({"pee": 50.0}, choice=choice))
    assert screen(text, loud) == screen(text, replace(rules, weights=None))


def test_the_level_is_one_of_the_rule_and_a_modifier_raises_it(rules: Rules) -> None:
    choice = {BIAS: {"RF01": -9.0, "RF17": 5.0, "emergency": -3.0, "today": 0.0, "soon": 3.0}}
    learnt = replace(rules, weights=_weights({"marble": 9.0}, choice=choice))
    levels = [
        (notice.rules[0].id, notice.level.value) if (notice := screen(text, learnt)) else None
        for text in ("a marble statue", "I take warfarin. A marble statue")
    ]
    assert levels == [("RF17", "soon"), ("RF17", "today")]


def test_an_urgent_likeness_of_an_earlier_turn_still_counts(rules: Rules) -> None:
    learnt = replace(rules, weights=_weights({"marble": 9.0}))
    notice = screen("Which cushion is good?", learnt, ["a marble statue"])
    assert notice is not None
    assert (notice.rules[0].turn, notice.rules[0].by) == (-1, "likeness")


@pytest.mark.parametrize(
    "text",
    [
        "my back hurts", "back ache", "hello", "purple tuesday banana", "", "?!", "my back is killing me since yesterday",
        "my husband's back has been stiff after gardening", "sore back since the gym", "woke with a tight back on friday",
    ],
)  # fmt: skip
def test_plain_words_raise_no_alarm(rules: Rules, text: str) -> None:
    assert screen(text, rules) is None


def test_an_emergency_of_an_earlier_turn_is_not_hidden_by_a_milder_likeness(rules: Rules) -> None:
    choice = {
        BIAS: {"RF01": -1.0, "RF19": -1.0, "emergency": 0.0, "today": -2.0, "soon": 0.0},
        "marble": {"RF01": 9.0},
        "granite": {"RF19": 9.0},
    }
    learnt = replace(rules, weights=_weights({"marble": 9.0, "granite": 9.0}, choice=choice))
    notice = screen("a granite step", learnt, ["a marble statue"])
    assert notice is not None
    assert [(match.id, match.level.value, match.turn) for match in notice.rules] == [
        ("RF01", "emergency", -1),
        ("RF19", "soon", 0),
    ]
