"""Question sets: JSON Lines in, checked items out, each fault explained by file and line.

Nothing of a faulty set is used: a question that silently falls away makes every figure look better.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from eval.errors import SetError
from eval.records import LEVELS, AnswerItem, DeclineItem, Item, KeyFact, Level, QuestionSet, TriageItem

DATA = Path(__file__).parent / "data"

Split = Literal["dev", "report"]

SHIPPED = ("answers", "dialogues", "triage")

PHRASINGS = frozenset("plain terse misspelt first_person rambling non_native multi_part negated".split())
REASONS_OF_CATEGORY: Mapping[str, frozenset[str]] = {
    "out_of_domain": frozenset({"out_of_scope"}),
    "other_health": frozenset({"out_of_scope", "nothing_found"}),
    "missing_detail": frozenset({"not_in_sources"}),
    "personal_dose": frozenset({"personal_advice"}),
    "personal_diagnosis": frozenset({"personal_advice"}),
    "false_premise": frozenset({"not_in_sources"}),
    "nonsense": frozenset({"unclear"}),
    "injection": frozenset({"out_of_scope"}),
}
STYLES = frozenset("plain misspelt slang other_person textspeak british euphemism foreign_english".split())
WHYS = frozenset("denied general past hypothetical harmless_sense everyday".split())

_FACT = re.compile(r"[a-z0-9][a-z0-9-]*:F\d{2,}")
_RULE = re.compile(r"RF\d{2}")
_MOST_KEY_FACTS = 3
_MOST_SAYINGS = 5
_LONG_WORDS = (80, 300)

_FIELDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "answer": (frozenset({"question", "sources", "key_facts"}), frozenset({"phrasing", "history"})),
    "decline": (frozenset({"question", "reason", "category"}), frozenset({"history"})),
    "alarm": (frozenset({"text", "level", "rules"}), frozenset({"style", "history"})),
    "long": (frozenset({"text", "level", "rules"}), frozenset({"style", "history"})),
    "near_miss": (frozenset({"text", "level", "near", "why"}), frozenset({"history"})),
}
"""What each kind must carry, and what it may, besides ``id`` and ``kind``."""
_ALWAYS_ALLOWED = frozenset({"approved", "note"})


def shipped_path(name: str, split: Split) -> Path:
    """Return where a shipped set stands, one of ``SHIPPED``."""
    return DATA / f"{name}.{split}.jsonl"


def shipped_names(split: Split) -> tuple[str, ...]:
    """Return the names of the shipped sets of a half, in the order in which they are asked."""
    return tuple(name for name in SHIPPED if shipped_path(name, split).exists())


def check_distinct(sets: Sequence[QuestionSet]) -> None:
    """Refuse sets that share an id: the scores of a run are kept by id, and one question would hide the other.

    Raises:
        SetError: an id stands in two sets.
    """
    owner: dict[str, str] = {}
    faults = []
    for part in sets:
        for item in part.items:
            first = owner.setdefault(item.id, part.name)
            if first != part.name:
                faults.append(
                    f'{part.name}: id "{item.id}" stands in {first} already; give each item a name of its own'
                )
    if faults:
        raise SetError(tuple(faults))


def load_set(path: Path) -> QuestionSet:
    """Read and check one set.

    Raises:
        SetError: the file cannot be read or holds at least one fault; all faults are named at once.
    """
    faults: list[str] = []
    items: list[Item] = []
    names: dict[str, int] = {}
    questions: dict[str, int] = {}
    try:
        raw = path.read_bytes()
        # Not splitlines: a JSON text may hold U+2028, which ends no line here.
        lines = raw.decode("utf-8").removesuffix("\n").split("\n")
    except OSError as fault:
        raise SetError((f"{path}:0: cannot be read: {fault.strerror}",)) from fault
    except UnicodeDecodeError as fault:
        raise SetError((f"{path}:0: is not UTF-8 from byte {fault.start} on",)) from fault
    for number, line in enumerate(lines, 1):
        found = list(_faults_of_line(line.removesuffix("\r")))
        if not found:
            item = _item(json.loads(line))
            found = list(_repeats(item, number, names, questions))
            items.append(item)
        faults.extend(f"{path}:{number}: {text}" for text in found)
    if faults:
        raise SetError(tuple(faults))
    return QuestionSet(path.name.removesuffix(".jsonl"), hashlib.sha256(raw).hexdigest(), tuple(items))


def item_as_json(item: Item) -> dict[str, Any]:
    """Return the item as a set holds it: reading it again gives the same item."""
    asked = {"history": list(item.history)} if item.history else {}
    if isinstance(item, AnswerItem):
        groups = [{"any": list(group.any), "say": list(group.say)} for group in item.key_facts]
        body = {"id": item.id, "kind": "answer", "phrasing": item.phrasing, "question": item.question}
        return {**body, "sources": list(item.sources), "key_facts": groups, **asked}
    if isinstance(item, DeclineItem):
        body = {"id": item.id, "kind": "decline", "reason": item.reason, "category": item.category}
        return {**body, "question": item.question, **asked}
    body = {"id": item.id, "kind": item.kind, "text": item.question, "level": item.level}
    if item.kind == "near_miss":
        return {**body, "near": list(item.near), "why": item.why, **asked}
    style = {"style": item.style} if item.style else {}
    return {**body, "rules": list(item.rules), **style, **asked}


def _repeats(item: Item, number: int, names: dict[str, int], questions: dict[str, int]) -> Iterator[str]:
    first = names.setdefault(item.id, number)
    if first != number:
        yield f'id "{item.id}" stands on line {first} already; give each item a name of its own'
    key = " ".join([*item.history, item.question]).casefold()
    first = questions.setdefault(key, number)
    if first != number:
        yield f"asks the same as line {first}; a repeated question counts twice"


def _faults_of_line(line: str) -> Iterator[str]:
    if not line.strip():
        yield "is empty; one JSON object a line, no blank lines"
        return
    try:
        body = json.loads(line)
    except ValueError as fault:
        yield f"is not JSON: {fault}"
        return
    if not isinstance(body, dict):
        yield "is not a JSON object"
        return
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        yield f"kind must be one of {_listed(_FIELDS)}"
        return
    shape = list(_faults_of_fields(body, kind))
    yield from shape
    if not shape:
        yield from _CHECKS[kind](body)


def _faults_of_fields(body: Mapping[str, Any], kind: str) -> Iterator[str]:
    needed, allowed = _FIELDS[kind]
    needed = needed | {"id", "kind"}
    for name in sorted(needed - body.keys()):
        yield f'"{name}" is missing from this {kind}'
    for name in sorted(body.keys() - needed - allowed - _ALWAYS_ALLOWED):
        yield f'"{name}" is no field of kind {kind}'
    for name in sorted(body.keys() & {"id", "question", "text", "phrasing", "reason", "category", "level", "style"}):
        if not isinstance(body[name], str) or not body[name].strip():
            yield f'"{name}" must be a text that is not empty'
    for name in sorted(body.keys() & {"sources", "rules", "near", "history"}):
        if not _is_texts(body[name]):
            yield f'"{name}" must be a list of texts'
    if body.get("approved", True) is not True:
        yield 'is a draft: read it, mend it, and set "approved" to true, or take the line away'


def _faults_of_answer(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("phrasing", "plain") not in PHRASINGS:
        yield f"phrasing must be one of {_listed(PHRASINGS)}"
    if not body["sources"]:
        yield '"sources" is empty: name every source that would be a right one'
    groups = body["key_facts"]
    if not isinstance(groups, list) or not 1 <= len(groups) <= _MOST_KEY_FACTS:
        yield f'"key_facts" must be a list of 1 to {_MOST_KEY_FACTS} groups'
        return
    for place, group in enumerate(groups, 1):
        yield from (f"key fact {place}: {text}" for text in _faults_of_group(group, set(body["sources"])))


def _faults_of_group(group: Any, sources: set[str]) -> Iterator[str]:
    if not isinstance(group, dict) or not group.keys() <= {"any", "say"}:
        yield 'must be an object with "any" and "say"'
        return
    facts, sayings = group.get("any", []), group.get("say", [])
    if not _is_texts(facts) or not _is_texts(sayings):
        yield '"any" and "say" must be lists of texts'
        return
    if not sayings or len(sayings) > _MOST_SAYINGS:
        yield f'"say" needs 1 to {_MOST_SAYINGS} strings'
    for saying in sayings:
        if saying != saying.lower() or not saying.strip():
            yield f'"say" is compared in lower case, but holds "{saying}"'
    for fact in facts:
        if not _FACT.fullmatch(fact):
            yield f'"{fact}" is no fact id such as "ninds-back-pain:F20"'
    if facts and not any(fact.rpartition(":")[0] in sources for fact in facts):
        yield 'no fact of "any" comes from one of the "sources"'


def _faults_of_decline(body: Mapping[str, Any]) -> Iterator[str]:
    category = body["category"]
    if category not in REASONS_OF_CATEGORY:
        yield f"category must be one of {_listed(REASONS_OF_CATEGORY)}"
    elif body["reason"] not in REASONS_OF_CATEGORY[category]:
        yield f"reason of category {category} must be {_listed(REASONS_OF_CATEGORY[category])}"


def _faults_of_alarm(body: Mapping[str, Any]) -> Iterator[str]:
    if body["level"] not in LEVELS[2:]:
        yield f"level of an alarm must be one of {_listed(LEVELS[2:])}"
    if body.get("style", "plain") not in STYLES:
        yield f"style must be one of {_listed(STYLES)}"
    yield from _faults_of_rules(body["rules"])


def _faults_of_long(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _faults_of_alarm(body)
    low, high = _LONG_WORDS
    words = len(body["text"].split())
    if not low <= words <= high:
        yield f"a long text has {low} to {high} words, this one {words}"


def _faults_of_near_miss(body: Mapping[str, Any]) -> Iterator[str]:
    if body["level"] not in LEVELS[:2]:
        yield f"level of a near miss must be one of {_listed(LEVELS[:2])}"
    if body["why"] not in WHYS:
        yield f"why must be one of {_listed(WHYS)}"
    if body["near"] or body["why"] != "everyday":  # a plain everyday question is near no rule
        yield from _faults_of_rules(body["near"])


def _faults_of_rules(rules: list[str]) -> Iterator[str]:
    if not rules:
        yield "names no rule"
    for rule in rules:
        if not _RULE.fullmatch(rule):
            yield f'"{rule}" is no rule id such as "RF01"'


_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "answer": _faults_of_answer,
    "decline": _faults_of_decline,
    "alarm": _faults_of_alarm,
    "long": _faults_of_long,
    "near_miss": _faults_of_near_miss,
}


def _item(body: Mapping[str, Any]) -> Item:
    history = tuple(body.get("history", ()))
    if body["kind"] == "answer":
        groups = tuple(KeyFact(tuple(group.get("any", ())), tuple(group["say"])) for group in body["key_facts"])
        phrasing = body.get("phrasing", "plain")
        return AnswerItem(body["id"], body["question"], phrasing, tuple(body["sources"]), groups, history)
    if body["kind"] == "decline":
        return DeclineItem(body["id"], body["question"], body["reason"], body["category"], history)
    return TriageItem(
        id=body["id"],
        kind=body["kind"],
        question=body["text"],
        level=cast("Level", body["level"]),
        rules=tuple(body.get("rules", ())),
        near=tuple(body.get("near", ())),
        style=body.get("style", ""),
        why=body.get("why", ""),
        history=history,
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
