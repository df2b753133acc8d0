"""Zammad: a trigger's webhook, signed with HMAC-SHA1 over the body; articles on the ticket.

No time is signed, but the article's own stands in the signed body: one that is older than the retries is refused, and
a younger one is known again by its number.
"""

from datetime import datetime
from typing import Any, Final, Literal

from service.helpdesk.events import Action, Event
from service.helpdesk.platforms import (
    Call,
    Delivery,
    Field,
    NonsenseError,
    Steps,
    Written,
    base_url,
    nothing_to_poll,
    number,
    required,
    stands_in,
    text_of,
)
from service.helpdesk.texts import as_html, message_text
from service.signing import SignatureError, check_any, hmac_hex
from service.storage.connections import Connection

FIELDS: Final = (
    Field("url", "Address of your Zammad"),
    Field("token", "Access token of the agent that Backline works as (ticket.agent)", secret=True),
    Field(
        "handover_group", "Name of the group that a ticket goes to when a person must look (empty: none)", default=""
    ),
)
HOOK: Final[Literal["ours"]] = "ours"

RETRY_SECONDS: Final = 3_600
"""Zammad delivers again after failures; what is older than this is not its own doing."""
_PRIORITIES: Final = {"emergency": "3 high", "today": "3 high"}
poll = nothing_to_poll


def check(delivery: Delivery, connection: Connection) -> None:
    """Hold a delivery to Zammad's signature, and its article to a time near now."""
    wanted = [f"sha1={hmac_hex(secret.encode(), delivery.body, 'sha1')}" for secret in connection.hook_secrets]
    check_any(wanted, [delivery.headers.get("x-hub-signature", "")])
    try:
        at = datetime.fromisoformat(text_of(delivery.json(), "article", "created_at"))
    except (ValueError, NonsenseError):
        raise SignatureError("no time") from None
    if at.tzinfo is None or abs(delivery.now - at.timestamp()) > RETRY_SECONDS:
        raise SignatureError("too old")


def read(delivery: Delivery, connection: Connection) -> Event | None:
    """Return the article of a delivery; internal ones bring none."""
    body = delivery.json()
    if body["article"].get("internal") is True:
        return None
    preferences = body["article"].get("preferences")
    automatic = isinstance(preferences, dict) and preferences.get("is-auto-response") is True
    return Event(
        platform="zammad",
        connection=connection.name,
        delivery_id=delivery.headers.get("x-zammad-delivery", ""),
        conversation_ref=number(body, "ticket", "id"),
        message_id=number(body, "article", "id"),
        author_role="customer" if required(body, "article", "sender") == "Customer" else "agent",
        text=message_text(
            text_of(body, "article", "body"),
            text_of(body, "ticket", "title"),
            is_html="html" in text_of(body, "article", "content_type"),
        ),
        received_at=text_of(body, "article", "created_at"),
        automatic=automatic,
    )


def perform(action: Action, event: Event, connection: Connection, now: float) -> Steps[None]:
    """Do something to a ticket; an article of a customer who wrote by e-mail is answered by e-mail."""
    del now
    article = {"ticket_id": int(event.conversation_ref), "content_type": "text/html", "body": as_html(action.lines)}
    if action.kind == "note":
        yield _call(connection, "POST", "ticket_articles", {**article, "type": "note", "internal": True})
    elif action.kind == "reply":
        answered = yield _call(connection, "GET", f"ticket_articles/{event.message_id}")
        asked = answered.json()
        way = {"type": "note", "internal": False}
        if text_of(asked, "type") == "email":
            way = {"type": "email", "to": text_of(asked, "from"), "internal": False}
        yield _call(connection, "POST", "ticket_articles", {**article, "subject": text_of(asked, "subject"), **way})
    elif action.kind == "tag":
        body = {"object": "Ticket", "o_id": int(event.conversation_ref), "item": action.tag}
        yield _call(connection, "POST", "tags/add", body)
    elif action.kind == "handoff":
        changes = {"state": "open"}
        if action.urgency in _PRIORITIES:
            changes["priority"] = _PRIORITIES[action.urgency]
        if connection.options["handover_group"]:
            changes["group"] = connection.options["handover_group"]
        yield _call(connection, "PUT", f"tickets/{event.conversation_ref}", changes)


def is_done(action: Action, event: Event, connection: Connection) -> Steps[bool]:
    """Look among the ticket's articles."""
    answered = yield _call(connection, "GET", f"ticket_articles/by_ticket/{event.conversation_ref}")
    articles = sorted(answered.list(), key=lambda one: int(text_of(one, "id") or 0))
    return stands_in(action, [Written(text_of(one, "body"), private=one.get("internal") is True) for one in articles])


def probe(connection: Connection) -> Steps[str]:
    """Look whether the token works."""
    answered = yield _call(connection, "GET", "users/me")
    required(answered.json(), "id")
    return ""


def instructions(connection: Connection, hook_url: str) -> str:
    """Say how webhook and trigger are made."""
    return (
        "1. Under Manage, Webhook, make a webhook and leave its own payload as it is:\n"
        f"     Endpoint {hook_url}\n"
        f"     HMAC SHA1 signature token {connection.hook_secrets[0]}\n"
        "2. Under Manage, Trigger, make a trigger with the conditions (all of them)\n"
        "     Article, Action is created\n"
        "     Article, Sender is Customer\n"
        "   that executes Webhook: the one above."
    )


def _call(connection: Connection, method: str, path: str, body: Any = None) -> Call:
    headers = {"Authorization": f"Token token={connection.options['token']}", "Accept": "application/json"}
    return Call(method, f"{base_url(connection)}/api/v1/{path}", headers, body)
