"""Looking a query up among the questions whose outcome is known.

How near it comes to those with and to those without an answer tells whether to answer at all. The facts that answer the
nearest also lift the sentences that tell them: by less, the more sentences share the honour. A question that is a known
one itself is not looked up by itself: the questions of the development sets are among the known, and an evaluation has
to show what becomes of questions that are not.

Source: R. Nogueira, W. Yang, J. Lin, K. Cho (2019), Document Expansion by Query Prediction, arXiv:1904.08375.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.records import Document
from index.hits import Hit
from index.parts import Part

KNOWN_DEPTH = 8
"""Known questions of each kind that are looked at."""

LIFT = 0.3
"""Most that a known question adds to the score of a sentence."""

SHARING = 0.5
"""How much less each gets where several sentences answer it: 0 for no less, 1 for an equal share."""

LIFTS_FROM = 0.6
"""Cosine from which on a known question adds anything."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a query comes to questions whose outcome is known.

    Attributes:
        answered: Cosines with the nearest that have an answer, best first, at most :data:`KNOWN_DEPTH`.
        unanswered: The same with those that have none.
        reason: Why the nearest of the latter has none, or "" where there are none.
    """

    answered: tuple[float, ...] = ()
    unanswered: tuple[float, ...] = ()
    reason: str = ""


NOWHERE = Nearness()
"""Where nothing is known."""


class KnownQuestions:
    """The known questions of one part, and the sentences that answer them.

    Args:
        part: The part.
        documents: By id; their attributions say which sentence tells which fact.
    """

    def __init__(self, part: Part, documents: Mapping[str, Document]) -> None:
        self._part = part
        silent = np.array([bool(question.reason) for question in part.questions], dtype=np.bool_)
        self._rows: dict[str, set[int]] = {}
        for row, question in enumerate(part.questions):
            self._rows.setdefault(_folded(question.text), set()).add(row)
        self._answered, self._unanswered = np.flatnonzero(~silent), np.flatnonzero(silent)
        telling = _sentences_by_fact(part, documents) if len(self._answered) else {}
        self._sentences = {
            row: sorted({at for fact in part.questions[row].facts for at in telling.get(fact, ())})
            for row in self._answered.tolist()
        }

    def look_up(self, vector: NDArray[np.float32], asked: tuple[str, ...] = ()) -> tuple[Nearness, dict[int, float]]:
        """Return how near known questions are, and what the nearest add to the score of sentences, by sentence row.

        Args:
            vector: Embedding of the query, shape ``(dimension,)``.
            asked: What was asked, word for word: known questions of the same letters and digits are passed over.
        """
        if not self._part.questions:
            return NOWHERE, {}
        answered, unanswered = (self._nearest(vector, kind, asked) for kind in (self._answered, self._unanswered))
        lifts: dict[int, float] = {}
        for hit in answered:
            sentences = self._sentences[hit.row]
            for row in sentences:
                lift = LIFT * max(0.0, hit.score - LIFTS_FROM) / (1 - LIFTS_FROM) / len(sentences) ** SHARING
                lifts[row] = max(lifts.get(row, 0.0), lift)
        near = Nearness(
            tuple(hit.score for hit in answered),
            tuple(hit.score for hit in unanswered),
            self._part.questions[unanswered[0].row].reason if unanswered else "",
        )
        return near, {row: lift for row, lift in lifts.items() if lift}

    def _nearest(self, vector: NDArray[np.float32], kind: NDArray[np.int64], asked: tuple[str, ...]) -> list[Hit]:
        itself = {row for text in asked for row in self._rows.get(_folded(text), ())}
        hits = self._part.question_vectors.search(vector, KNOWN_DEPTH + len(itself), kind)
        return [hit for hit in hits if hit.row not in itself][:KNOWN_DEPTH]


def _folded(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _sentences_by_fact(part: Part, documents: Mapping[str, Document]) -> dict[str, list[int]]:
    """Return, for each fact, the rows of the sentences that tell it."""
    rows: dict[str, list[int]] = {}
    for at, (passage, span) in enumerate(part.sentences):
        for note in documents[part.passages[passage].document_id].attributions:
            if note.span.contains(span):
                for fact in note.facts:
                    rows.setdefault(fact, []).append(at)
    return rows
