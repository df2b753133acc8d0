"""Choosing and ordering the sentences of an answer. No model writes a word here."""

from collections.abc import Callable, Sequence

from index.hits import SentenceHit

MAX_SENTENCES = 5
MAX_WORDS = 90
RELATIVE_SCORE = 0.78
"""A sentence whose score is below this share of the best one's is left out."""

REPEAT_OVERLAP = 0.6
"""Share of common stems from which two sentences say the same."""

Stems = Callable[[str], list[str]]


def choose_sentences(parts: Sequence[Sequence[SentenceHit]], stems: Stems) -> list[list[SentenceHit]]:
    """Choose the sentences that answer each part of a question.

    Args:
        parts: For each part of the question its sentences, best first.
        stems: Stems of a text, by which repeats are noticed.

    Returns:
        The chosen sentences a part, best first; parts take turns until five sentences or about 90 words are
        reached. A repeat of a chosen sentence is left out.
    """
    chosen: list[list[SentenceHit]] = [[] for _ in parts]
    taken: list[set[str]] = []
    words = 0
    queues = [list(hits) for hits in parts]
    while any(queues) and sum(map(len, chosen)) < MAX_SENTENCES:
        for number, queue in enumerate(queues):
            hit = _next(queue, parts[number], taken, stems)
            if hit is None:
                queue.clear()
                continue
            length = len(hit.text.split())
            total = sum(map(len, chosen))
            if total and (words + length > MAX_WORDS or total >= MAX_SENTENCES):
                if chosen[number]:
                    queue.clear()
                    continue
                if total >= MAX_SENTENCES:
                    break
            chosen[number].append(hit)
            taken.append(set(stems(hit.text)))
            words += length
    return chosen


def order_sentences(hits: Sequence[SentenceHit]) -> list[SentenceHit]:
    """Order the sentences of one part: the direct answer first, then each source's run in its own order."""
    if not hits:
        return []
    sources = list(dict.fromkeys(hit.passage.source_id for hit in hits))
    rest = sorted(hits[1:], key=lambda hit: (sources.index(hit.passage.source_id), hit.span.start))
    return [hits[0], *rest]


def _next(
    queue: list[SentenceHit], hits: Sequence[SentenceHit], taken: Sequence[set[str]], stems: Stems
) -> SentenceHit | None:
    floor = hits[0].score * RELATIVE_SCORE if hits else 0.0
    while queue:
        hit = queue.pop(0)
        if hit.score < floor:
            return None
        own = set(stems(hit.text))
        if own and not any(len(own & other) / len(own | other) >= REPEAT_OVERLAP for other in taken):
            return hit
    return None
