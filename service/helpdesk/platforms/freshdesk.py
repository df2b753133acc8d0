"""Freshdesk: a webhook of an automation rule, which signs nothing: a long secret travels in a header of its own.

So the body is only as sure as the connection: use HTTPS, and let only Freshdesk's addresses through your proxy. There
is no time in it either; a message is known again by its ticket and words.
"""

import base64
from typing import Any, Final, Literal

from service.helpdesk.events import Action, Event
from service.helpdesk.platforms import (
    Call,
    Delivery,
    Field,
    Steps,
    Written,
    base_url,
    check_number,
    nothing_to_poll,
    number,
    required,
    stands_in,
    text_of,
)
from service.helpdesk.texts import as_html, message_text
from service.signing import check_any
from service.storage.connections import Connection
from service.storage.outbox import hash_key

FIELDS: Final = (
    Field("url", "Address of your Freshdesk, https://<name>.freshdesk.com"),
    Field("key", "API key of the agent that Backline works as", secret=True),
    Field(
        "handover_group", "Number of the group that a ticket goes to when a person must look (empty: none)", default=""
    ),
)
HOOK: Final[Literal["ours"]] = "ours"

_PRIORITIES: Final = {"emergency": 4, "today": 3}
_BODY: Final = """{"ticket_id": "{{ticket.id}}", "event": "{{triggered_event}}",
 "subject": "{{ticket.subject}}", "comment": "{{ticket.latest_public_comment}}",
 "description": "{{ticket.description}}"}"""
_NAMES: Final = ("ticket_id", "event", "subject", "comment", "description")
poll = nothing_to_poll


def check(delivery: Delivery, connection: Connection) -> None:
    """Hold a delivery to the secret in its header."""
    check_any(connection.hook_secrets, [delivery.headers.get("x-backline-secret", "")])


def read(delivery: Delivery, connection: Connection) -> Event | None:
    """Return the customer's newest words: the rule of :func:`instructions` fires for customers only."""
    body = delivery.pasted(_NAMES)
    ticket = number(body, "ticket_id")
    newest = text_of(body, "comment")
    first = "" if newest else text_of(body, "subject")
    text = message_text(newest or text_of(body, "description"), first, is_html=True)
    return Event(
        platform="freshdesk",
        connection=connection.name,
        delivery_id="",
        conversation_ref=ticket,
        message_id=hash_key(ticket, text, text_of(body, "event")),
        author_role="customer",
        text=text,
    )


def perform(action: Action, event: Event, connection: Connection, now: float) -> Steps[None]:
    """Do something to a ticket; Freshdesk has no drafts for programs."""
    del now
    ticket = f"tickets/{event.conversation_ref}"
    if action.kind == "note":
        yield _call(connection, "POST", f"{ticket}/notes", {"body": as_html(action.lines), "private": True})
    elif action.kind == "reply":
        yield _call(connection, "POST", f"{ticket}/reply", {"body": as_html(action.lines)})
    elif action.kind == "tag":
        answered = yield _call(connection, "GET", ticket)
        found = answered.json().get("tags")
        tags = [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []
        if action.tag not in tags:  # an update replaces all tags
            yield _call(connection, "PUT", ticket, {"tags": [*tags, action.tag]})
    elif action.kind == "handoff":
        changes: dict[str, Any] = {}
        if action.urgency in _PRIORITIES:
            changes["priority"] = _PRIORITIES[action.urgency]
        if connection.options["handover_group"]:
            changes["group_id"] = int(connection.options["handover_group"])
        if changes:
            yield _call(connection, "PUT", ticket, changes)


def is_done(action: Action, event: Event, connection: Connection) -> Steps[bool]:
    """Look among the ticket's conversations, a hundred a page, the oldest first."""
    written: list[Written] = []
    page = 1
    while True:
        path = f"tickets/{event.conversation_ref}/conversations?per_page=100&page={page}"
        answered = yield _call(connection, "GET", path)
        here = answered.list()
        written += [Written(text_of(one, "body"), private=one.get("private") is True) for one in here]
        if len(here) < 100:
            return stands_in(action, written)
        page += 1


def probe(connection: Connection) -> Steps[str]:
    """Look whether the key works."""
    check_number(connection, "handover_group")
    answered = yield _call(connection, "GET", "agents/me")
    required(answered.json(), "id")
    return ""


def instructions(connection: Connection, hook_url: str) -> str:
    """Say how the automation rules are made."""
    return (
        "In Admin, Workflows, Automations, make two rules with the action Trigger webhook:\n"
        "  1. under Ticket creation, for every ticket;\n"
        "  2. under Ticket updates, when an action is performed by Requester, and a reply is sent.\n"
        "The webhook is the same in both:\n"
        f"  Request type POST, URL {hook_url}\n"
        f'  Custom headers {{"X-Backline-Secret": "{connection.hook_secrets[0]}"}}\n'
        "  Encoding JSON, Advanced content:\n"
        f"{_BODY}\n"
        "Freshdesk signs nothing: let only its addresses reach this URL, over HTTPS."
    )


def _call(connection: Connection, method: str, path: str, body: Any = None) -> Call:
    pair = f"{connection.options['key']}:X".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}", "Accept": "application/json"}
    return Call(method, f"{base_url(connection)}/api/v2/{path}", headers, body)
