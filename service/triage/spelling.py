"""Words with a slip of the pen, and endings that people drop.

A word that is itself English is never bent into another one: ``plain_words.txt`` holds the everyday
words that lie a slip or two away from a word of the rules.
"""

from collections.abc import Collection, Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORTEST = 5
_ANY_FIRST_LETTER = 7
_TWO_SLIPS = 10
_LONGEST = 24
_SECOND = 2
_ENDINGS = ("", "s", "ed", "ing", "es", "d", "ness", "ly", "ation", "al", "ent", "ence", "ency", "ies")


class Speller:
    """Finds the word of the rules that a misspelt one most likely is.

    Args:
        vocabulary: Full words that the rules name.
        prefixes: Beginnings of words that the rules name.
        plain: Everyday words that must stay what they are.
    """

    def __init__(self, vocabulary: Collection[str], prefixes: Iterable[str], plain: Collection[str]) -> None:
        self._vocabulary = vocabulary
        self._plain = plain
        targets = {word for word in vocabulary if len(word) >= _SHORTEST and word.isalpha()}
        targets |= {start + end for start in prefixes if len(start) >= _SHORTEST for end in _ENDINGS}
        self._long: dict[int, list[str]] = {}
        self._short: dict[tuple[str, int], list[str]] = {}
        for word in sorted(targets):
            self._long.setdefault(len(word), []).append(word)
            self._short.setdefault((word[0], len(word)), []).append(word)

    def correct(self, word: str) -> str:
        """Return the word of the rules meant by ``word``, or ``word`` itself when none is likely.

        A word of five letters or more may have one slip, of ten or more two; a swap of neighbours is
        one. Below seven letters, and with two slips, the first one must be right. The nearest word wins,
        then one of equal length, then the first of the alphabet. Callers keep what they have asked.
        """
        if word in self._plain or not word.isalpha():
            return word
        if len(word) > 3 and word.endswith("s") and word[:-1] in self._vocabulary:
            return word[:-1]
        if word.endswith("in") and word + "g" in self._vocabulary:
            return word + "g"
        if not _SHORTEST <= len(word) <= _LONGEST:
            return word
        best, fewest = word, 3 if len(word) >= _TWO_SLIPS else 2
        for length in (len(word), len(word) - 1, len(word) + 1):
            if fewest <= 1:
                break
            nearest = process.extractOne(
                word, self._candidates(word, length), scorer=OSA.distance, score_cutoff=fewest - 1
            )
            if nearest is not None and (nearest[1] < _SECOND or nearest[0][0] == word[0]):
                best, fewest = nearest[0], int(nearest[1])
        return best

    def _candidates(self, word: str, length: int) -> list[str]:
        if len(word) >= _ANY_FIRST_LETTER:
            return self._long.get(length, [])
        return self._short.get((word[0], length), [])
