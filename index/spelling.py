"""Spelling repair against the corpus's own words."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from rapidfuzz.distance import DamerauLevenshtein
from rapidfuzz.process import extract

from index.stemming import stems

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?(?![0-9])")
# fmt: off
_TEXTSPEAK = {
    "u": "you", "ur": "your", "r": "are", "y": "why", "bak": "back", "bk": "back", "shud": "should", "shld": "should",
    "cud": "could", "wud": "would", "wot": "what", "wats": "what's", "wat": "what", "wen": "when", "wich": "which",
    "abt": "about", "pls": "please", "plz": "please", "cuz": "because", "coz": "because", "bcoz": "because",
    "dnt": "don't", "cnt": "can't", "gd": "good", "hlp": "help", "hw": "how", "lng": "long", "wrk": "work",
    "dr": "doctor", "docs": "doctors", "doc": "doctor", "gp": "doctor", "meds": "medicines", "thru": "through",
    "alot": "a lot", "pane": "pain", "panes": "pains", "bakpain": "back pain", "bakpane": "back pain",
    "jab": "injection", "jabs": "injections", "waterworks": "urine", "wee": "pee", "weeing": "peeing", "tummy": "belly", "lumbago": "low back pain",
    "physio": "physical therapist", "physios": "physical therapists", "physiotherapy": "physical therapy", "op": "operation", "ops": "operations",
    "abx": "antibiotics", "paracetamol": "acetaminophen", "mussel": "muscle", "mussels": "muscles", "disc": "disk", "discs": "disks", "hernia": "herniated",
    "oldies": "older people", "lorry": "truck", "hubby": "husband", "bug": "germ", "bugs": "germs", "loo": "toilet", "otc": "over-the-counter",
    "painkiller": "pain reliever", "painkillers": "pain relievers", "max": "most",
}
# fmt: on
"""How people type and what lay people say; a word of three letters or more stays where the corpus has it."""

_VERY_SHORT = 3
_SHORTEST = 4
_OFTEN = 3
_LONG = 8


class Speller:
    """Replaces words that are no words by the nearest word of the corpus.

    A word is left alone when the corpus has it or another form of it ("spraining"), or when it is a whole word of the embedding model's vocabulary, so
    that a good word that the corpus lacks ("yoga") is never turned into one that it has.

    Args:
        counts: How often each word of the corpus stands there, see :func:`count_words`.
        known: Words that are right as they are, lower case.
    """

    def __init__(self, counts: Mapping[str, int], known: frozenset[str]) -> None:
        self._counts = counts
        self._stems = frozenset(stem for word in self._counts for stem in stems(word))
        self._known = known
        self._candidates = [word for word in sorted(self._counts) if len(word) >= _SHORTEST]
        self._repairs: dict[str, str] = {}

    def repair(self, text: str) -> str:
        """Return ``text`` with unknown words replaced where exactly the corpus offers a near one.

        One edit (a letter added, left out, changed, or two swapped) is allowed, two from eight letters on; the first
        letter must agree. Among equally near words the more frequent wins, then the alphabet decides.
        """
        return _WORD.sub(lambda match: self._word(match.group()), text)

    def recognised(self, text: str) -> float:
        """Return the share of words of three letters or more that are words at all, 0 when there are none."""
        words = [word.lower() for word in _WORD.findall(text) if len(word) >= _VERY_SHORT]
        known = sum(word in self._counts or word in self._known for word in words)
        return known / len(words) if words else 0.0

    def _word(self, word: str) -> str:
        lowered = word.lower()
        if lowered in _TEXTSPEAK and (len(lowered) < _VERY_SHORT or lowered not in self._counts):
            return _TEXTSPEAK[lowered]
        if len(lowered) < _SHORTEST or lowered in self._counts or lowered in self._known or not lowered.isalpha():
            return word
        if self._stems.intersection(stems(lowered)):
            return word
        repaired = self._repairs.get(lowered)
        if repaired is None:
            repaired = self._nearest(lowered)
            if len(self._repairs) > 10_000:
                self._repairs.clear()  # another thread may do so too, hence the local name
            self._repairs[lowered] = repaired
        return repaired

    def _nearest(self, word: str) -> str:
        allowed = 2 if len(word) >= _LONG else 1
        near = extract(word, self._candidates, scorer=DamerauLevenshtein.distance, score_cutoff=allowed, limit=None)
        same_start: list[tuple[str, int]] = [(found, distance) for found, distance, _ in near if found[0] == word[0]]
        if not same_start:
            return word
        return min(same_start, key=lambda pair: (pair[1], -self._counts[pair[0]], pair[0]))[0]


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Return how often each word stands in texts, in lower case."""
    return Counter(word.lower() for text in texts for word in _WORD.findall(text))


def words_of_others(texts: Iterable[str]) -> frozenset[str]:
    """Return the words that stand three times or more in questions about something else: "acne" is no slip for "ache"."""
    return frozenset(word for word, times in count_words(texts).items() if times >= _OFTEN)


def model_words(vocabulary: Iterable[str]) -> frozenset[str]:
    """Return the whole words of a WordPiece vocabulary."""
    return frozenset(word for word in vocabulary if word.isalpha() and len(word) >= 3)
