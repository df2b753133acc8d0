"""Length and reading level: can a worried reader take the answer in?

Definition: words, sentences and the Flesch-Kincaid grade (0.39 words a sentence + 11.8 syllables a word - 15.59) of
each answer to an answerable question, and their means. Syllables are counted as groups of vowels, a silent final
"e" apart. Redundancy is the share of an answer's sentences that repeat an earlier one: half or more of the smaller
one's words in common triples, or the same words.

Trap: short is not good by itself: an abstention has no words and is left out here, so read this beside the key
facts. The grade was fitted on running prose of the 1970s navy; names of medicines push it up whatever the sentence.

Paper: J. P. Kincaid, R. P. Fishburne, R. L. Rogers, B. S. Chissom (1975), Derivation of new readability formulas
for navy enlisted personnel, Research Branch Report 8-75.
"""

import re
from collections.abc import Sequence
from statistics import median

from eval.figures import Heading, mean_of, single
from eval.records import AnswerItem, Exchange, Measured, Reply

GROUP = "Reading"

WORDS = Heading(
    "words", "Words an answer", "shorter is easier to read, until facts go missing", GROUP, "words", "lower"
)
MEDIAN = Heading(
    "words_median", "Words an answer, the median", "half of the answers are shorter", GROUP, "words", "lower"
)
SENTENCES = Heading(
    "sentences", "Sentences an answer", "how many proofs a reader has to follow", GROUP, "sentences", "lower"
)
GRADE = Heading("reading_grade", "Reading grade", "school years needed (Flesch-Kincaid)", GROUP, "grade", "lower")
REDUNDANCY = Heading(
    "redundancy", "Repeated sentences", "share of sentences that say what one before said", GROUP, better="lower"
)

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_VOWELS = re.compile(r"[aeiouy]+")
_SHINGLE = 3
_SAME = 0.5


def words_of(text: str) -> list[str]:
    """Return the words of ``text``; "low-back" and "don't" are one each."""
    return _WORD.findall(text)


def syllables(word: str) -> int:
    """Count syllables by vowel groups, at least 1."""
    plain = word.lower()
    count = len(_VOWELS.findall(plain))
    if plain.endswith("e") and not plain.endswith(("le", "ee")) and count > 1:
        count -= 1
    return max(count, 1)


def reading_grade(sentences: Sequence[str]) -> float:
    """Return the Flesch-Kincaid grade of a text given as sentences; 0 without words."""
    words = [word for sentence in sentences for word in words_of(sentence)]
    if not words:
        return 0.0
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def redundancy(sentences: Sequence[str]) -> float:
    """Return the share of sentences that repeat an earlier one."""
    shingles = [_shingles(sentence) for sentence in sentences]
    repeats = sum(any(_same(own, other) for other in shingles[:place]) for place, own in enumerate(shingles))
    return repeats / len(sentences) if sentences else 0.0


def measure_length(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure the answers to answerable questions."""
    parts = {
        ex.item.id: (ex.reply, _sentences(ex.reply))
        for ex in exchanges
        if isinstance(ex.item, AnswerItem) and ex.reply.is_answered
    }
    words = {name: float(len(words_of(" ".join(texts)))) for name, (_, texts) in parts.items()}
    return [
        mean_of(WORDS, words),
        single(MEDIAN, median(words.values()) if words else None, None, len(words)),
        mean_of(SENTENCES, {name: float(len(texts)) for name, (_, texts) in parts.items()}),
        mean_of(GRADE, {name: reading_grade(texts) for name, (_, texts) in parts.items()}),
        mean_of(REDUNDANCY, {name: redundancy(texts) for name, (_, texts) in parts.items()}),
    ]


def _sentences(reply: Reply) -> list[str]:
    return [sentence.text for sentence in reply.sentences] or [reply.answer]


def _shingles(sentence: str) -> frozenset[tuple[str, ...]]:
    words = [word.lower() for word in words_of(sentence)]
    size = min(_SHINGLE, len(words))
    return frozenset(tuple(words[start : start + size]) for start in range(len(words) - size + 1))


def _same(first: frozenset[tuple[str, ...]], second: frozenset[tuple[str, ...]]) -> bool:
    smaller = min(len(first), len(second))
    return smaller > 0 and len(first & second) / smaller >= _SAME
