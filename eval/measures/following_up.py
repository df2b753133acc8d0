"""Follow-ups: does a question that leans on the one before it still find its source?

Definition: over the questions with a history, whether a right source stands first, and among ten passages, and whether
the answer is right (all key facts, a right source cited). First questions of a dialogue are not among them.

Trap: a follow-up that would be understood without its history ("How long does a back spasm last?" after anything) tests
nothing. Write them as people do: "And at night?".

Paper: J. Dalton, C. Xiong, J. Callan (2020), TREC CAsT 2019: the conversational assistance track overview,
arXiv:2003.13624.
"""

from collections.abc import Sequence

from eval.figures import Heading, share_of
from eval.measures.correctness import is_right
from eval.measures.retrieval import CUTOFF, rank_of_right_source
from eval.records import AnswerItem, Exchange, Measured

GROUP = "Follow-up questions"

FIRST = Heading("followups_first", "Follow-ups: right source first", "the best passage is from a right source", GROUP)
FOUND = Heading("followups_found", "Follow-ups: right source in the first 10", "it stands among ten passages", GROUP)
RIGHT = Heading("followups_right", "Follow-ups answered rightly", "all key facts, and a right source cited", GROUP)


def measure_follow_ups(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure the answerable questions that have a history; abstained and failed ones count as not found."""
    asked = {ex.item.id: ex for ex in exchanges if isinstance(ex.item, AnswerItem) and ex.item.history}
    ranks = {name: rank_of_right_source(ex) for name, ex in asked.items()}
    return [
        share_of(FIRST, {name: rank == 1 for name, rank in ranks.items()}),
        share_of(FOUND, {name: rank is not None and rank <= CUTOFF for name, rank in ranks.items()}),
        share_of(RIGHT, {name: is_right(ex) for name, ex in asked.items()}),
    ]
