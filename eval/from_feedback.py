"""Items from what people really asked: questions that stayed unanswered, and answers that were disliked.

Input is what ``backline gaps --export`` writes, one distinct question a line. Nobody knows yet what the right outcome
is, so every item is a draft: a person decides whether the sources answer it, and writes the key fact, or whether
declining was right.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.errors import DraftError

_CATEGORY_OF_REASON: Mapping[str, tuple[str, str]] = {
    "out_of_scope": ("out_of_domain", "out_of_scope"),
    "nothing_found": ("other_health", "nothing_found"),
    "not_in_sources": ("missing_detail", "not_in_sources"),
    "partial": ("missing_detail", "not_in_sources"),
    "personal_advice": ("personal_dose", "personal_advice"),
    "unclear": ("nonsense", "unclear"),
}
_DISLIKED: Mapping[str, str] = {
    "warning": "a warning was missing or out of place: if so, make it an alarm or a near_miss",
    "wrong": "called wrong",
    "off": "called beside the question",
    "hard": "called hard to understand",
}


def items_from_feedback(path: Path) -> list[dict[str, Any]]:
    """Read an export and return lines of a set, none of them approved, in the order of the export.

    Raises:
        DraftError: the file cannot be read, or a line is no line of an export; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise DraftError(f"{path}: cannot be read: {fault}") from fault
    items: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, row in _rows(lines, path):
        question = " ".join(row["question"].split())
        if question.casefold() in seen:  # disliked and unanswered in turn: one item is enough
            continue
        seen.add(question.casefold())
        items.append(_item(row, question, number))
    return items


def _rows(lines: Sequence[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if lines == [""]:
        return
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if not isinstance(row["question"], str) or not row["question"].strip():
                raise DraftError(f"{path}:{number}: the question is no text")
            if row["kind"] not in {"unanswered", "disliked"}:
                raise DraftError(f'{path}:{number}: kind must be "unanswered" or "disliked"')
        except (ValueError, KeyError, TypeError) as fault:
            raise DraftError(f"{path}:{number}: is no line of `backline gaps --export`: {fault!r}") from fault
        yield number, row


def _item(row: Mapping[str, Any], question: str, number: int) -> dict[str, Any]:
    reason = str(row.get("reason") or "")
    head = {"id": str(row.get("id") or f"gap-{number:03}")}
    tail = {"approved": False, "note": _note(row, reason)}
    if row["kind"] == "unanswered" and reason in _CATEGORY_OF_REASON:
        category, declined = _CATEGORY_OF_REASON[reason]
        return {**head, "kind": "decline", "reason": declined, "category": category, "question": question, **tail}
    nearest = row.get("nearest_source")
    sources = [nearest] if nearest else []
    return {**head, "kind": "answer", "question": question, "sources": sources, "key_facts": [{"say": []}], **tail}


def _note(row: Mapping[str, Any], reason: str) -> str:
    count = row.get("count", 1)
    times = "once" if count == 1 else f"{count} times"
    name = row.get("cluster_name") or row["question"]
    topic = f", with others on {name}" if name != row["question"] else ""
    if row["kind"] == "disliked":
        why = f" and {_DISLIKED[reason]}" if reason in _DISLIKED else ""
        return f"disliked {times}{topic}{why}; name the right sources and what a right answer must say"
    near = f"; nearest is {row['nearest_source']}" if row.get("nearest_source") else ""
    return (
        f"asked {times}{topic} and not answered ({reason or 'no reason'}){near}; approve it if declining is right, "
        "else make it an answer with sources and key_facts"
    )
