"""Words with a slip of the pen, and endings that people drop.

A word that is itself English is never bent into another one: ``plain_words.txt`` holds the everyday
words that lie one slip away from a word of the rules.
"""

from collections.abc import Collection, Iterable

from rapidfuzz.distance import OSA

_SHORTEST = 5
_TWO_SLIPS = 9
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
        self._by_length: dict[int, list[str]] = {}
        targets = {word for word in vocabulary if len(word) >= _SHORTEST and word.isalpha()}
        targets |= {start + end for start in prefixes if len(start) >= _SHORTEST for end in _ENDINGS}
        for word in sorted(targets):
            self._by_length.setdefault(len(word), []).append(word)

    def correct(self, word: str) -> str:
        """Return the word of the rules meant by ``word``, or ``word`` itself when none is likely.

        A word of five letters or more may have one slip, of nine or more two. Cost is one comparison
        with each word of about the same length, so callers keep what they have asked.
        """
        if word in self._plain or not word.isalpha():
            return word
        if word.endswith("s") and word[:-1] in self._vocabulary and len(word) > 3:
            return word[:-1]
        if word.endswith("in") and word + "g" in self._vocabulary:
            return word + "g"
        if not _SHORTEST <= len(word) <= 24:
            return word
        slips = 2 if len(word) >= _TWO_SLIPS else 1
        best, fewest = word, slips + 1
        for length in (len(word), len(word) - 1, len(word) + 1, len(word) - 2, len(word) + 2):
            if abs(length - len(word)) > slips:
                continue
            for candidate in self._by_length.get(length, ()):
                allowed = min(fewest - 1, 1 if length < _TWO_SLIPS else 2)
                if allowed < 1 or (len(word) < 7 and candidate[0] != word[0]):
                    continue
                distance = OSA.distance(word, candidate, score_cutoff=allowed)
                if distance <= allowed:
                    best, fewest = candidate, distance
        return best
