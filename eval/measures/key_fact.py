"""Key facts: does the answer say what a right answer must say?

Definition: a group of facts is met when a citation that a sentence of the answer leans on carries one of the group's
fact ids. Where no citation of the reply carries fact ids at all (another system, a user's own documents), a group is
met when one of its strings stands in the answer, letter case and white space aside. A question counts when every
group is met.

Trap: a fact in a passage that was found but not said helps nobody: only citations under the answer count. And a fact
id says which sentence of a digest was cited, not that the answer repeats it faithfully: that is ``proof``. An
abstention and a failure meet nothing.

Paper: the nugget method, E. M. Voorhees (2003), Overview of the TREC 2003 question answering track.
"""

from collections.abc import Mapping, Sequence

from eval.figures import Heading, mean_of, share_of
from eval.records import AnswerItem, Exchange, KeyFact, Measured, Reply

GROUP = "Answering"

ALL_MET = Heading("key_facts_all", "Key facts all present", "the answer carries everything that it must say", GROUP)
SHARE_MET = Heading(
    "key_facts_share", "Key facts present", "of the things to be said, the share said (half of two counts half)", GROUP
)


def is_met(group: KeyFact, reply: Reply) -> bool:
    """Whether the answer of ``reply`` says the fact of ``group``."""
    if not reply.is_answered:
        return False
    if group.any and any(citation.facts for citation in reply.citations):
        wanted = set(group.any)
        return any(wanted.intersection(citation.facts) for citation in reply.cited())
    return is_said(group, reply.answer or " ".join(sentence.text for sentence in reply.sentences))


def is_said(group: KeyFact, text: str) -> bool:
    """Whether one of the strings of ``group`` stands in a text, letter case and white space aside."""
    answer = _plain(text)
    return any(_plain(saying) in answer for saying in group.say)


def share_met(item: AnswerItem, reply: Reply) -> float:
    """Return the share of the item's groups that the answer meets."""
    return sum(is_met(group, reply) for group in item.key_facts) / len(item.key_facts)


def measure_key_facts(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure every answerable question."""
    shares: Mapping[str, float] = {
        ex.item.id: share_met(ex.item, ex.reply) for ex in exchanges if isinstance(ex.item, AnswerItem)
    }
    return [share_of(ALL_MET, {name: share == 1.0 for name, share in shares.items()}), mean_of(SHARE_MET, shares)]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
