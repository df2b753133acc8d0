"""Silence: does the target decline when it should, and only then?

Definition: over answerable questions and those to be declined, precision is the share of abstentions that were due,
recall the share of due abstentions that came, F1 their harmonic mean; "needless refusals" is the share of answerable
questions that got no answer. Recall stands by category as well.

Trap: a target that never answers has recall 1 and one that always answers has no needless refusal: neither number
means anything alone. A failure is neither an answer nor an abstention: it misses the abstention that was due, and it
is a needless refusal where an answer was due.

Paper: R. El-Yaniv, Y. Wiener (2010), On the foundations of noise-free selective classification, JMLR 11. F1:
C. J. van Rijsbergen (1979), Information retrieval, chapter 7.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eval.figures import Heading, share_of, single
from eval.records import AnswerItem, DeclineItem, Exchange, Measured
from eval.significance import bootstrap_statistic

GROUP = "Staying silent"

PRECISION = Heading(
    "silence_precision", "Abstentions that were due", "when it declines, how often that is right", GROUP
)
RECALL = Heading(
    "silence_recall", "Abstains when it should", "of the questions it cannot answer, the share declined", GROUP
)
F1 = Heading("silence_f1", "Abstention F1", "the two above in one; 1 is best", GROUP, "score")
NEEDLESS = Heading(
    "needless_refusals", "Needless refusals", "of the questions that have an answer, the share not answered", GROUP,
    better="lower",
)  # fmt: skip
REASON = Heading(
    "silence_reason", "The right reason given", "of the due abstentions that came, the share with it", GROUP
)


def measure_silence(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure both kinds of question of an answers set."""
    answerable = {ex.item.id: ex for ex in exchanges if isinstance(ex.item, AnswerItem)}
    declines = {ex.item.id: ex for ex in exchanges if isinstance(ex.item, DeclineItem)}
    both = answerable | declines
    silent = {name: ex for name, ex in both.items() if ex.reply.is_silent}
    reasons = {
        name: isinstance(ex.item, DeclineItem) and ex.reply.reason == ex.item.reason
        for name, ex in declines.items()
        if name in silent
    }
    return [
        share_of(PRECISION, {name: name in declines for name in silent}),
        share_of(RECALL, {name: name in silent for name in declines}),
        _f1([(name in declines, name in silent) for name in both]),
        share_of(NEEDLESS, {name: not ex.reply.is_answered for name, ex in answerable.items()}),
        share_of(REASON, reasons),
    ]


def recall_by_category(exchanges: Sequence[Exchange]) -> Mapping[str, tuple[int, int]]:
    """Return, by category of question to be declined, how many were and how many there are."""
    counts: dict[str, tuple[int, int]] = {}
    for ex in exchanges:
        if isinstance(ex.item, DeclineItem):
            declined, asked = counts.get(ex.item.category, (0, 0))
            counts[ex.item.category] = (declined + ex.reply.is_silent, asked + 1)
    return dict(sorted(counts.items()))


def _f1(cases: Sequence[tuple[bool, bool]]) -> Measured:
    table = np.asarray(cases, dtype=bool).reshape(-1, 2)

    def value(rows: NDArray[np.intp]) -> float | None:
        due, came = table[rows, 0], table[rows, 1]
        total = int(due.sum() + came.sum())
        return 2 * int(np.sum(due & came)) / total if total else None

    everything = np.arange(len(table))
    return single(F1, value(everything), bootstrap_statistic(len(table), value, seed=F1.seed), len(table))
