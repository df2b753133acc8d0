"""The phrase language of the rules file."""

import pytest

from service.triage.errors import RulesError
from service.triage.phrases import Element, parse_phrase, words_of


def test_words_gaps_and_concepts_are_read() -> None:
    assert parse_phrase("<cannot> _2 pee|wee* @days", "here") == [
        (Element("<cannot>", 0), Element("pee|wee*", 2), Element("@days", 0))
    ]


def test_an_optional_word_gives_two_rows() -> None:
    assert parse_phrase("my? back", "here") == [(Element("back", 0),), (Element("my", 0), Element("back", 0))]


def test_a_concept_among_words_gives_a_row_of_its_own() -> None:
    assert parse_phrase("loo|<urinate>", "here") == [(Element("loo", 0),), (Element("<urinate>", 0),)]


def test_only_alternatives_have_words() -> None:
    assert (words_of("a|b*"), words_of("<a>"), words_of("@days")) == (("a", "b*"), (), ())


@pytest.mark.parametrize("phrase", ["", "my?", "can't pee", "<back", "a? b? c? d? e? f", "(x)"])
def test_what_cannot_be_read_is_refused_with_its_place(phrase: str) -> None:
    with pytest.raises(RulesError) as refused:
        parse_phrase(phrase, "concept back")
    assert refused.value.place == "concept back"
