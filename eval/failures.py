"""What went wrong on a question, in one word, worst first, so that failures can be counted and browsed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.datasets import item_as_json
from eval.measures.key_fact import share_met
from eval.measures.proof import is_proven
from eval.measures.retrieval import CUTOFF, first_rank, rank_of_right_source
from eval.measures.right_source import cited_sources
from eval.records import LEVELS, AnswerItem, DeclineItem, Exchange, Item, TriageItem

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
        history: The questions before it.
        slices: What the item is, such as its phrasing, for filters.
        expected: What would have been right, in words.
        got: What came, in words.
        answer: The answer under a warning, where ``got`` is about the warning.
        status: Status of the reply.
        probability: As stated.
        ranks: Rank of the first right source by searcher, ``fused`` for the whole engine, None where it was not found;
            empty for items without a right source.
        checks: What was looked at, and whether it held.
        citations: Title, quote, address and source of each citation under the answer.
        passages: Sources of the ranked passages.
        wall_ms: Time of the reply.
        test_case: The item as a line of a set.
    """

    kind: str
    id: str
    question: str
    history: tuple[str, ...]
    slices: tuple[str, ...]
    expected: str
    got: str
    answer: str
    status: str
    probability: float | None
    ranks: Mapping[str, int | None]
    checks: Mapping[str, bool]
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
        history=item.history,
        slices=_slices(exchange),
        expected=expected_words(item),
        got=what_came(exchange),
        answer=reply.answer if isinstance(item, TriageItem) else "",
        status=reply.status,
        probability=reply.probability,
        ranks=ranks_of_right_source(exchange),
        checks=_checks(exchange),
        citations=tuple(
            {"source": c.source_id, "title": c.title, "quote": c.quote, "url": c.url, "facts": " ".join(c.facts)}
            for c in reply.cited()
        ),
        passages=reply.passage_sources,
        wall_ms=exchange.wall_ms,
        test_case=json.dumps(item_as_json(item), ensure_ascii=False),
    )


def turn_of(item: Item) -> str:
    """Say which turn of a conversation the item is: ``first question``, or ``follow-up, turn 2`` and on."""
    return f"follow-up, turn {len(item.history) + 1}" if item.history else "first question"


def ranks_of_right_source(exchange: Exchange) -> dict[str, int | None]:
    """Return the rank of the first right source by searcher, ``fused`` for the whole engine; empty without one."""
    if not isinstance(exchange.item, AnswerItem):
        return {}
    right = exchange.item.sources
    apart = {name: first_rank(ranking, right) for name, ranking in exchange.by_searcher.items()}
    return {**apart, "fused": rank_of_right_source(exchange)}


def _slices(exchange: Exchange) -> tuple[str, ...]:
    item = exchange.item
    turn = (turn_of(item),) if item.history else ()
    if isinstance(item, AnswerItem):
        return (item.phrasing, *item.sources, *turn)
    if isinstance(item, DeclineItem):
        return (item.category, *turn)
    return (item.kind, *filter(None, (item.style, item.why)), *item.rules[:1], *item.near, *turn)


def _checks(exchange: Exchange) -> dict[str, bool]:
    """Return what was looked at on this question, and whether it held; nothing where no reply came."""
    item, reply = exchange.item, exchange.reply
    if reply.status == "failed":
        return {}
    if isinstance(item, DeclineItem):
        return {"declined": reply.is_silent, "the right reason": reply.reason == item.reason}
    if isinstance(item, TriageItem):
        found = {"level": reply.level == item.level}
        return (
            {"warned": reply.is_alarm, **found, "rule": bool(set(reply.rules) & set(item.rules))}
            if item.is_alarm
            else found
        )
    cited = cited_sources(reply)
    return {
        "answered": reply.is_answered,
        "word for word": is_proven(reply),
        "right source": any(source in item.sources for source in cited),
        "right source first": cited[:1] != [] and cited[0] in item.sources,
        "key facts": share_met(item, reply) == 1,
        "no needless alarm": not reply.is_alarm,
    }


def expected_words(item: Item) -> str:
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


def what_came(exchange: Exchange) -> str:
    """Say in words what came: the answer, the level of a warning, or why there was none."""
    reply = exchange.reply
    if reply.status == "failed":
        return reply.error
    if isinstance(exchange.item, TriageItem):
        return f"level {reply.level}" + (f", rule {', '.join(reply.rules)}" if reply.rules else "")
    if reply.is_answered:
        return reply.answer
    return f"{reply.status}" + (f" ({reply.reason})" if reply.reason else "")
