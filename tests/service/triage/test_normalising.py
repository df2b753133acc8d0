"""Words are cut with their offsets; sentences and clauses are marked."""

from hypothesis import given
from hypothesis import strategies as st

from service.triage.normalising import split_words, squeeze, tokens_of

_SPELLING = {"cant": ("can", "not"), "ive": ("i", "have"), "w/o": ("without",), "bk": ("back",)}


def test_one_written_word_may_stand_for_two_plain_ones() -> None:
    words = split_words("I can’t bend.", _SPELLING, {})
    assert words.canon == ["i", "can", "not", "bend"]
    assert [words.text[start:end] for start, end in zip(words.starts, words.ends, strict=True)] == [
        "I",
        "can’t",
        "can’t",
        "bend",
    ]


def test_sentences_clauses_and_questions_are_marked() -> None:
    words = split_words("Numb? No, not now - I think. mid-back", _SPELLING, {})
    assert words.bounds == [(0, 1), (1, 6), (6, 8)]
    assert words.question == {0}
    assert words.comma == [False, False, True, False, True, False, False, False]


def test_numbers_keep_their_decimals_and_lose_their_units() -> None:
    assert split_words("39.5c, 28w and 2 days", _SPELLING, {}).canon == ["39.5", "c", "28", "w", "and", "2", "days"]


def test_text_speak_with_a_stroke_is_one_word() -> None:
    assert split_words("w/o pain", _SPELLING, {}).canon == ["without", "pain"]


def test_letters_written_many_times_are_shortened() -> None:
    assert [squeeze(word) for word in ("soooo", "painnnn", "aaa", "1000", "book")] == [
        "soo",
        "painn",
        "aaa",
        "1000",
        "book",
    ]


def test_case_and_every_apostrophe_are_evened_out() -> None:
    assert {tokens_of(word, _SPELLING) for word in ("CAN'T", "can’t", "Can`t", "cant")} == {("can", "not")}


@given(st.text(max_size=200))
def test_every_token_stands_in_the_text_and_in_order(text: str) -> None:
    words = split_words(text, _SPELLING, {})
    assert all(0 <= start < end <= len(text) for start, end in zip(words.starts, words.ends, strict=True))
    assert words.starts == sorted(words.starts)
    assert [last for _, last in words.bounds][-1:] == ([len(words.canon)] if words.canon else [])
