"""The same question as another person types it: each change keeps the meaning, so the outcome should stay.

All changes are fixed by the question itself: the same question is always changed in the same way. What no rule can do,
asking in other words, a person has done for a part of the shipped sets.
"""

import json
import random
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from eval.errors import SetError

PARAPHRASES = Path(__file__).parent / "data" / "paraphrases.dev.jsonl"

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


def load_paraphrases(path: Path = PARAPHRASES) -> dict[str, str]:
    """Return the question in other words by id of its item.

    Raises:
        SetError: the file cannot be read, or a line names no item or no question, or an item a second time.
    """
    found: dict[str, str] = {}
    faults = []
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except OSError as fault:
        raise SetError((f"{path}:0: cannot be read: {fault.strerror}",)) from fault
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if row["of"] in found or not row["question"].strip():
                faults.append(f"{path}:{number}: says nothing, or stands for an item that has a line already")
            found[row["of"]] = row["question"]
        except (ValueError, KeyError, TypeError, AttributeError):
            faults.append(f'{path}:{number}: is no object with "of" and "question"')
    if faults:
        raise SetError(tuple(faults))
    return found
