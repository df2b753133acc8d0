"""What went wrong on a question, in one word, worst first, so that failures can be counted and browsed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.datasets import item_as_json
from eval.measures.key_fact import share_met
from eval.measures.proof import is_proven
from eval.measures.retrieval import CUTOFF, rank_of_right_source
from eval.measures.right_source import cited_sources
from eval.records import LEVELS, AnswerItem, DeclineItem, Exchange, TriageItem

TITLES = {
    "failed": "No reply",
    "missed_flag": "Missed red flag",
    "too_mild": "Warned too mildly",
    "should_abstain": "Should have abstained",
    "unproven": "Sentence without proof",
    "wrong_source": "Wrong source",
    "fact_missing": "Key fact missing",
    "needless_refusal": "Needless refusal",
    "not_in_ten": "Right source not found",
    "false_alarm": "False alarm",
    "too_strong": "Warned too strongly",
    "wrong_rule": "Warned about something else",
    "needless_note": "Note not needed",
    "note_missing": "General note missing",
}
"""Every kind of failure with the words of the report, in the order of the filters."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One question that went wrong.

    Attributes:
        kind: Key of ``TITLES``: the worst thing that happened.
        id: Item.
        question: As asked.
        slices: What the item is, such as its phrasing, for filters.
        expected: What would have been right, in words.
        got: What came, in words.
        status: Status of the reply.
        probability: As stated.
        rank: Rank of the first right source, None where it is not among the passages or none is right.
        citations: Title, quote, address and source of each citation under the answer.
        passages: Sources of the ranked passages.
        wall_ms: Time of the reply.
        test_case: The item as a line of a set.
    """

    kind: str
    id: str
    question: str
    slices: tuple[str, ...]
    expected: str
    got: str
    status: str
    probability: float | None
    rank: int | None
    citations: tuple[dict[str, str], ...]
    passages: tuple[str, ...]
    wall_ms: float
    test_case: str


def kind_of_failure(exchange: Exchange) -> str | None:
    """Return the worst thing that went wrong, None where all is well."""
    if exchange.reply.status == "failed":
        return "failed"
    if isinstance(exchange.item, TriageItem):
        return _kind_of_triage(exchange, exchange.item)
    if isinstance(exchange.item, DeclineItem):
        return "should_abstain" if exchange.reply.is_answered else None
    return _kind_of_answer(exchange, exchange.item)


def _kind_of_triage(exchange: Exchange, item: TriageItem) -> str | None:
    reply = exchange.reply
    gap = LEVELS.index(reply.level) - LEVELS.index(item.level)
    if item.is_alarm:
        if not reply.is_alarm:
            return "missed_flag"
        if gap:
            return "too_mild" if gap < 0 else "too_strong"
        return None if set(reply.rules) & set(item.rules) else "wrong_rule"
    if reply.is_alarm:
        return "false_alarm"
    if gap:
        return "needless_note" if gap > 0 else "note_missing"
    return None


def _kind_of_answer(exchange: Exchange, item: AnswerItem) -> str | None:
    reply = exchange.reply
    rank = rank_of_right_source(exchange)
    if not reply.is_answered:
        return "not_in_ten" if rank is None or rank > CUTOFF else "needless_refusal"
    if not is_proven(reply):
        return "unproven"
    if not any(source in item.sources for source in cited_sources(reply)):
        return "wrong_source"
    if share_met(item, reply) < 1:
        return "fact_missing"
    return "false_alarm" if reply.is_alarm else None


def list_failures(exchanges: Sequence[Exchange]) -> list[Failure]:
    """Return every failure, worst kind first, then in the order of the set."""
    order = list(TITLES)
    found = [_failure(ex, kind) for ex in exchanges if (kind := kind_of_failure(ex)) is not None]
    return sorted(found, key=lambda failure: order.index(failure.kind))


def _failure(exchange: Exchange, kind: str) -> Failure:
    item, reply = exchange.item, exchange.reply
    return Failure(
        kind=kind,
        id=item.id,
        question=item.question,
        slices=_slices(exchange),
        expected=expected_words(item),
        got=_got(exchange),
        status=reply.status,
        probability=reply.probability,
        rank=rank_of_right_source(exchange),
        citations=tuple(
            {"source": c.source_id, "title": c.title, "quote": c.quote, "url": c.url, "facts": " ".join(c.facts)}
            for c in reply.cited()
        ),
        passages=reply.passage_sources,
        wall_ms=exchange.wall_ms,
        test_case=json.dumps(item_as_json(item), ensure_ascii=False),
    )


def _slices(exchange: Exchange) -> tuple[str, ...]:
    item = exchange.item
    if isinstance(item, AnswerItem):
        return (item.phrasing, *item.sources)
    if isinstance(item, DeclineItem):
        return (item.category,)
    return (item.kind, *filter(None, (item.style, item.why)), *item.rules[:1], *item.near)


def expected_words(item: Any) -> str:
    """Say in words what would have been right."""
    if isinstance(item, AnswerItem):
        facts = "; and ".join(
            " or ".join([*group.any, *(f"“{saying}”" for saying in group.say)]) for group in item.key_facts
        )
        return f"from {', '.join(item.sources)}: {facts}"
    if isinstance(item, DeclineItem):
        return f"declined ({item.category}, reason {item.reason})"
    if item.is_alarm:
        return f"level {item.level}, rule {' or '.join(item.rules)}"
    return f"level {item.level} (near {', '.join(item.near)}: {item.why})"


def _got(exchange: Exchange) -> str:
    reply = exchange.reply
    if reply.status == "failed":
        return reply.error
    if isinstance(exchange.item, TriageItem):
        return f"level {reply.level}" + (f", rule {', '.join(reply.rules)}" if reply.rules else "")
    if reply.is_answered:
        return reply.answer
    return f"{reply.status}" + (f" ({reply.reason})" if reply.reason else "")
