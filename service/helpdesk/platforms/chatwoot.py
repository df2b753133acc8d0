"""Chatwoot: an agent bot is told of each message; an agent's token writes, for a bot's may neither read nor tag.

A conversation is handed to people by opening it.
"""

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
from service.helpdesk.texts import as_markdown, message_text
from service.signing import check_any, check_time, hmac_hex
from service.storage.connections import Connection

FIELDS: Final = (
    Field("url", "Address of your Chatwoot"),
    Field("account", "Number of your account, as it stands in Chatwoot's addresses"),
    Field("token", "Access token of the agent that Backline works as", secret=True),
    Field("hook_secret", "Webhook secret of the agent bot", secret=True),
)
HOOK: Final[Literal["theirs"]] = "theirs"

_PRIORITIES: Final = {"emergency": "urgent", "today": "high"}
poll = nothing_to_poll


def check(delivery: Delivery, connection: Connection) -> None:
    """Hold a delivery to Chatwoot's signature: hex of HMAC-SHA256 over time, a dot and the body."""
    stamp = delivery.headers.get("x-chatwoot-timestamp", "")
    check_time(stamp, delivery.now)
    signed = f"{stamp}.".encode() + delivery.body
    wanted = [f"sha256={hmac_hex(secret.encode(), signed, 'sha256')}" for secret in connection.hook_secrets]
    check_any(wanted, [delivery.headers.get("x-chatwoot-signature", "")])


def read(delivery: Delivery, connection: Connection) -> Event | None:
    """Return a message that came in; all other events bring none."""
    body = delivery.json()
    if required(body, "event") != "message_created" or text_of(body, "message_type") not in {"incoming", "0"}:
        return None
    if body.get("private") is True or number(body, "account", "id") != connection.options["account"]:
        return None
    kind = text_of(body, "sender", "type").lower()
    return Event(
        platform="chatwoot",
        connection=connection.name,
        delivery_id=delivery.headers.get("x-chatwoot-delivery", ""),
        conversation_ref=number(body, "conversation", "id"),
        message_id=number(body, "id"),
        author_role="bot" if kind in {"agent_bot", "agentbot"} else "agent" if kind == "user" else "customer",
        text=message_text(text_of(body, "content")),
        received_at=text_of(body, "created_at"),
    )


def perform(action: Action, event: Event, connection: Connection, now: float) -> Steps[None]:
    """Do something to a conversation; Chatwoot has no drafts for programs."""
    del now
    conversation = f"conversations/{event.conversation_ref}"
    if action.kind in {"note", "reply"}:
        text = as_markdown(action.lines)
        body = {"content": text, "message_type": "outgoing", "private": action.kind == "note"}
        yield _call(connection, "POST", f"{conversation}/messages", body)
    elif action.kind == "tag":
        answered = yield _call(connection, "GET", f"{conversation}/labels")
        found = answered.json().get("payload")
        labels = [label for label in found if isinstance(label, str)] if isinstance(found, list) else []
        if action.tag not in labels:  # setting labels replaces them all
            yield _call(connection, "POST", f"{conversation}/labels", {"labels": [*labels, action.tag]})
    elif action.kind == "handoff":
        if action.urgency in _PRIORITIES:
            body = {"priority": _PRIORITIES[action.urgency]}
            yield _call(connection, "POST", f"{conversation}/toggle_priority", body)
        yield _call(connection, "POST", f"{conversation}/toggle_status", {"status": "open"})


def is_done(action: Action, event: Event, connection: Connection) -> Steps[bool]:
    """Look among the messages after the customer's."""
    path = f"conversations/{event.conversation_ref}/messages?after={event.message_id}"
    answered = yield _call(connection, "GET", path)
    messages = objects(answered.json().get("payload"))
    messages.sort(key=lambda one: int(text_of(one, "id") or 0))
    return stands_in(action, [Written(text_of(one, "content"), private=one.get("private") is True) for one in messages])


def probe(connection: Connection) -> Steps[str]:
    """Look whether the token may read conversations."""
    check_number(connection, "account")
    answered = yield _call(connection, "GET", "conversations?status=open")
    answered.json()
    return ""


def instructions(connection: Connection, hook_url: str) -> str:
    """Say how the agent bot is made."""
    del connection
    return (
        "1. In Settings, Bots, make a bot with this webhook URL:\n"
        f"     {hook_url}\n"
        "   Chatwoot then shows its webhook secret. Bots before 4.13 have none: what is not signed is refused.\n"
        "2. In the settings of each inbox that Backline shall read, under Bot configuration, choose this bot.\n"
        "3. Make an agent for Backline and add it to these inboxes. Its access token stands in its Profile settings.\n"
        "   The bot's own access token cannot be used: Chatwoot lets bots neither read conversations nor label them."
    )


def _call(connection: Connection, method: str, path: str, body: Any = None) -> Call:
    headers = {"api_access_token": connection.options["token"], "Accept": "application/json"}
    account = connection.options["account"]
    return Call(method, f"{base_url(connection)}/api/v1/accounts/{account}/{path}", headers, body)
