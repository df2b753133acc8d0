"""Short ways to write exchanges down."""

from eval.records import AnswerItem, Citation, DeclineItem, Exchange, Item, KeyFact, Level, Reply, Sentence, TriageItem


def question(name: str = "a", sources: tuple[str, ...] = ("right",), *facts: str) -> AnswerItem:
    """An answerable question with one group of key facts."""
    return AnswerItem(name, f"{name}?", "plain", sources, (KeyFact(facts or ("right:F01",), ("hours to days",)),))


def decline(name: str = "d", category: str = "out_of_domain") -> DeclineItem:
    """A question to be declined."""
    return DeclineItem(name, f"{name}?", "out_of_scope", category)


def flag(name: str, level: Level, *rules: str) -> TriageItem:
    """A triage item: an alarm, or a near miss where the level is none or info."""
    if level in {"none", "info"}:
        return TriageItem(name, "near_miss", name, level, near=rules)
    return TriageItem(name, "alarm", name, level, rules)


def said(*parts: tuple[str, str, str], facts: tuple[str, ...] = (), probability: float | None = None) -> Reply:
    """An answer of sentences given as (text, source, quote), each with one citation that carries ``facts``."""
    return Reply(
        status="answered",
        answer=" ".join(text for text, _, _ in parts),
        sentences=tuple(Sentence(text, (f"c{place}",)) for place, (text, _, _) in enumerate(parts)),
        citations=tuple(
            Citation(f"c{place}", source, quote, facts=facts) for place, (_, source, quote) in enumerate(parts)
        ),
        probability=probability,
    )


def exchange(item: Item, reply: Reply, wall_ms: float = 1.0) -> Exchange:
    """An item with its reply."""
    return Exchange(item, reply, wall_ms)


SILENT = Reply("abstained", reason="out_of_scope")
FAILED = Reply("failed", error="it broke")
