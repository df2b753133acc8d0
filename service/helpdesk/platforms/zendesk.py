"""Zendesk Support: a webhook that a trigger fires, signed by Zendesk; comments through the ticket's update.

The body is the one that :func:`instructions` gives to paste: what tells messages apart stands inside it, where the
signature covers it, and not in a header that anyone could change.
"""

import base64
import re
from collections.abc import Iterator
from datetime import datetime
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
    objects,
    required,
    stands_in,
    text_of,
)
from service.helpdesk.texts import as_html, message_text
from service.signing import SignatureError, check_any, check_time, hmac_base64
from service.storage.connections import Connection
from service.storage.outbox import hash_key

FIELDS: Final = (
    Field("url", "Address of your Zendesk, https://<name>.zendesk.com"),
    Field("email", "E-mail address of the agent that Backline works as"),
    Field("token", "API token of your Zendesk", secret=True),
    Field("hook_secret", "Signing secret of the webhook (Zendesk shows it after the webhook is made)", secret=True),
    Field(
        "handover_group", "Number of the group that a ticket goes to when a person must look (empty: none)", default=""
    ),
)
HOOK: Final[Literal["theirs"]] = "theirs"

_PRIORITIES: Final = {"emergency": "urgent", "today": "high"}
_BODY: Final = """{"ticket_id": "{{ticket.id}}", "requester_id": "{{ticket.requester.id}}",
 "author_id": "{{current_user.id}}", "updated_at": "{{ticket.updated_at_with_timestamp}}",
 "locale": "{{ticket.requester.locale}}", "subject": "{{ticket.title}}",
 "text": "{{ticket.latest_public_comment}}"}"""
_NAMES: Final = ("ticket_id", "requester_id", "author_id", "updated_at", "locale", "subject", "text")
_HEADER: Final = re.compile(r"\A-{10,}\s*\n[^\n]{1,160}\n\s*")
"""Zendesk may put a rule and a line with author and date above the words of a comment."""
poll = nothing_to_poll


def check(delivery: Delivery, connection: Connection) -> None:
    """Hold a delivery to Zendesk's signature: base64 of HMAC-SHA256 over time and body."""
    stamp = delivery.headers.get("x-zendesk-webhook-signature-timestamp", "")
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        raise SignatureError("no time") from None
    if at.tzinfo is None:
        raise SignatureError("no time")
    check_time(str(max(0, int(at.timestamp()))), delivery.now)
    signed = stamp.encode() + delivery.body
    wanted = [hmac_base64(secret.encode(), signed, "sha256") for secret in connection.hook_secrets]
    check_any(wanted, [delivery.headers.get("x-zendesk-webhook-signature", "")])


def read(delivery: Delivery, connection: Connection) -> Event | None:
    """Return the comment of a delivery; only the requester's own is a customer's."""
    body = delivery.pasted(_NAMES)
    own = required(body, "author_id") == required(body, "requester_id")
    text = message_text(_HEADER.sub("", text_of(body, "text")), text_of(body, "subject"))
    return Event(
        platform="zendesk",
        connection=connection.name,
        delivery_id=delivery.headers.get("x-zendesk-webhook-invocation-id", ""),
        conversation_ref=number(body, "ticket_id"),
        # The time has minutes only: two messages of one minute differ in their words.
        message_id=hash_key(required(body, "updated_at"), text),
        author_role="customer" if own else "agent",
        text=text,
        locale=text_of(body, "locale"),
        received_at=text_of(body, "updated_at"),
    )


def perform(action: Action, event: Event, connection: Connection, now: float) -> Steps[None]:
    """Do something to a ticket; drafts live in the sidebar app."""
    del now
    for method, path, body in _changes(action, connection):
        yield _call(connection, method, f"tickets/{event.conversation_ref}{path}.json", body)


def is_done(action: Action, event: Event, connection: Connection) -> Steps[bool]:
    """Look among the newest hundred comments."""
    path = f"tickets/{event.conversation_ref}/comments.json?sort_order=desc&per_page=100"
    answered = yield _call(connection, "GET", path)
    comments = reversed(objects(answered.json().get("comments")))
    written = [Written(text_of(one, "html_body"), private=one.get("public") is False) for one in comments]
    return stands_in(action, written)


def probe(connection: Connection) -> Steps[str]:
    """Look whether the token works."""
    check_number(connection, "handover_group")
    answered = yield _call(connection, "GET", "users/me.json")
    required(answered.json(), "user", "id")
    return ""


def instructions(connection: Connection, hook_url: str) -> str:
    """Say how webhook and trigger are made."""
    del connection
    return (
        "1. In the Admin Center, Apps and integrations, Webhooks, make a webhook that connects to a trigger or\n"
        "   automation:\n"
        f"     Endpoint URL {hook_url}\n"
        "     Request method POST, request format JSON, authentication none\n"
        "   On the webhook's page Zendesk then reveals its signing secret.\n"
        "2. Under Objects and rules, Triggers, make a trigger with the conditions (all of them)\n"
        "     Current user Is (end user)\n"
        "     Comment Is Public\n"
        "   and the action Notify active webhook, this webhook, with the JSON body:\n"
        f"{_BODY}\n"
        "3. Under Apps and integrations, Zendesk API, allow API tokens and make one."
    )


def _changes(action: Action, connection: Connection) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if action.kind in {"note", "reply"}:
        comment = {"html_body": as_html(action.lines), "public": action.kind == "reply"}
        yield "PUT", "", {"ticket": {"comment": comment}}
    elif action.kind == "tag":
        yield "PUT", "/tags", {"tags": [action.tag]}  # PUT adds, POST would replace
    elif action.kind == "handoff":
        changes: dict[str, Any] = {}
        if action.urgency in _PRIORITIES:
            changes["priority"] = _PRIORITIES[action.urgency]
        if connection.options["handover_group"]:
            changes["group_id"] = int(connection.options["handover_group"])
        if changes:
            yield "PUT", "", {"ticket": changes}


def _call(connection: Connection, method: str, path: str, body: Any = None) -> Call:
    pair = f"{connection.options['email']}/token:{connection.options['token']}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}", "Accept": "application/json"}
    return Call(method, f"{base_url(connection)}/api/v2/{path}", headers, body)
