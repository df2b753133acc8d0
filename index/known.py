"""Looking a query up among the questions whose outcome is known.

How near it comes to those with and to those without an answer tells whether to answer at all. A question that is a
known one itself is not looked up by itself: the questions of the development sets are among the known, and an
evaluation has to show what becomes of questions that are not.

Source: R. Nogueira, W. Yang, J. Lin, K. Cho (2019), Document Expansion by Query Prediction, arXiv:1904.08375.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.hits import Hit
from index.parts import Part

_NO_LETTERS = re.compile(r"[\W_]+")

KNOWN_DEPTH = 8
"""Known questions of each kind that are looked at."""


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
    """The known questions of one part.

    Args:
        part: The part.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        silent = np.array([bool(question.reason) for question in part.questions], dtype=np.bool_)
        self._answered, self._unanswered = np.flatnonzero(~silent), np.flatnonzero(silent)

    def look_up(self, vector: NDArray[np.float32], asked: tuple[str, ...] = ()) -> Nearness:
        """Return how near known questions are.

        Args:
            vector: Embedding of the query, shape ``(dimension,)``.
            asked: What was asked, word for word: known questions of the same letters and digits are passed over.
        """
        if not self._part.questions:
            return NOWHERE
        itself = {_folded(text) for text in asked}
        answered, unanswered = (self._nearest(vector, kind, itself) for kind in (self._answered, self._unanswered))
        return Nearness(
            tuple(hit.score for hit in answered),
            tuple(hit.score for hit in unanswered),
            self._part.questions[unanswered[0].row].reason if unanswered else "",
        )

    def _nearest(self, vector: NDArray[np.float32], kind: NDArray[np.int64], itself: set[str]) -> list[Hit]:
        """Return the nearest of a kind but those that are the query itself, which are among the very nearest."""
        depth = KNOWN_DEPTH
        while True:
            hits = self._part.question_vectors.search(vector, depth, kind)
            others = [hit for hit in hits if _folded(self._part.questions[hit.row].text) not in itself]
            if len(others) >= KNOWN_DEPTH or len(hits) < depth:
                return others[:KNOWN_DEPTH]
            depth += KNOWN_DEPTH


def _folded(text: str) -> str:
    return _NO_LETTERS.sub("", text.casefold())
