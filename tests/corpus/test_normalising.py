import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.normalising import normalise
from tests.corpus.strategies import texts
from tests.drilling import PROPERTY


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("one\x0btwo\x0cthree\x85four\u2028five\u2029six", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("a\u00a0b\u3000c\t d", "a b c d"),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("one  \n  two", "one\ntwo"),
        ("e\u0301tirer", "étirer"),
        ("NU\x00L and \x1bescape", "NUL and escape"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("bidi \u202eevil\u202c", "bidi evil"),
        ("\ufeffmark", "mark"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("😀 שלום", "😀 שלום"),
    ],
)
def test_text_is_stored_in_one_form(raw: str, clean: str) -> None:
    assert normalise(raw) == clean


@pytest.mark.drill("R11")
@PROPERTY
@given(st.one_of(texts, st.text()))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@pytest.mark.drill("R11")
@PROPERTY
@given(st.one_of(texts, st.text()))
def test_normal_text_has_nothing_that_hides_or_cannot_be_stored(text: str) -> None:
    clean = normalise(text)
    assert unicodedata.is_normalized("NFC", clean)
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert not {character for character in clean if unicodedata.category(character) in {"Cc", "Cs"}} - {"\n"}
    assert not {"\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad"} & set(clean)
    assert "\n\n\n" not in clean
    assert all(line == line.strip() for line in clean.split("\n"))
