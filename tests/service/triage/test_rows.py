"""Rows are found where a plain walk over the tokens finds them."""

import random

import pytest

from service.triage.normalising import Words, split_words
from service.triage.phrases import Element
from service.triage.rows import Marks, Places, Row, bits_of, match_row

_NEGATIVE = {"no", "not", "never", "nothing", "without", "none"}


def _row(*elements: tuple[str, int]) -> Row:
    row = tuple(Element(symbol, gap) for symbol, gap in elements)
    return Row(0, "thing", row, frozenset(symbol for symbol, _ in elements), frozenset())


def _read(text: str) -> tuple[Words, Marks]:
    words = split_words(text, {}, {})
    symbols = {word: frozenset({word, "a|b"} if word in {"a", "b"} else {word}) for word in words.canon}
    marks = Marks(words, symbols, words.canon)
    marks.note(marks.present)
    return words, marks


def _found(text: str, row: Row) -> list[tuple[int, int]]:
    words, marks = _read(text)
    return match_row(row, marks, words, {}) if row.words <= marks.present else []


def _walked(words: Words, row: Row) -> list[tuple[int, int]]:
    """The same by looking at every token: the first fitting one within the gap, nothing that parts in between."""
    found = []
    for start, token in enumerate(words.canon):
        if token not in row.elements[0].symbol.split("|"):
            continue
        end: int | None = start + 1
        for symbol, gap in row.elements[1:]:
            assert end is not None
            end = _next(words, end, symbol, gap, denies=token in {"no", "not"})
            if end is None:
                break
        if end is not None:
            found.append((start, end))
    return found


def _next(words: Words, end: int, symbol: str, gap: int, *, denies: bool) -> int | None:
    for place in range(end, min(end + gap + 1, len(words.canon))):
        if words.sentence[place] != words.sentence[end - 1]:
            return None
        if words.canon[place] in symbol.split("|"):
            return None if words.comma[place] and place != end else place + 1
        if words.comma[place] or words.canon[place] in _NEGATIVE or (denies and words.canon[place] == "trouble"):
            return None
    return None


def test_random_rows_stand_where_a_walk_finds_them() -> None:
    chance = random.Random(20261130)  # noqa: S311 - a fixed seed, not a secret
    tokens = ["a", "b", "c", "x", "x", "no", "not", "trouble", ",", "."]
    symbols = ["a", "b", "c", "a|b", "no", "not"]
    hits = 0
    for _ in range(2_000):
        text = " ".join(chance.choices(tokens, k=chance.randint(3, 40)))
        row = _row(*((chance.choice(symbols), chance.randint(0, 4)) for _ in range(chance.randint(1, 4))))
        words, _ = _read(text)
        assert _found(text, row) == _walked(words, row), (text, row.elements)
        hits += len(_walked(words, row))
    assert hits > 1_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a x b", [(0, 3)]),
        ("a, b", [(0, 2)]),
        ("a x, b", []),
        ("a. b", []),
        ("a not b", []),
        ("a x x b", []),
        ("a b b", [(0, 2)]),
    ],
)
def test_what_may_stand_between_and_what_parts(text: str, found: list[tuple[int, int]]) -> None:
    assert _found(text, _row(("a", 0), ("b", 1))) == found


def test_the_end_of_a_concept_leads_on() -> None:
    words, marks = _read("a x x b")
    places: Places = {0: (2, 3)}
    marks.close("<sign>", places)
    row = Row(0, "thing", (Element("<sign>", 0), Element("b", 0)), frozenset({"b"}), frozenset({"<sign>"}))
    assert match_row(row, marks, words, {"<sign>": places}) == [(0, 4)]
    assert (list(bits_of(marks.starts["<sign>"])), list(bits_of(marks.ends("<sign>")))) == ([0], [2, 3])
    assert (marks.longest("<sign>"), marks.longest("b")) == (3, 1)


def test_a_slip_of_the_pen_keeps_apart_as_the_word_does() -> None:
    words = split_words("no truble a", {}, {})
    plain = ["no", "trouble", "a"]
    marks = Marks(words, {word: frozenset({word}) for word in words.canon}, plain)
    assert not marks.is_open(1, 2, denies=True)
    assert marks.is_open(1, 2, denies=False)
    assert not marks.is_open(0, 2, denies=False)
