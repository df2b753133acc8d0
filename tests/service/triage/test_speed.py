"""Screening is quick, and no text makes it slow: its cost grows with the length and nothing else.

By day calls are counted, which no busy machine changes; by night processor time is measured, the best of several runs.
"""

import sys
import time
from collections.abc import Callable
from types import FrameType

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


def _calls(text: str, rules: Rules) -> int:
    """How many functions are called to screen a text whose words are known."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    screen(text, rules)
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        screen(text, rules)
    finally:
        sys.setprofile(before)
    return count


def _best_ms(text: str, rules: Rules, runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        begun = time.process_time()
        screen(text, rules)
        best = min(best, time.process_time() - begun)
    return best * 1000


def test_a_question_of_forty_words_takes_few_calls(rules: Rules) -> None:
    assert 40 <= len(_QUESTION.split()) <= 45
    assert _calls(_QUESTION, rules) <= 6_000


@pytest.mark.parametrize("name", ["a story", *sorted(_HOSTILE)])
def test_the_work_grows_with_the_length_alone(rules: Rules, name: str) -> None:
    part = _HOSTILE.get(name, _STORY)
    short, long = (_calls(part * (size // len(part)), rules) for size in (3_000, 12_000))
    assert long <= 4.4 * short + 1_000


@pytest.mark.night
@pytest.mark.drill("R11")
def test_forty_words_take_two_milliseconds_and_two_thousand_twenty(
    rules: Rules, record_property: Callable[[str, object], None]
) -> None:
    story = " ".join((_STORY * 60).split()[:2000])
    took = [_best_ms(_QUESTION, rules, 100), _best_ms(story, rules, 20)]
    record_property("screening 40 and 2,000 words", " and ".join(f"{one:.1f} ms" for one in took))
    assert took[0] <= 2
    assert took[1] <= 20


@pytest.mark.night
@pytest.mark.drill("R11")
@pytest.mark.parametrize("name", sorted(_HOSTILE))
def test_hostile_texts_take_no_longer_than_their_length(rules: Rules, name: str) -> None:
    part = _HOSTILE[name]
    short, long = part * (6000 // len(part)), part * (48_000 // len(part))
    small, large = _best_ms(short, rules, 3), _best_ms(long, rules, 2)
    assert large <= 8 * small * 2.5 + 20
