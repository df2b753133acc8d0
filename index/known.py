"""Looking a query up among the questions whose outcome is known.

How near it comes to those with and to those without an answer tells whether to answer at all.

Source: R. Nogueira, W. Yang, J. Lin, K. Cho (2019), Document Expansion by Query Prediction, arXiv:1904.08375.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.parts import Part

KNOWN_DEPTH = 8
"""Known questions of each kind that are looked at."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a query comes to questions whose outcome is known.

    Attributes:
        answered: Cosines with the nearest that have an answer, best first, at most :data:`KNOWN_DEPTH`.
        unanswered: The same with those that have none.
        reason: Why the nearest of the latter has none, or "" where there are none.
        log_odds: Logarithm of the odds that there is an answer, as all of them together taught.
    """

    answered: tuple[float, ...] = ()
    unanswered: tuple[float, ...] = ()
    reason: str = ""
    log_odds: float = 0.0


NOWHERE = Nearness()
"""Where nothing is known."""


class KnownQuestions:
    """The known questions of one part.

    Args:
        part: The part.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        answered = sum(not question.reason for question in part.questions)  # they come first
        self._answered, self._unanswered = range(answered), range(answered, len(part.questions))

    def look_up(self, vector: NDArray[np.float32], query: str) -> Nearness:
        """Return how near known questions are.

        Args:
            vector: Embedding of the query, shape ``(dimension,)``.
            query: Its words.
        """
        if not self._part.questions:
            return NOWHERE
        answered, unanswered = (
            self._part.question_vectors.search(vector, KNOWN_DEPTH, kind) for kind in (self._answered, self._unanswered)
        )
        return Nearness(
            tuple(hit.score for hit in answered),
            tuple(hit.score for hit in unanswered),
            self._part.questions[unanswered[0].row].reason if unanswered else "",
            self._part.log_odds(vector, query),
        )
