"""What was said to each question, kept beside a run so that two runs can be read side by side."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from eval.errors import RunError
from eval.failures import expected_words, kind_of_failure, ranks_of_right_source, what_came
from eval.measures.right_source import cited_sources
from eval.records import Exchange

FILE = "replies.jsonl"


@dataclass(frozen=True, slots=True)
class Told:
    """One question and what came.

    Attributes:
        id: Item.
        question: As asked.
        history: The questions before it.
        expected: What would have been right, in words.
        got: What came, in words.
        sources: The cited ones.
        ranks: Rank of the first right source by searcher, None where it was not found; empty for items without one.
        kind: What went wrong, "" where all is well.
    """

    id: str
    question: str
    history: tuple[str, ...]
    expected: str
    got: str
    sources: tuple[str, ...]
    ranks: Mapping[str, int | None]
    kind: str


def tell(exchange: Exchange) -> Told:
    """Return what is kept of one exchange."""
    return Told(
        id=exchange.item.id,
        question=exchange.item.question,
        history=exchange.item.history,
        expected=expected_words(exchange.item),
        got=what_came(exchange),
        sources=tuple(dict.fromkeys(cited_sources(exchange.reply))),
        ranks=ranks_of_right_source(exchange),
        kind=kind_of_failure(exchange) or "",
    )


def write_replies(exchanges: Sequence[Exchange], path: Path) -> None:
    """Write one object a question."""
    lines = (json.dumps(asdict(tell(exchange)), ensure_ascii=False) for exchange in exchanges)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def load_replies(run: Path) -> dict[str, Told]:
    """Read what was said in a run by id of the question; empty where only the figures were kept.

    Args:
        run: The folder of a run, or its ``run.json``.

    Raises:
        RunError: the file is there and holds something else.
    """
    path = (run if run.is_dir() else run.parent) / FILE
    if not path.exists():
        return {}
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        told = [Told(**{**row, "history": tuple(row["history"]), "sources": tuple(row["sources"])}) for row in rows]
    except (ValueError, KeyError, TypeError) as fault:
        raise RunError(str(path), f"holds no replies of a run: {fault!r}") from fault
    return {one.id: one for one in told}
