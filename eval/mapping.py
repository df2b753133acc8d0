"""A mapping: how to put a question to a system that is not ours, and where the parts of its reply stand.

One TOML or JSON file a system; docs/targets.md explains each field. A template is JSON in which ``{question}`` and the
names of ``values`` stand for texts, and an object ``{"each_turn": …}`` in a list for one element a turn before, its
``{turn}`` being the earlier question.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.errors import MappingError
from eval.json_paths import JsonPath, parse_path

SHIPPED_TARGETS = Path(__file__).parent / "data" / "targets"

_PARTS = frozenset({"name", "values", "requests", "reply"})
_REQUEST_PARTS = frozenset({"method", "path", "query", "body"})
_REPLY_PARTS = frozenset(
    {"answer", "abstained_where", "abstained_phrases", "citations", "passages", "markers", "source_pattern"}
)
_LIST_PARTS = frozenset({"each", "where", "source", "quote", "title", "url", "start", "end"})


@dataclass(frozen=True, slots=True)
class MappedRequest:
    """One request a question.

    Attributes:
        name: Where its reply stands: the paths see ``$.<name>``.
        method: GET or POST.
        path: Comes after the service's address.
        query: Template of the part behind the question mark.
        body: Template of the JSON that is sent, None for none.
    """

    name: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class MappedList:
    """Where citations or passages stand.

    Attributes:
        each: The elements, in their order.
        fields: Paths of ``source``, ``quote``, ``title``, ``url``, ``start`` and ``end``, as far as they are there.
        where: Two paths whose values must be equal for an element to count, or ().
    """

    each: JsonPath
    fields: Mapping[str, JsonPath]
    where: tuple[JsonPath, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetMapping:
    """How to speak to one system.

    Attributes:
        name: What the report calls it.
        requests: Sent in this order.
        answer: The text of the answer.
        values: Texts for the templates.
        citations: What the answer leans on.
        passages: What was found, best first; without it, the citations.
        abstained_where: A value here that is neither empty nor false means that the system declined.
        abstained_phrases: So does an answer in which one of these is found.
        markers: Marks of citations in the answer, with their number, from 1, as first group.
        source_pattern: Its first group is the source's id in the question set.
    """

    name: str
    requests: tuple[MappedRequest, ...]
    answer: JsonPath
    values: Mapping[str, str] = field(default_factory=dict)
    citations: MappedList | None = None
    passages: MappedList | None = None
    abstained_where: JsonPath | None = None
    abstained_phrases: re.Pattern[str] | None = None
    markers: re.Pattern[str] | None = None
    source_pattern: re.Pattern[str] | None = None


def load_mapping(path: Path) -> TargetMapping:
    """Read a mapping; a bare name such as ``txtai`` stands for a shipped one.

    Raises:
        MappingError: the file is missing, is neither TOML nor JSON, or a part of it is wrong; the message says which.
    """
    shipped = SHIPPED_TARGETS / f"{path.name}.toml"
    chosen = shipped if str(path) == path.name and not path.exists() and shipped.exists() else path
    try:
        text = chosen.read_text(encoding="utf-8")
        body = json.loads(text) if chosen.suffix == ".json" else tomllib.loads(text)
    except OSError as fault:
        names = ", ".join(sorted(one.stem for one in SHIPPED_TARGETS.glob("*.toml")))
        raise MappingError(f"{path}: cannot be read: {fault.strerror}; the shipped ones are {names}") from fault
    except ValueError as fault:
        raise MappingError(f"{path}: is no TOML or JSON: {fault}") from fault
    try:
        return read_mapping(body)
    except MappingError as fault:
        raise MappingError(f"{path}: {fault.reason}") from fault


def read_mapping(body: Any) -> TargetMapping:
    """Make a mapping of a parsed file.

    Raises:
        MappingError: a part is missing, unknown, or of the wrong shape.
    """
    _check_parts(body, _PARTS, "the mapping", needed=("requests", "reply"))
    reply = body["reply"]
    _check_parts(reply, _REPLY_PARTS, "[reply]", needed=("answer",))
    values = _texts(body.get("values", {}), "[values]")
    requests = tuple(_request(name, part) for name, part in _table(body["requests"], "[requests]").items())
    if not requests:
        raise MappingError("[requests] is empty: at least one request must be sent")
    where = reply.get("abstained_where")
    return TargetMapping(
        name=str(body.get("name", "mapped target")),
        requests=requests,
        answer=_path(reply["answer"]),
        values=values,
        citations=_list(reply.get("citations"), "[reply.citations]"),
        passages=_list(reply.get("passages"), "[reply.passages]"),
        abstained_where=None if where is None else _path(where),
        abstained_phrases=_any_of(reply.get("abstained_phrases")),
        markers=_pattern(reply.get("markers"), "markers"),
        source_pattern=_pattern(reply.get("source_pattern"), "source_pattern"),
    )


def filled(template: Any, values: Mapping[str, str], history: tuple[str, ...] = ()) -> Any:
    """Return a template with its texts put in; what people typed is never read as a template."""
    if isinstance(template, str):
        return re.sub(r"\{(\w+)\}", lambda mark: values.get(mark[1], mark[0]), template)
    if isinstance(template, list):
        return [one for part in template for one in _elements(part, values, history)]
    if isinstance(template, dict):
        return {name: filled(part, values, history) for name, part in template.items()}
    return template


def _elements(part: Any, values: Mapping[str, str], history: tuple[str, ...]) -> list[Any]:
    if isinstance(part, dict) and part.keys() == {"each_turn"}:
        return [filled(part["each_turn"], {**values, "turn": turn}) for turn in history]
    return [filled(part, values, history)]


def _request(name: str, part: Any) -> MappedRequest:
    place = f"[requests.{name}]"
    _check_parts(part, _REQUEST_PARTS, place, needed=("path",))
    method = part.get("method", "POST")
    if method not in {"GET", "POST"}:
        raise MappingError(f"{place}: method is GET or POST")
    if not isinstance(part["path"], str) or not part["path"].startswith("/"):
        raise MappingError(f"{place}: path starts with /")
    return MappedRequest(name, method, part["path"], _texts(part.get("query", {}), f"{place} query"), part.get("body"))


def _list(part: Any, place: str) -> MappedList | None:
    if part is None:
        return None
    _check_parts(part, _LIST_PARTS, place, needed=("each", "source"))
    where = part.get("where", [])
    if not isinstance(where, list) or len(where) not in {0, 2}:
        raise MappingError(f"{place}: where is a list of two paths that must be equal")
    fields = {name: _path(part[name]) for name in part.keys() - {"each", "where"}}
    return MappedList(_path(part["each"]), fields, tuple(_path(one) for one in where))


def _check_parts(part: Any, known: frozenset[str], place: str, needed: tuple[str, ...]) -> None:
    for name in needed:
        if name not in _table(part, place):
            raise MappingError(f"{place} lacks {name}")
    for name in sorted(_table(part, place).keys() - known):
        raise MappingError(f"{place}: {name} is unknown; known are {', '.join(sorted(known))}")


def _table(part: Any, place: str) -> dict[str, Any]:
    if not isinstance(part, dict):
        raise MappingError(f"{place} is no table")
    return part


def _texts(part: Any, place: str) -> dict[str, str]:
    if not all(isinstance(value, str) for value in _table(part, place).values()):
        raise MappingError(f"{place}: every value is a text")
    return dict(part)


def _path(text: Any) -> JsonPath:
    if not isinstance(text, str):
        raise MappingError("a path is a text such as $.ask.answer")
    return parse_path(text)


def _pattern(text: Any, name: str) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except (re.error, TypeError) as fault:
        raise MappingError(f"{name} is no regular expression: {fault}") from fault
    if pattern.groups != 1:
        raise MappingError(f"{name} needs exactly one group in brackets")
    return pattern


def _any_of(phrases: Any) -> re.Pattern[str] | None:
    if phrases is None:
        return None
    if not isinstance(phrases, list) or not phrases or not all(isinstance(one, str) and one for one in phrases):
        raise MappingError("abstained_phrases is a list of texts")
    return re.compile("|".join(re.escape(one) for one in phrases), re.IGNORECASE)
