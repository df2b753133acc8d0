"""Vectors of the sentences of a large collection, from the pass of the model that makes their passage's vector.

A sentence of an ordinary collection is embedded by itself, in four views (:func:`index.building.combine`). In a large
one that would cost several times as much as its passages. There the vector of a sentence is the mean of its tokens as
the model read them within the passage, moved a little towards its heading: that costs hardly more than the passage's
own, and nothing when a question comes. What was measured stands in
docs/decisions/0019-sentences-from-their-passage.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.records import Passage, Span
from index.embedding import Embedder, Progress
from index.exact import cosines
from index.hits import SentenceHit, ranked
from index.lexical import LexicalIndex, stems

VIEWS_VERSION = 1
"""Counted up with every change to what is made here: a collection on an engine elsewhere is filled anew."""

VIEWED_PASSAGES = 10
"""Passages whose sentences are ranked."""

HEADING_SHARE = 0.5
"""Weight of the heading's vector beside the mean of a sentence's tokens."""

WORDS_SHARE = 0.15
"""Weight of a query's words, scaled to the best, beside the sentence's cosine."""


@dataclass(frozen=True, slots=True)
class Viewed:
    """A passage with its vectors.

    Attributes:
        passage: The passage.
        vector: Its embedding of unit length, shape ``(dimension,)``.
        views: One row a sentence, shape ``(sentences, dimension)``: only the direction of a row means anything.
    """

    passage: Passage
    vector: NDArray[np.float32]
    views: NDArray[np.int8]


def view(passages: Sequence[Passage], embedder: Embedder, progress: Progress | None = None) -> list[Viewed]:
    """Embed passages under their headings, and their sentences with them."""
    if not passages:
        return []
    spans = [_within(passage) for passage in passages]
    vectors, parts = embedder.embed_parts([passage.embedded_text for passage in passages], spans, progress)
    names = sorted({heading_text(passage) for passage in passages})
    headings = dict(zip(names, embedder.embed(names), strict=True))
    return [
        Viewed(passage, vector, rounded(rows + HEADING_SHARE * headings[heading_text(passage)]))
        for passage, vector, rows in zip(passages, vectors, parts, strict=True)
    ]


def heading_text(passage: Passage) -> str:
    """Return the innermost heading, or the passage itself where there is none to embed."""
    heading = passage.heading_path[-1] if passage.heading_path else passage.title
    return heading or passage.text


def rounded(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return rows of the same direction, within a hundredth of their length, in a quarter of the room.

    Args:
        rows: Shape ``(rows, dimension)``.
    """
    most = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    rounded: NDArray[np.int8] = np.rint(127 * rows / np.where(most > 0, most, 1)).astype(np.int8)
    return rounded


def rank_sentences(
    words: LexicalIndex,
    query: str,
    vector: NDArray[np.float32],
    passages: Sequence[Passage],
    views: Sequence[NDArray[np.int8]],
    k: int,
) -> tuple[SentenceHit, ...]:
    """Rank the sentences of the best passages.

    Args:
        words: What words are worth in the whole collection.
        query: The words.
        vector: The query's embedding, shape ``(dimension,)``.
        passages: The best passages, best first.
        views: The views of each.
        k: Sentences wanted.
    """
    places = [(row, span) for row, passage in enumerate(passages) for span in passage.sentences]
    if not places:
        return ()
    texts = [passages[row].text_of(span) for row, span in places]
    lexical = _scaled(words, query, texts)
    rows = np.concatenate(views).astype(np.float32)
    near = cosines(vector, rows / np.linalg.norm(rows, axis=1, keepdims=True)).tolist()
    order = ranked([(at, cosine + WORDS_SHARE * lexical[at]) for at, cosine in enumerate(near)])
    return tuple(
        SentenceHit(passages[row], span, texts[hit.row], hit.score, near[hit.row], lexical[hit.row])
        for hit in order[:k]
        for row, span in (places[hit.row],)
    )


def _within(passage: Passage) -> list[Span]:
    """Return the sentences as spans of the text that is embedded."""
    moved = len(passage.context) + 1 - passage.span.start
    return [Span(span.start + moved, span.end + moved) for span in passage.sentences]


def _scaled(words: LexicalIndex, query: str, texts: Sequence[str]) -> list[float]:
    """Return how much a few texts share of a query's words, the best of them 1.

    What a word is worth comes from the whole collection.
    """
    asked = set(stems(query))
    scores = [sum(words.idf(stem) for stem in asked & set(stems(text))) for text in texts]
    top = max(scores, default=0.0)
    return [score / top if top else 0.0 for score in scores]
