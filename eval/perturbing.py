"""The same question as another person types it: each change keeps the meaning, so the outcome should stay.

All changes are fixed by the question itself: the same question is always changed in the same way.
"""

import random
import zlib
from collections.abc import Callable, Mapping

_SHORTEST = 5
"""Letters of a word that a slip may hit; a slip in a shorter one often makes another word."""


def misspell(question: str) -> str:
    """Swap two neighbouring inner letters of one long word, the way quick fingers do."""
    draw = random.Random(zlib.crc32(question.encode()))  # noqa: S311 (a repeatable draw, no secret)
    words = question.split(" ")
    long = [place for place, word in enumerate(words) if word.isalpha() and len(word) >= _SHORTEST]
    if not long:
        return question
    place = draw.choice(long)
    word = words[place]
    swaps = [at for at in range(1, len(word) - 2) if word[at] != word[at + 1]]
    if not swaps:
        return question
    at = draw.choice(swaps)
    words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def shout(question: str) -> str:
    """Write everything in capitals."""
    return question.upper()


def pad(question: str) -> str:
    """Wrap the question in politeness."""
    return f"Hi there, hope you don't mind me asking. {question} Thanks so much in advance."


def strip_marks(question: str) -> str:
    """Leave punctuation and capitals out, as people do on a phone."""
    return " ".join("".join(char for char in question.lower() if char.isalnum() or char in " '-").split())


CHANGES: Mapping[str, Callable[[str], str]] = {
    "misspelt": misspell,
    "shouted": shout,
    "padded": pad,
    "unpunctuated": strip_marks,
}
"""Every change by name."""
