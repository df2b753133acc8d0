"""Screening is quick, and no text makes it slow: its cost grows with the length and nothing else.

Processor time is measured, the best of several runs, so that a busy machine does not fail the suite.
"""

import time

import pytest

from service.triage.loading import Rules
from service.triage.screening import screen

_QUESTION = (
    "My lower back has been hurting since Tuesday when I lifted a heavy box at work and now my left leg feels a bit "
    "tingly, I have no fever and no numbness between my legs, what should I do about it please"
)
_STORY = (
    "I am forty and work in an office near the river. On Sundays I walk with two friends and we talk about the garden. "
    "My back was stiff after the long drive and it feels tight when I bend. I tried a warm bath and slept well. "
)
_HOSTILE = {
    "one word": "numb ",
    "a sign": "can't pee ",
    "half a sign": "can't ",
    "cue after cue": "no not never without ",
    "places and feelings": "groin numb ",
    "many gaps": "not feel my ",
    "suppositions": "what if suicide ",
    "questions": "what is how why ",
    "numbers": "12 weeks 40 years 39.5 ",
    "commas": "no numbness, ",
    "no blanks": "numb",
    "apostrophes": "a'",
    "quotes": "''''",
    "marks": "?!.,",
    "newlines": "\n",
    "long ago": "years ago fine now ",
    "slips": "numbnesss weaknes tinglng ",
}


def _best_ms(text: str, rules: Rules, runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        begun = time.process_time()
        screen(text, rules)
        best = min(best, time.process_time() - begun)
    return best * 1000


def test_a_question_of_forty_words_takes_at_most_two_milliseconds(rules: Rules) -> None:
    assert 40 <= len(_QUESTION.split()) <= 45
    assert _best_ms(_QUESTION, rules, 30) <= 2


def test_two_thousand_words_take_at_most_twenty_milliseconds(rules: Rules) -> None:
    text = " ".join((_STORY * 60).split()[:2000])
    assert _best_ms(text, rules, 10) <= 20


@pytest.mark.parametrize("name", sorted(_HOSTILE))
def test_hostile_texts_cost_no_more_than_their_length(rules: Rules, name: str) -> None:
    part = _HOSTILE[name]
    short, long = part * (6000 // len(part)), part * (48_000 // len(part))
    small, large = _best_ms(short, rules, 3), _best_ms(long, rules, 2)
    assert large <= 8 * small * 2.5 + 20
