"""Right or wrong: the one verdict on an answer that calibration and risk are measured against.

Definition: an answer is right when its question has one, all key facts are met and a right source is cited. An
answer to a question that should have been declined is wrong whatever it says.

Trap: it judges answers that were given. Whether an abstention spared a wrong answer or lost a right one cannot be
seen from the reply, and no figure here pretends to know.

Paper: see ``key_fact`` and ``right_source``, which it joins.
"""

from eval.measures.key_fact import share_met
from eval.measures.right_source import cited_sources
from eval.records import AnswerItem, Exchange


def is_right(exchange: Exchange) -> bool:
    """Whether the answer of the exchange is right; False where there is none."""
    item, reply = exchange.item, exchange.reply
    if not isinstance(item, AnswerItem) or not reply.is_answered:
        return False
    return share_met(item, reply) == 1.0 and any(source in item.sources for source in cited_sources(reply))
