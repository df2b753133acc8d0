"""Any help desk: Standard Webhooks both ways, so that a few lines beside it connect what has no module here.

In: ``{"type": "message.created", "data": {"conversation_ref", "message_id", "author_role", "text", …}}``, signed.
Out: one signed delivery an action, ``{"type": "action.note", "data": {…}}``; the same action has the same webhook-id,
by which a receiver knows a repeat.
"""

import time
from typing import Any, Final, Literal

from service.helpdesk.events import Action, Event
from service.helpdesk.platforms import (
    Call,
    Delivery,
    Field,
    NonsenseError,
    RefusedError,
    Steps,
    json_bytes,
    nothing_to_poll,
    required,
    text_of,
)
from service.helpdesk.texts import as_html, as_markdown, as_plain, message_text
from service.signing import check_webhook, secret_bytes, sign_webhook
from service.storage.connections import Connection
from service.storage.outbox import hash_key

FIELDS: Final = (
    Field("url", "Address that takes our signed actions"),
    Field("action_secret", "Secret that signs them (whsec_ and base64 of at least 24 bytes)", secret=True),
)
HOOK: Final[Literal["ours"]] = "ours"

_LONGEST: Final = 200
poll = nothing_to_poll


def check(delivery: Delivery, connection: Connection) -> None:
    """Hold a delivery to the signature of Standard Webhooks."""
    check_webhook(connection.hook_secrets, delivery.headers, delivery.body, delivery.now)


def read(delivery: Delivery, connection: Connection) -> Event | None:
    """Return the message of a delivery; other types bring none."""
    body = delivery.json()
    if required(body, "type") != "message.created":
        return None
    role = required(body, "data", "author_role")
    if role not in {"customer", "agent", "bot"}:
        raise NonsenseError("author_role is none of customer, agent, bot")
    data = body["data"]
    references = [required(body, "data", name) for name in ("conversation_ref", "message_id")]
    if any(len(one) > _LONGEST for one in references):
        raise NonsenseError("a reference is too long")
    history = data.get("history", [])
    if not isinstance(history, list) or not all(isinstance(text, str) for text in history):
        raise NonsenseError("history is no list of texts")
    return Event(
        platform="generic",
        connection=connection.name,
        delivery_id=delivery.headers["webhook-id"],
        conversation_ref=references[0],
        message_id=references[1],
        author_role="customer" if role == "customer" else "agent" if role == "agent" else "bot",
        text=message_text(required(body, "data", "text"), text_of(body, "data", "subject")),
        locale=text_of(body, "data", "locale"),
        received_at=text_of(body, "timestamp"),
        history=tuple(history[-5:]),
        automatic=data.get("automatic") is True,
    )


def perform(action: Action, event: Event, connection: Connection, now: float) -> Steps[None]:
    """Send an action; its id is made of the message and the action, never drawn anew."""
    data: dict[str, Any] = {"conversation_ref": event.conversation_ref, "message_id": event.message_id}
    if action.lines:
        data |= {"text": as_plain(action.lines), "html": as_html(action.lines), "markdown": as_markdown(action.lines)}
        data |= {"private": action.kind != "reply", "marker": action.marker}
    elif action.kind == "tag":
        data["tag"] = action.tag
    else:
        data |= {"urgency": action.urgency, "reason": action.reason}
    body = {"type": f"action.{action.kind}", "timestamp": event.received_at, "data": data}
    name = hash_key(connection.name, event.conversation_ref, event.message_id, action.kind, action.tag)
    yield _delivery(connection, f"msg_{name[:32]}", body, now)


def is_done(action: Action, event: Event, connection: Connection) -> Steps[bool]:
    """Say no: the receiver knows a repeat by its webhook-id."""
    del action, event, connection
    yield from ()
    return False


def probe(connection: Connection) -> Steps[str]:
    """Send a signed trial, which a receiver only has to acknowledge."""
    try:
        for secret in connection.options["action_secret"].split():
            secret_bytes(secret)
    except ValueError as error:
        raise RefusedError(f"action_secret cannot sign: {error}") from None
    now = time.time()
    yield _delivery(connection, f"trial-{now}", {"type": "connection.trial", "data": {}}, now)
    return ""


def instructions(connection: Connection, hook_url: str) -> str:
    """Say where to deliver and with what."""
    return (
        f"Send each message of a customer as a Standard Webhook:\n"
        f"  POST {hook_url}\n"
        f"  secret: {connection.hook_secrets[0]}\n"
        f'  body:   {{"type": "message.created", "data": {{"conversation_ref": "…", "message_id": "…",\n'
        f'           "author_role": "customer", "text": "…"}}}}\n'
        "Actions come to the address you gave, signed with the secret you gave. A repeat has the same webhook-id."
    )


def _delivery(connection: Connection, name: str, body: dict[str, Any], now: float) -> Call:
    headers = sign_webhook(connection.options["action_secret"], name, int(now), json_bytes(body))
    return Call("POST", connection.options["url"], headers, body)
