"""What a search returns."""

from dataclasses import dataclass

from corpus.records import Passage, Span


@dataclass(frozen=True, slots=True)
class Hit:
    """A row of the searched set with its score.

    Attributes:
        row: Row number in the searched set, from 0.
        score: Higher is better; a cosine in [-1, 1] from the dense search, a BM25 sum from the lexical one.
        rank: From 1.
    """

    row: int
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class PassageHit:
    """A passage found for a query.

    Attributes:
        passage: The passage.
        score: Fused score, higher is better; only its order means anything.
        rank: From 1.
        cosine: Cosine of passage and query.
    """

    passage: Passage
    score: float
    rank: int
    cosine: float


@dataclass(frozen=True, slots=True)
class SentenceHit:
    """A sentence found for a query.

    Attributes:
        passage: The passage it stands in.
        span: The sentence, in document offsets.
        text: The sentence.
        score: Score by which sentences are ordered, higher is better.
        cosine: Cosine of the query and the sentence's combined vector.
        lexical: BM25 of the query and the sentence under its headings, 0 or more.
    """

    passage: Passage
    span: Span
    text: str
    score: float
    cosine: float
    lexical: float


def ranked(rows_and_scores: list[tuple[int, float]]) -> list[Hit]:
    """Return hits from best to worst; equal scores keep the order of rows."""
    ordered = sorted(rows_and_scores, key=lambda item: (-item[1], item[0]))
    return [Hit(row, score, rank) for rank, (row, score) in enumerate(ordered, start=1)]
