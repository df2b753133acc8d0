"""Slips are put right, and everyday words stay what they are."""

import pytest

from service.triage.loading import Rules


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("numbnes", "numbness"),
        ("nmubness", "numbness"),
        ("weekness", "weakness"),
        ("stomacch", "stomach"),
        ("swolling", "swelling"),
        ("tinglin", "tingling"),
        ("osteoporosys", "osteoporosis"),
        ("asteroids", "asteroids"),
        ("importance", "importance"),
        ("weather", "weather"),
        ("xyzzyqq", "xyzzyqq"),
        ("bck", "bck"),
    ],
)
def test_a_slip_is_put_right_and_a_word_is_left(rules: Rules, written: str, meant: str) -> None:
    assert rules.speller.correct(written) == meant


def test_everyday_words_are_never_words_of_the_rules(rules: Rules) -> None:
    assert [word for word in ("wedding", "concept", "attach", "sitter") if rules.lexicon.knows(word)] == []


@pytest.mark.parametrize("word", ["𝔫𝔲𝔪𝔟𝔫𝔢𝔰𝔰", "𐐀𐐁𐐂𐐃𐐄𐐅𐐆", "가나다라마바사", "ﬃﬃﬃﬃﬃﬃﬃ", "ναρκωση"])
def test_a_word_in_other_letters_is_left_as_it_is(rules: Rules, word: str) -> None:
    assert rules.speller.correct(word) == word
