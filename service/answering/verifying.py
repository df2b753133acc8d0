"""Whether a sentence is what a text says: word for word, in other words, the opposite, or not at all.

Plain rules, strict on purpose: every number with its unit, every negation and every named thing of the sentence must
stand in one place of the text, most of its telling words too, and the embeddings must be near. What passes says what
the text says as far as rules can tell; what a reader would accept may still fail.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from corpus.records import Span
from corpus.sentences import split_sentences
from index.lexical import stems
from service.answering.claims import flaws
from service.answering.understanding import GENERIC

Verdict = Literal["verbatim", "supported", "contradicted", "not_found"]
Fault = Literal["numbers", "negation", "opposite", "names", "strength", "wording", "gone"]
Embed = Callable[[str], NDArray[np.float32]]

SAME_CLAIM: Final = 0.55
"""Share of the telling words from which on two sentences speak of the same."""

SUPPORTED_WORDS: Final = 0.7
SUPPORTED_COSINE: Final = 0.8
TOLD_COSINE: Final = 0.7
"""Least similarity of a sentence to a quote whose words it tells in full; the words decide, this is a second look."""

CANDIDATES: Final = 6
"""Places of the text that are looked at, those with the most words of the sentence."""

REASONS: Final[dict[Fault, str]] = {
    "numbers": "a number or its unit differs",
    "negation": "one of the two is denied and the other is not",
    "opposite": "it says the opposite",
    "names": "it names something that is not named there",
    "strength": "how surely, how often or for how many differs",
    "wording": "it says more, or something else",
    "gone": "the text that it was taken from is not there any more",
}

_WORDS_OF_NUMBERS: Final = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        " seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "hundred": "100", "once": "1x"}
_UNITS: Final = {
    form: name
    for name, forms in {
        "second": "second seconds",
        "minute": "minute minutes",
        "hour": "hour hours",
        "day": "day days",
        "week": "week weeks",
        "month": "month months",
        "year": "year years",
        "percent": "% percent",
        "mg": "mg milligram milligrams",
        "g": "g gram grams",
        "ml": "ml millilitre millilitres milliliter milliliters",
        "litre": "l litre litres liter liters",
        "mm": "mm millimetre millimetres millimeter millimeters",
        "cm": "cm centimetre centimetres centimeter centimeters",
        "inch": "inch inches",
        "degree": "degree degrees °c °f",
        "times": "times",
    }.items()
    for form in forms.split()
}
_NUMBER: Final = rf"(?:\d+(?:[.,]\d+)*|\b(?:{'|'.join(_WORDS_OF_NUMBERS)})\b)"
_QUANTITY = re.compile(
    rf"(?P<value>{_NUMBER})(?=(?:\s*(?:to|or|and|-|–)\s*{_NUMBER})?[\s-]*(?P<unit>[a-z%°]+)?)", re.IGNORECASE
)
_DENIALS: Final = (
    re.compile(r"\b(?:not|no|never|none|nor|neither|nobody|nothing|without|cannot)\b|n['’]t\b", re.IGNORECASE),
    re.compile(r"\b(?:seldom|rarely|hardly|unlikely)\b", re.IGNORECASE),
)
_UNIT = re.compile(rf"\b(?:{'|'.join(form for form in _UNITS if len(form) > 2)})\b", re.IGNORECASE)
_NAME = re.compile(r"(?<![.!?:•]\s)(?<!^)\b(?:[A-Z][\w-]+|[A-Z]{2,}\d*)\b")
_OPPOSITES: Final = tuple(
    (frozenset(stems(one)), frozenset(stems(other)))
    for one, other in (
        ("increase raise worsen worse", "decrease lower reduce ease improve better relieve"),
        ("more higher", "less fewer"),
        ("heat heating hot warm", "ice cold cool"),
        ("safe harmless", "dangerous unsafe harmful"),
        ("common often usually most", "rare uncommon"),
        ("start begin", "stop avoid"),
        ("acute sudden", "chronic gradual"),
        ("rest", "exercise active"),
        ("upper", "lower"),
        ("left", "right"),
        ("early", "late"),
        ("men", "women"),
        ("adults", "children"),
        ("always", "sometimes"),
    )
)


@dataclass(frozen=True, slots=True)
class Text:
    """What a sentence is held against.

    Attributes:
        text: The text.
        document_id: Its document, or None for a text that was sent along.
        passage_id: Its passage, or None.
        start: Where it begins in its document, code points.
    """

    text: str
    document_id: str | None = None
    passage_id: str | None = None
    start: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one sentence.

    Attributes:
        sentence: The sentence.
        verdict: ``contradicted`` means: the same is spoken of, and something that must not differ does.
        faults: Why it is not there word for word or in other words.
        place: The text that comes nearest, or None.
        span: Where in its document, code points; None without a place.
        quote: The words there, or "".
        similarity: Cosine with the quote, or None where none was needed.
    """

    sentence: str
    verdict: Verdict
    faults: tuple[Fault, ...] = ()
    place: Text | None = None
    span: Span | None = None
    quote: str = ""
    similarity: float | None = None


def verify(sentence: str, texts: Sequence[Text], embed: Embed) -> Finding:
    """Hold one sentence against texts.

    Args:
        sentence: The sentence.
        texts: Where it may stand, in order of preference.
        embed: One text to one unit vector.
    """
    wanted = " ".join(sentence.split())
    for text in texts:
        at = text.text.find(wanted)
        if at >= 0 and wanted:
            return _found(wanted, "verbatim", text, Span(at, at + len(wanted)))
    if wanted.endswith("?"):
        return Finding(wanted, "not_found", ("wording",))
    told = _telling(wanted)
    singles = [
        (text, span)
        for text in texts
        for span in split_sentences(text.text)
        if not span.slice(text.text).endswith("?")  # a question, such as a heading, says nothing
    ]
    places, shares = singles, _shares(told, singles)
    if max(shares, default=0.0) < SUPPORTED_WORDS:  # no sentence says it alone; perhaps two that follow each other do
        places = singles + [
            (text, Span(one.start, other.end)) for (text, one), (same, other) in pairwise(singles) if text is same
        ]
        shares = _shares(told, places)
    best = sorted(range(len(places)), key=lambda row: -shares[row])[:CANDIDATES]
    if not best or not told or shares[best[0]] < SAME_CLAIM:
        return Finding(wanted, "not_found", ("wording",))
    vector = embed(wanted)
    rows = [row for row in best if shares[row] >= SAME_CLAIM]
    compared = [(_compare(wanted, vector, *places[row], shares[row], embed), shares[row]) for row in rows]
    against = max((share for finding, share in compared if finding.verdict == "contradicted"), default=0.0)
    # What speaks of the same more fully and contradicts outweighs what supports it by half.
    findings = [finding for finding, share in compared if finding.verdict != "supported" or share >= against]
    order: dict[Verdict, int] = {"verbatim": 0, "supported": 1, "contradicted": 2, "not_found": 3}
    return min(findings, key=lambda finding: (order[finding.verdict], -(finding.similarity or 0.0)))


def _compare(sentence: str, vector: NDArray[np.float32], text: Text, span: Span, share: float, embed: Embed) -> Finding:
    quote = span.slice(text.text)
    similarity = float(vector @ embed(quote))
    clashes, misses = _faults(sentence, quote)
    told = set(flaws(sentence, quote))
    if told == {"strength"}:  # all else is told in full
        misses = (*misses, "strength")
    if told == {"order"} or share < SUPPORTED_WORDS or similarity < SUPPORTED_COSINE:
        misses = (*misses, "wording")
    if not told and similarity >= TOLD_COSINE and "numbers" not in (*clashes, *misses):
        clashes, misses = (), ()  # clauses told whole: what the rest of the quote says does not count
    verdict: Verdict = "contradicted" if clashes else "not_found" if misses else "supported"
    return _found(sentence, verdict, text, span, (*clashes, *misses), round(similarity, 4))


def _faults(sentence: str, quote: str) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Return what clashes with the quote, and what is only missing in it."""
    clashes: list[Fault] = []
    misses: list[Fault] = []
    said, there = quantities(sentence), quantities(quote)
    if said - there or _units(sentence) - _units(quote):
        (clashes if there or _units(quote) else misses).append("numbers")
    if any(len(denial.findall(sentence)) != len(denial.findall(quote)) for denial in _DENIALS):
        clashes.append("negation")
    ours, theirs = frozenset(stems(sentence)), frozenset(stems(quote))
    pairs = [*_OPPOSITES, *((other, one) for one, other in _OPPOSITES)]
    if any(ours & one and not theirs & one and theirs & other and not ours & other for one, other in pairs):
        clashes.append("opposite")
    if any(name.casefold() not in quote.casefold() for name in _NAME.findall(sentence)):
        misses.append("names")
    return tuple(clashes), tuple(misses)


def quantities(text: str) -> Counter[tuple[str, str]]:
    """Return the numbers of a text with their units and how often each stands there; words of numbers as digits."""
    found: Counter[tuple[str, str]] = Counter()
    for match in _QUANTITY.finditer(text):
        value = match["value"].lower().replace(",", "")
        unit = _UNITS.get((match["unit"] or "").lower(), "")
        found[_WORDS_OF_NUMBERS.get(value, value), unit] += 1
    return found


def _units(text: str) -> Counter[str]:
    """Return the units of a text and how often each stands there, without a number too: "a few weeks" are no months."""
    return Counter(_UNITS[unit.lower()] for unit in _UNIT.findall(text))


def _telling(text: str) -> frozenset[str]:
    # Numbers are held to account by themselves, in whatever way they are written.
    return frozenset(stems(_QUANTITY.sub(" ", text))) - GENERIC


def _shares(told: frozenset[str], places: Sequence[tuple[Text, Span]]) -> list[float]:
    """Return how much of the telling words stands in each place."""
    there = [_telling(span.slice(text.text)) for text, span in places]
    return [len(told & words) / max(1, len(told)) for words in there]


def _found(
    sentence: str,
    verdict: Verdict,
    text: Text,
    span: Span,
    faults: tuple[Fault, ...] = (),
    similarity: float | None = None,
) -> Finding:
    place = Span(text.start + span.start, text.start + span.end)
    return Finding(sentence, verdict, faults, text, place, span.slice(text.text), similarity)
