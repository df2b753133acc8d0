"""Right source: does the answer lean on a source that is right for the question?

Definition: over all answerable questions, the share whose answer cites at least one right source (any), whose first
sentence's first citation is of a right source (first), and the mean share of an answer's citations that are (all).

Trap: "any" grows with the number of citations: a target that cites everything gets 1. Read it beside the first and
the share of right citations. Abstained and failed questions cite nothing and count as 0.

Paper: attribution to a source as a measure of its own: B. Bohnet et al. (2022), Attributed question answering,
arXiv:2212.08037.
"""

from collections.abc import Sequence

from eval.figures import Heading, mean_of, share_of
from eval.records import AnswerItem, Exchange, Measured, Reply

GROUP = "Answering"

ANY = Heading("right_source_any", "A right source cited", "at least one citation comes from a right source", GROUP)
FIRST = Heading("right_source_first", "A right source cited first", "the first citation is of a right source", GROUP)
PRECISION = Heading(
    "right_source_share",
    "Citations from right sources",
    "of an answer's citations, the share from right sources",
    GROUP,
)


def cited_sources(reply: Reply) -> list[str]:
    """Return the source of each citation under the answer, in order; empty without an answer."""
    return [citation.source_id for citation in reply.cited()] if reply.is_answered else []


def measure_right_source(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure every answerable question."""
    any_right: dict[str, bool] = {}
    first_right: dict[str, bool] = {}
    share_right: dict[str, float] = {}
    for ex in exchanges:
        if isinstance(ex.item, AnswerItem):
            right = [source in ex.item.sources for source in cited_sources(ex.reply)]
            any_right[ex.item.id] = any(right)
            first_right[ex.item.id] = bool(right) and right[0]
            share_right[ex.item.id] = sum(right) / len(right) if right else 0.0
    return [share_of(ANY, any_right), share_of(FIRST, first_right), mean_of(PRECISION, share_right)]
