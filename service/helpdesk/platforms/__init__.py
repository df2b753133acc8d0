"""One module a help desk: pure functions both ways, found by their file. A new one touches nothing else.

Whatever must be asked of a help desk is a generator that yields calls and is sent what came back: it does nothing
itself, so tests and the network drive the same code.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Protocol, TypeVar, cast

from service.helpdesk.events import Action, Event
from service.helpdesk.texts import fingerprint, opening
from service.storage.connections import Connection

T = TypeVar("T")


class NonsenseError(ValueError):
    """What came cannot be read; the message says in a few words of ours what is missing."""


class RefusedError(ValueError):
    """The help desk takes the call but does not do it, or a setting cannot work; the message says which."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a help desk wants to hear back before it delivers messages; JSON."""

    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that an operator must say to connect a help desk.

    Attributes:
        name: Its name on the command line.
        asks: What is asked, in a few words.
        secret: Whether it is typed unseen and never printed.
        default: What holds when nothing is said; None where something must be.
    """

    name: str
    asks: str
    secret: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was sent to a hook.

    Attributes:
        headers: By lower-case name.
        body: The bytes as they came.
        now: When they came, seconds since 1970.
    """

    headers: Mapping[str, str]
    body: bytes
    now: float

    def json(self) -> dict[str, Any]:
        """Return the body.

        Raises:
            NonsenseError: it is no JSON object.
        """
        return _json_object(self.body)

    def pasted(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the body of a template that an operator pasted, also where texts were put into it as they are.

        No help desk documents that it escapes what it puts between the quotes; a text with a quotation mark must not
        be lost, and must not pass for another field: numbers stand first in a template, and the first of a name counts.

        Args:
            names: The fields in the order of the template, which writes them as ``"name": "value"``.

        Raises:
            NonsenseError: they are not there.
        """
        try:
            return _json_object(self.body, unique=True)
        except NonsenseError:
            return _cut(self.body.decode("utf-8", "replace"), names)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a help desk.

    Attributes:
        method: HTTP method.
        url: Whole address.
        headers: What goes with it, authentication among them.
        body: JSON, or None.
        accept: Statuses beside 2xx that mean something here.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(default=None, repr=False)
    accept: frozenset[int] = frozenset()

    def content(self) -> bytes | None:
        """Return the bytes of the body."""
        return None if self.body is None else json_bytes(self.body)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a help desk said to a call."""

    status: int
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any]:
        """Return the body.

        Raises:
            NonsenseError: it is no JSON object.
        """
        return _json_object(self.body)

    def list(self) -> list[dict[str, Any]]:
        """Return the objects of a body that is a JSON list.

        Raises:
            NonsenseError: it is none.
        """
        found = _parsed(self.body)
        if not isinstance(found, list):
            raise NonsenseError("no JSON list")
        return objects(found)


Steps = Generator[Call, Answered, T]


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a conversation: its text, with or without markup, and whether customers see it."""

    text: str
    private: bool


@dataclass(frozen=True, slots=True)
class Polled:
    """What is new in a help desk, and how far it has been read now."""

    events: tuple[Event, ...]
    mark: str


class Platform(Protocol):
    """What a module of this package offers.

    Attributes:
        FIELDS: What ``backline connect`` asks for.
        HOOK: Who makes the secret that signs deliveries: ``ours``, ``theirs`` (it is asked for), or ``none``: polled.
    """

    FIELDS: tuple[Field, ...]
    HOOK: Literal["ours", "theirs", "none"]

    def check(self, delivery: Delivery, connection: Connection) -> None:
        """Raise ``SignatureError`` when a delivery is not from the platform, changed or old."""

    def read(self, delivery: Delivery, connection: Connection) -> Event | Greeting | None:
        """Return the message of a checked delivery, None when it brings none; raise ``NonsenseError``.

        A :class:`Greeting` is sent back as it is, for help desks that try an address out before they use it.
        """

    def perform(self, action: Action, event: Event, connection: Connection, now: float) -> Steps[None]:
        """Do something; nothing where the platform has no such thing."""

    def is_done(self, action: Action, event: Event, connection: Connection) -> Steps[bool]:
        """Find out whether a note or reply already stands in the conversation."""

    def probe(self, connection: Connection) -> Steps[str]:
        """Find out whether the settings work; return the mark from which messages are read."""

    def poll(self, connection: Connection, mark: str) -> Steps[Polled]:
        """Read what is new since a mark, where ``HOOK`` is ``none``."""

    def instructions(self, connection: Connection, hook_url: str) -> str:
        """Say what to paste where, and nothing secret that the operator has typed."""


@cache
def platforms() -> dict[str, Platform]:
    """Return every help desk by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: cast("Platform", importlib.import_module(f"{__name__}.{name}")) for name in names}


def check_number(connection: Connection, name: str) -> None:
    """Refuse a setting that is neither empty nor a whole number.

    Raises:
        RefusedError: it is something else.
    """
    value = connection.options[name]
    if value and not (value.isascii() and value.isdigit()):
        raise RefusedError(f"{name} must be a number")


def base_url(connection: Connection) -> str:
    """Return the address of the help desk without a slash at its end."""
    return connection.options["url"].rstrip("/")


def nothing_to_poll(connection: Connection, mark: str) -> Steps[Polled]:
    """Poll nothing: for a platform that calls us."""
    del connection
    yield from ()
    return Polled((), mark)


def stands_in(action: Action, written: Sequence[Written]) -> bool:
    """Say whether a note or reply of ours is among what is written, the oldest first.

    A note is known by its marker. A reply is the same words where customers see them, after the note on its message:
    the same question may have had the same answer before.
    """
    marker = action.marker
    places = [place for place, one in enumerate(written) if one.private and marker in one.text]
    if action.kind == "note" or not places:
        return bool(places)
    wanted = opening(action.lines)
    return any(not one.private and wanted in fingerprint(one.text) for one in written[places[0] :])


def text_of(body: Mapping[str, Any], *path: str) -> str:
    """Return a text, or a number as text, from inside a JSON object; "" when it is not there."""
    found: Any = body
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def required(body: Mapping[str, Any], *path: str) -> str:
    """Return a text from inside a JSON object.

    Raises:
        NonsenseError: it is not there.
    """
    found = text_of(body, *path)
    if not found:
        raise NonsenseError(f"no {'.'.join(path)}")
    return found


def number(body: Mapping[str, Any], *path: str) -> str:
    """Return a whole number from inside a JSON object, as text: it will stand in an address.

    Raises:
        NonsenseError: there is none.
    """
    found = required(body, *path)
    if not (found.isascii() and found.isdigit() and len(found) < 20):
        raise NonsenseError(f"{'.'.join(path)} is no number")
    return found


def json_bytes(body: Any) -> bytes:
    """Return JSON as it is sent, and signed."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def objects(found: object) -> list[dict[str, Any]]:
    """Return the JSON objects of a list; nothing when it is no list."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _parsed(content: bytes, *, unique: bool = False) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_once_each if unique else None)
    except (ValueError, RecursionError):
        raise NonsenseError("no JSON") from None


def _json_object(content: bytes, *, unique: bool = False) -> dict[str, Any]:
    found = _parsed(content, unique=unique)
    if not isinstance(found, dict):
        raise NonsenseError("no JSON object")
    return found


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _cut(text: str, names: Sequence[str]) -> dict[str, Any]:
    """Return what stands between the names of a template, each looked for behind the one before it."""
    starts: list[tuple[int, int]] = []
    for name in names:
        place = text.find(f'"{name}": "', starts[-1][1] if starts else 0)
        if place < 0:
            raise NonsenseError(f"no {name}")
        starts.append((place, place + len(name) + 5))
    ends = [*(place for place, _ in starts[1:]), text.rfind("}")]
    values = (text[begin:end] for (_, begin), end in zip(starts, ends, strict=True))
    plain = (re.sub(r'"[\s,]*\Z', "", value).replace('\\"', '"').replace("\\n", "\n") for value in values)
    return dict(zip(names, plain, strict=True))
