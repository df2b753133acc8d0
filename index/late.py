"""Sentences without vectors of their own: those of the best passages are ranked when the question comes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.records import Passage
from index.building import heading_text, slice_of
from index.embedding import Embedder
from index.hits import SentenceHit, ranked
from index.lexical import LexicalIndex, stems

LATE_PASSAGES = 10
LATE_SENTENCES = 16
"""Passages whose sentences are looked at, and sentences that are embedded then."""

LATE_SHARE = 0.5
"""Weight of passage and of heading beside a sentence that is embedded when the question comes."""

WORDS_SHARE = 0.15
"""Weight of a query's words, scaled to the best, beside the sentence's cosine."""


def rank_late(
    embedder: Embedder,
    words: LexicalIndex,
    query: str,
    vector: NDArray[np.float32],
    passages: Sequence[Passage],
    embedded: NDArray[np.float32],
    k: int,
) -> tuple[SentenceHit, ...]:
    """Rank the sentences of the best passages, embedding only those that passage and words put first.

    Args:
        embedder: Makes the vectors of sentences and headings.
        words: What words are worth in the whole collection.
        query: The words.
        vector: The query's embedding, shape ``(dimension,)``.
        passages: The best passages, best first.
        embedded: Their vectors, shape ``(passages, dimension)``.
        k: Sentences wanted.
    """
    places = [(row, span) for row, passage in enumerate(passages) for span in passage.sentences]
    if not places:
        return ()
    lexical = _scaled(words, query, [slice_of(passages[row], span) for row, span in places])
    first = [
        float(embedded[row] @ vector) + WORDS_SHARE * shared for (row, _), shared in zip(places, lexical, strict=True)
    ]
    best = [hit.row for hit in ranked(list(enumerate(first)))[:LATE_SENTENCES]]
    texts = [slice_of(passages[places[at][0]], places[at][1]) for at in best]
    headings = sorted({heading_text(passages[places[at][0]]) for at in best})
    made = embedder.embed([*texts, *headings])
    by_heading = dict(zip(headings, made[len(texts) :], strict=True))
    cosines = []
    for at, plain in zip(best, made, strict=False):
        row = places[at][0]
        total = plain + LATE_SHARE * (embedded[row] + by_heading[heading_text(passages[row])])
        cosines.append(float(total @ vector / np.linalg.norm(total)))
    order = ranked([(n, cosine + WORDS_SHARE * lexical[best[n]]) for n, cosine in enumerate(cosines)])
    found = []
    for hit in order[:k]:
        row, span = places[best[hit.row]]
        text = slice_of(passages[row], span)
        found.append(SentenceHit(passages[row], span, text, hit.score, cosines[hit.row], lexical[best[hit.row]]))
    return tuple(found)


def _scaled(words: LexicalIndex, query: str, texts: Sequence[str]) -> list[float]:
    """Return how much a few texts share of a query's words, the best of them 1.

    What a word is worth comes from the whole collection.
    """
    asked = set(stems(query))
    scores = [sum(words.idf(stem) for stem in asked & set(stems(text))) for text in texts]
    top = max(scores, default=0.0)
    return [score / top if top else 0.0 for score in scores]
