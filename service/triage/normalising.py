"""From a person's words to plain tokens that remember where they stood.

Everything is one pass over the text: the only regular expression has no nested repetition, so its
cost grows with the length of the text and nothing else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_WORD = re.compile(r"[wb]/[oc]?(?![^\W_])|\d+[.,]\d+(?!\d)|[^\W_]+(?:['’‘ʼ`´]{1,2}[^\W_]+)*|[^\w\s]|\n", re.IGNORECASE)
_APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´")
_SENTENCE_END = frozenset(".!?;\n…")
_CLAUSE_END = frozenset(",:()[]–—-")
_NUMBER_UNIT = re.compile(r"(\d{1,4})([a-z]{1,8})")
_UNITS = frozenset(
    "yo yr yrs year years w wk wks week weeks d day days h hr hrs hour hours c f mg g ml kg st ft m min mins mph "
    "th nd rd am pm x mth mths month months k km y yrold yearold weeker".split()
)


@dataclass(slots=True)
class Words:
    """One text as tokens; all lists have one entry a token.

    Attributes:
        text: The text as it was written.
        canon: The token in its plain form.
        starts: Start of the words behind the token, code points into ``text``.
        ends: Their end, exclusive.
        sentence: Number of the sentence.
        comma: Whether a comma, colon, dash or bracket stands directly before the token.
        question: Sentence numbers that end with a question mark.
        bounds: First token and end (exclusive) of each sentence.
    """

    text: str
    canon: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    sentence: list[int] = field(default_factory=list)
    comma: list[bool] = field(default_factory=list)
    question: set[int] = field(default_factory=set)
    bounds: list[tuple[int, int]] = field(default_factory=list)


def squeeze(word: str) -> str:
    """Shorten a letter written three times or more to two ("soooo" to "soo")."""
    if len(word) <= 3:
        return word
    kept = [word[0], word[1]]
    for letter in word[2:]:
        if letter == kept[-1] == kept[-2] and letter.isalpha():
            continue
        kept.append(letter)
    return "".join(kept)


def tokens_of(raw: str, spelling: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the plain forms of one written word: case, apostrophes and spelling evened out.

    Args:
        raw: The word as written.
        spelling: Written form (folded, without apostrophes) to its plain words: contractions,
            text-speak, American and British forms, common misspellings.
    """
    word = squeeze(raw.casefold().translate(_APOSTROPHES))
    known = spelling.get(word)
    if known is not None:
        return known
    unit = _NUMBER_UNIT.fullmatch(word)
    if unit is not None and unit[2] in _UNITS:
        return (unit[1], unit[2])
    return (word,)


def split_words(text: str, spelling: Mapping[str, tuple[str, ...]], seen: dict[str, tuple[str, ...]]) -> Words:
    """Cut a text into plain tokens with offsets, sentences and clause marks.

    Args:
        text: Any text.
        spelling: See :func:`tokens_of`.
        seen: Words met before with their plain forms; new ones are added.
    """
    words = Words(text)
    canon, starts, ends, sentence, commas = words.canon, words.starts, words.ends, words.sentence, words.comma
    number, first, comma = 0, 0, False
    for found in _WORD.finditer(text):
        raw = found[0]
        plain = seen.get(raw)
        if plain is None:
            if not raw[0].isalnum():
                if raw in _SENTENCE_END:
                    if len(canon) > first:
                        if raw == "?":
                            words.question.add(number)
                        words.bounds.append((first, len(canon)))
                        first, number = len(canon), number + 1
                    comma = False
                elif raw in _CLAUSE_END:
                    comma = comma or _breaks_clause(text, found.start(), raw)
                continue
            plain = seen[raw] = tokens_of(raw, spelling)
        start, end = found.span()
        for token in plain:
            canon.append(token)
            starts.append(start)
            ends.append(end)
            sentence.append(number)
            commas.append(comma)
            comma = False
    if len(canon) > first:
        words.bounds.append((first, len(canon)))
    return words


def _breaks_clause(text: str, at: int, mark: str) -> bool:
    """Whether the mark separates clauses: a hyphen inside a word ("mid-back") does not."""
    if mark != "-":
        return True
    return not (0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum())
