"""Robustness: does the same question, typed otherwise, get the same outcome?

Definition: each question is asked as it stands and changed (misspelt, shouted, padded with politeness, without
punctuation); those that a person has put into other words are asked in these too. The outcome is what a reader would
notice: answered or not, right or not, the level of triage. The figure is the share of questions whose outcome stays,
by change.

Trap: a target that always abstains never changes its mind: read this beside the figures of the plain run. And all
changes but the paraphrases are mechanical: staying firm under them is needed, not enough.

Paper: M. T. Ribeiro, T. Wu, C. Guestrin, S. Singh (2020), Beyond accuracy: behavioral testing of NLP models with
CheckList, ACL, doi:10.18653/v1/2020.acl-main.442 (invariance tests).
"""

from collections.abc import Mapping, Sequence

from eval.figures import Heading, share_of
from eval.measures.correctness import is_right
from eval.records import Exchange, Measured

GROUP = "Robustness"

Outcome = tuple[bool, bool, str]
"""Answered, right, level of triage."""


def outcome_of(exchange: Exchange) -> Outcome:
    """Return what a reader would notice of a reply."""
    return exchange.reply.is_answered, is_right(exchange), exchange.reply.level


def measure_robustness(plain: Sequence[Exchange], changed: Mapping[str, Sequence[Exchange]]) -> list[Measured]:
    """Measure each change against the plain run.

    Args:
        plain: The questions as they stand.
        changed: By name of the change, the same items or some of them; a failed reply on either side is no unchanged
            outcome.

    Raises:
        KeyError: an item was not asked as it stands.
    """
    before = {exchange.item.id: exchange for exchange in plain}
    measured = []
    for name, exchanges in changed.items():
        same = {
            after.item.id: "failed" not in {before[after.item.id].reply.status, after.reply.status}
            and outcome_of(before[after.item.id]) == outcome_of(after)
            for after in exchanges
        }
        heading = Heading(f"robust_{name}", f"Same outcome when {name}", "answer, verdict and warning all stay", GROUP)
        measured.append(share_of(heading, same))
    return measured
