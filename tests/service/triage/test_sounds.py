"""Words spelt by ear sound like the word that was meant, and different words sound different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.triage.loading import Rules
from service.triage.sounds import sound_of, sounds_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nife", "knife"),
        ("coffed", "coughed"),
        ("kemo", "chemo"),
        ("brething", "breathing"),
        ("swetty", "sweaty"),
        ("drencht", "drenched"),
        ("shivverin", "shivering"),
        ("ancle", "ankle"),
        ("jondice", "jaundice"),
        ("strate", "straight"),
        ("throte", "throat"),
        ("mussels", "muscles"),
    ],
)
def test_a_word_spelt_by_ear_sounds_like_the_one_meant(written: str, meant: str) -> None:
    assert sound_of(written) in sounds_of(meant)


@pytest.mark.parametrize(("one", "other"), [("back", "belly"), ("numb", "knee"), ("fever", "fall"), ("pee", "poo")])
def test_words_that_differ_to_the_ear_have_different_codes(one: str, other: str) -> None:
    assert set(sounds_of(one)).isdisjoint(sounds_of(other))


def test_a_word_too_long_to_be_one_has_no_code() -> None:
    assert sound_of("a" * 25) == ""


@given(st.text(max_size=60))
def test_any_word_has_a_code(word: str) -> None:
    assert isinstance(sound_of(word), str)


@pytest.mark.parametrize(
    ("written", "meant"), [("mussels", "muscles"), ("nife", "knife"), ("kemo", "chemo"), ("shivverin", "shivering")]
)
def test_the_speller_finds_the_word_by_its_sound(rules: Rules, written: str, meant: str) -> None:
    assert rules.speller.correct(written) == meant
