"""What comes in and what goes out, the same for every help desk."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

AuthorRole = Literal["customer", "agent", "bot"]
ActionKind = Literal["note", "draft", "reply", "tag", "handoff"]
Urgency = Literal["emergency", "today", "normal"]
LineKind = Literal["plain", "strong", "item"]


@dataclass(frozen=True, slots=True)
class Event:
    """One message in a help desk.

    Attributes:
        platform: Kind of help desk.
        connection: Name of the connection.
        delivery_id: What the platform calls this delivery; the same when it is sent again.
        conversation_ref: The ticket or conversation.
        message_id: The message in it.
        author_role: Who wrote it.
        text: What was written, plain.
        locale: Its language as far as the platform says, or "".
        received_at: When it came, ISO 8601 in UTC.
        history: What the customer wrote before in the same conversation, oldest first.
        automatic: Whether a machine says that it wrote the message: an out-of-office reply, a bulk mail.
        trial: Whether an operator tries the connection out: nothing of it goes to a customer.
    """

    platform: str
    connection: str
    delivery_id: str
    conversation_ref: str
    message_id: str
    author_role: AuthorRole
    text: str
    locale: str = ""
    received_at: str = ""
    history: tuple[str, ...] = ()
    automatic: bool = False
    trial: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return what can be kept."""
        return asdict(self)

    @staticmethod
    def from_json(kept: dict[str, Any]) -> "Event":
        """Return the event that was kept."""
        return Event(**{**kept, "history": tuple(kept["history"])})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text that every help desk can show.

    Attributes:
        text: Plain text.
        kind: A paragraph, a heading, or an item of a list.
        url: An address that follows the text, or "".
        lead: What comes before the text and must be read first, or "".
    """

    text: str
    kind: LineKind = "plain"
    url: str = ""
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do in a help desk.

    Attributes:
        kind: What to do.
        lines: The text of a note, draft or reply.
        tag: The tag of a ``tag``.
        urgency: How soon a person must look, of a ``handoff``.
        reason: Why a person must look, of a ``handoff``.
        marker: Stands in the text of a note, so that it is found again after a crash.
    """

    kind: ActionKind
    lines: tuple[Line, ...] = ()
    tag: str = ""
    urgency: Urgency = "normal"
    reason: str = ""
    marker: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what can be kept."""
        return asdict(self)

    @staticmethod
    def from_json(kept: dict[str, Any]) -> "Action":
        """Return the action that was kept."""
        return Action(**{**kept, "lines": tuple(Line(**line) for line in kept["lines"])})
