"""Request Tracker 5 over REST 2.0: polled by transaction number, since RT sends no webhooks.

Numbers, not times, say what is new: RT reads the times of a search in the time zone of the user who searches.
Addresses in RT's replies name its configured domain, not the one that was asked, so none of them is followed.
"""

import base64
import json
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from service.helpdesk.events import Action, Event
from service.helpdesk.platforms import (
    Call,
    Delivery,
    Field,
    NonsenseError,
    Polled,
    RefusedError,
    Steps,
    base_url,
    objects,
    text_of,
)
from service.helpdesk.texts import as_html, fingerprint, message_text, opening
from service.signing import SignatureError
from service.storage.connections import Connection

FIELDS: Final = (
    Field("url", "Address of RT, without /REST"),
    Field("user", "RT user that Backline works as"),
    Field("password", "Its password", secret=True),
    Field("queue", "Queue whose customers are answered"),
    Field("handover_queue", "Queue that a ticket moves to when a person must look (empty: it stays)", default=""),
    Field("handover_owner", "RT user who then owns it (empty: nobody is named)", default=""),
    Field("tag_field", "Custom field of tickets that takes tags (empty: none)", default=""),
)
HOOK: Final[Literal["none"]] = "none"

_OVERLAP: Final = 50
"""Transactions may become visible out of order; this many before the newest are looked at again."""
_PRIORITIES: Final = {"emergency": 100, "today": 80}
_PAGE: Final = 100
_MACHINES: Final = ("auto-submitted:", "x-auto-response-suppress:", "x-autoreply:", "x-autorespond:")
_BULK: Final = ("bulk", "junk", "list", "auto_reply")
_HISTORY: Final = 5


def check(delivery: Delivery, connection: Connection) -> None:
    """Refuse every delivery: RT is polled."""
    del delivery, connection
    raise SignatureError("this help desk is polled and has no hook")


def read(delivery: Delivery, connection: Connection) -> Event | None:
    """Return nothing."""
    del delivery, connection
    return None


def perform(action: Action, event: Event, connection: Connection, now: float) -> Steps[None]:
    """Do something to a ticket; RT has no drafts."""
    del now
    ticket = f"ticket/{event.conversation_ref}"
    if action.kind in {"note", "reply"}:
        body: dict[str, Any] = {"Content": as_html(action.lines), "ContentType": "text/html"}
        yield _call(connection, "POST", f"{ticket}/{'comment' if action.kind == 'note' else 'correspond'}", body)
    elif action.kind == "tag" and connection.options["tag_field"]:
        yield from _tag(connection, ticket, action.tag)
    elif action.kind == "handoff":
        yield from _hand_over(connection, ticket, action)


def is_done(action: Action, event: Event, connection: Connection) -> Steps[bool]:
    """Look for the note's marker, or the reply's words, among what we wrote into the ticket after the message."""
    wanted = action.marker if action.kind == "note" else opening(action.lines)
    kind = "Comment" if action.kind == "note" else "Correspond"
    query = (
        f"ObjectType = 'RT::Ticket' AND ObjectId = {int(event.conversation_ref)} AND Type = '{kind}'"
        f" AND id > {int(event.message_id)}"
    )
    found = yield from _search(connection, query, "Creator")
    for transaction in found:
        if not _is_ours(text_of(transaction, "Creator", "id"), connection):
            continue
        for part in (yield from _parts(connection, text_of(transaction, "id"))):
            content = text_of(part, "Content")
            if wanted in (content if action.kind == "note" else fingerprint(content)):
                return True
    return False


def probe(connection: Connection) -> Steps[str]:
    """Look whether user and queue are there; only what is written from now on is answered."""
    for name in ("queue", "handover_queue"):
        if connection.options[name]:
            path = f"queue/{quote(connection.options[name], safe='')}"
            answered = yield _call(connection, "GET", path, accept=frozenset({403, 404}))
            if not answered.ok:
                raise RefusedError(f"RT shows its user no queue of the name in {name}; it needs SeeQueue there")
            text_of(answered.json(), "Name")
    found = yield _transactions(connection, "ObjectType = 'RT::Ticket'", "Creator", order="DESC", page=1, size=1)
    newest = objects(found.json().get("items"))
    return json.dumps({"last": int(text_of(newest[0], "id")) if newest else 0, "recent": []})


def poll(connection: Connection, mark: str) -> Steps[Polled]:
    """Read the messages after a mark.

    The mark holds the highest number seen and those among the last ones that were looked at.
    """
    kept = json.loads(mark)
    last, recent = int(kept["last"]), set(map(int, kept["recent"]))
    lowest = int(kept.get("first", last))
    after = max(last - _OVERLAP, lowest)
    query = (
        f"ObjectType = 'RT::Ticket' AND (Type = 'Create' OR Type = 'Correspond') AND id > {after}"
        f" AND TicketQueue = '{connection.options['queue'].replace(chr(39), chr(92) + chr(39))}'"
    )
    events = []
    for transaction in (yield from _search(connection, query, "Type,Creator,Created,ObjectId")):
        number = int(text_of(transaction, "id"))
        if number in recent:
            continue
        event = yield from _event(connection, transaction)
        if event is not None:
            events.append(event)
        recent.add(number)
        last = max(last, number)
    kept_recent = sorted(number for number in recent if number > last - _OVERLAP)
    return Polled(tuple(events), json.dumps({"first": lowest, "last": last, "recent": kept_recent}))


def instructions(connection: Connection, hook_url: str) -> str:
    """Say what RT needs: a user with rights."""
    del hook_url
    queue = connection.options["queue"]
    lines = [
        "Nothing is pasted into RT: while `backline serve` runs, it asks RT every few seconds for new messages.",
        f"The user {connection.options['user']} needs these rights on the queue {queue}: SeeQueue, ShowTicket,",
        "ShowTicketComments, CommentOnTicket, ModifyTicket, and ReplyToTicket if customers are to be answered;",
        "deploy/request-tracker/initialdata makes such a user.",
    ]
    moved = connection.options["handover_queue"]
    if moved:
        lines.append(f"To move tickets to {moved} it needs SeeQueue, CreateTicket, ShowTicket and ModifyTicket there.")
    if not connection.options["tag_field"]:
        lines.append("Without tag_field tickets get no tags: an emergency shows by its priority, 100, and its note.")
    return "\n".join(lines)


def _tag(connection: Connection, ticket: str, tag: str) -> Steps[None]:
    """Add a value to the field of tags; a change replaces all its values."""
    name = connection.options["tag_field"]
    tags = yield from _tags(connection, ticket)
    if tag not in tags:
        yield _call(connection, "PUT", ticket, {"CustomFields": {name: [*tags, tag]}})
        if tag not in (yield from _tags(connection, ticket)):
            raise RefusedError(f"RT did not take the tag {tag}: is there such a field, and may its user change it?")


def _tags(connection: Connection, ticket: str) -> Steps[list[str]]:
    answered = yield _call(connection, "GET", ticket)
    for custom in objects(answered.json().get("CustomFields")):
        if text_of(custom, "name") == connection.options["tag_field"]:
            return [str(value) for value in custom.get("values") or ()]
    return []


def _hand_over(connection: Connection, ticket: str, action: Action) -> Steps[None]:
    """Change a ticket, and look whether it changed: RT says 200 also to what its user may not do."""
    queue, owner = connection.options["handover_queue"], connection.options["handover_owner"]
    changes: dict[str, Any] = {}
    if action.urgency in _PRIORITIES:
        changes["Priority"] = _PRIORITIES[action.urgency]
    if owner:
        changes["Owner"] = owner
    if queue:
        changes["Queue"] = queue
    if not changes:
        return
    yield _call(connection, "PUT", ticket, changes, accept=frozenset({403, 404}) if queue else frozenset())
    answered = yield _call(connection, "GET", ticket, accept=frozenset({403, 404}))
    if not answered.ok:
        return  # it lies where Backline sees nothing
    found = answered.json()
    if queue:
        named = yield _call(connection, "GET", f"queue/{int(text_of(found, 'Queue', 'id'))}")
        if text_of(named.json(), "Name").casefold() != queue.casefold():
            raise RefusedError("RT did not move the ticket: its user needs the right CreateTicket in handover_queue")
    if owner and text_of(found, "Owner", "id").casefold() != owner.casefold():
        raise RefusedError("RT did not change the owner: handover_owner needs the right OwnTicket, and we ModifyTicket")
    if "Priority" in changes and text_of(found, "Priority") != str(changes["Priority"]):
        raise RefusedError("RT did not raise the priority: its user needs the right ModifyTicket")


def _is_ours(creator: str, connection: Connection) -> bool:
    return creator.casefold() == connection.options["user"].casefold()


def _event(connection: Connection, transaction: dict[str, Any]) -> Steps[Event | None]:
    number, ticket_id = text_of(transaction, "id"), text_of(transaction, "ObjectId")
    creator = text_of(transaction, "Creator", "id")
    if _is_ours(creator, connection):
        return None
    answered = yield _call(connection, "GET", f"ticket/{ticket_id}", accept=frozenset({403, 404}))
    if not answered.ok:
        return None
    ticket = answered.json()
    requestors = {text_of(one, "id") for one in objects(ticket.get("Requestor"))} or {text_of(ticket, "Creator", "id")}
    first = text_of(transaction, "Type") == "Create"
    # A form or a colleague opens a ticket for a customer; later messages are the requestors' own.
    if not first and creator not in requestors:
        return None
    parts = yield from _parts(connection, number)
    automatic = any(_is_automatic(text_of(part, "Headers")) for part in parts)
    history: tuple[str, ...] = ()
    if not first and not automatic:
        history = yield from _earlier(connection, ticket_id, int(number), requestors)
    return Event(
        platform="rt",
        connection=connection.name,
        delivery_id=number,
        conversation_ref=ticket_id,
        message_id=number,
        author_role="customer",
        text=_written(parts, text_of(ticket, "Subject") if first else ""),
        received_at=text_of(transaction, "Created"),
        history=history,
        automatic=automatic,
    )


def _earlier(connection: Connection, ticket_id: str, before: int, requestors: set[str]) -> Steps[tuple[str, ...]]:
    query = (
        f"ObjectType = 'RT::Ticket' AND ObjectId = {int(ticket_id)} AND id < {before}"
        " AND (Type = 'Create' OR Type = 'Correspond')"
    )
    texts: tuple[str, ...] = ()
    for transaction in (yield from _search(connection, query, "Type,Creator"))[-_HISTORY:]:
        if text_of(transaction, "Type") == "Create" or text_of(transaction, "Creator", "id") in requestors:
            parts = yield from _parts(connection, text_of(transaction, "id"))
            texts = (*texts, _written(parts))
    return tuple(filter(None, texts))


def _search(connection: Connection, query: str, fields: str) -> Steps[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answered = yield _transactions(connection, query, fields, order="ASC", page=page, size=_PAGE)
        body = answered.json()
        if not isinstance(body.get("items"), list):
            raise NonsenseError("no list of transactions")
        here = objects(body["items"])
        found += here
        if len(here) < _PAGE:  # RT counts its pages for a superuser only
            return found
        page += 1


def _parts(connection: Connection, transaction_id: str) -> Steps[list[dict[str, Any]]]:
    fields = urlencode({"fields": "ContentType,Content,Headers,Filename", "per_page": str(_PAGE)})
    answered = yield _call(connection, "GET", f"transaction/{int(transaction_id)}/attachments?{fields}")
    return objects(answered.json().get("items"))


def _written(parts: list[dict[str, Any]], subject: str = "") -> str:
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if text_of(part, "ContentType") == kind and not text_of(part, "Filename"):
                return message_text(text_of(part, "Content"), subject, is_html=kind == "text/html")
    return message_text("", subject)


def _is_automatic(headers: str) -> bool:
    for line in headers.lower().splitlines():
        name, _, value = line.partition(":")
        if f"{name}:" in _MACHINES and value.strip() != "no":
            return True
        if name == "precedence" and value.strip() in _BULK:
            return True
    return False


def _transactions(connection: Connection, query: str, fields: str, *, order: str, page: int, size: int) -> Call:
    asked = {"query": query, "fields": fields, "orderby": "id", "order": order, "page": page, "per_page": size}
    return _call(connection, "GET", f"transactions?{urlencode(asked)}")


def _call(
    connection: Connection, method: str, path: str, body: Any = None, accept: frozenset[int] = frozenset()
) -> Call:
    pair = f"{connection.options['user']}:{connection.options['password']}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}", "Accept": "application/json"}
    return Call(method, f"{base_url(connection)}/REST/2.0/{path}", headers, body, accept)
