"""Words with a slip of the pen, and endings that people drop.

A word that is itself English is never bent into another one: ``plain_words.txt`` holds the everyday
words that lie a slip or two away from a word of the rules.
"""

from collections.abc import Collection, Iterable
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import OSA

from service.triage.sounds import sound_of, sounds_of

_SHORTEST = 5
_ANY_FIRST_LETTER = 7
_TWO_SLIPS = 10
_LONGEST = 24
_SECOND = 2
_SHORTEST_SPOKEN = 3
_SHORTEST_SOUND = 2
_LONG_SOUND = 5
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

    def prepare(self) -> None:
        """Work out how the words sound now, not when the first unknown word comes."""
        _ = self._sounds

    @cached_property
    def _spoken(self) -> dict[str, list[str]]:
        """Sound to the words that have it."""
        spoken: dict[str, list[str]] = {}
        for word in sorted(self._vocabulary):
            if len(word) >= _SHORTEST_SPOKEN and word.isalpha() and word.isascii():
                for sound in sounds_of(word):
                    spoken.setdefault(sound, []).append(word)
        return spoken

    @cached_property
    def _sounds(self) -> dict[tuple[str, int], list[str]]:
        """First letter and length to the sounds that have them."""
        sounds: dict[tuple[str, int], list[str]] = {}
        for sound in self._spoken:
            sounds.setdefault((sound[0], len(sound)), []).append(sound)
        return sounds

    def correct(self, word: str) -> str:
        """Return the word of the rules meant by ``word``, or ``word`` itself when none is likely.

        A word of five letters or more may have one slip, of ten or more two; a swap of neighbours is one.
        Below seven letters, and with two slips, the first letter must be right. The nearest word wins, then one
        of equal length, then the first of the alphabet. A word that sounds alike wins over one that is no
        nearer in writing. Last comes a long word whose sound differs in one place. Callers keep what they have
        asked.
        """
        if word in self._plain or not word.isalpha():
            return word
        if len(word) > 3 and word.endswith("s") and word[:-1] in self._vocabulary:
            return word[:-1]
        if word.endswith("in") and word + "g" in self._vocabulary:
            return word + "g"
        if not _SHORTEST_SPOKEN <= len(word) <= _LONGEST or not word.isascii():
            return word
        sound = sound_of(word)
        alike, near = self._by_ear(word, sound), self._by_slip(word)
        if alike and near:
            return near if OSA.distance(word, near) < OSA.distance(word, alike) else alike
        return alike or near or self._nearly_by_ear(word, sound) or word

    def _by_ear(self, word: str, sound: str) -> str:
        """The word that sounds alike and is written most alike; "" when none does."""
        alike = self._spoken.get(sound, ()) if len(sound) >= _SHORTEST_SOUND else ()
        return min(alike, key=lambda other: (OSA.distance(word, other), other), default="")

    def _nearly_by_ear(self, word: str, sound: str) -> str:
        """The word whose sound differs in one place; only for sounds long enough to tell words apart."""
        if len(sound) < _LONG_SOUND:
            return ""
        alike = [
            other
            for length in (len(sound), len(sound) - 1, len(sound) + 1)
            for other in self._sounds.get((sound[0], length), ())
            if OSA.distance(sound, other, score_cutoff=1) <= 1
        ]
        words = [other for code in alike for other in self._spoken[code] if len(other) >= _ANY_FIRST_LETTER]
        return min(words, key=lambda other: (OSA.distance(word, other), other), default="")

    def _by_slip(self, word: str) -> str:
        if len(word) < _SHORTEST:
            return ""
        best, fewest = "", 3 if len(word) >= _TWO_SLIPS else 2
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
