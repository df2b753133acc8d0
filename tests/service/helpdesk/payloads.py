"""Deliveries as the platforms send them, and their signatures computed without any code of ours."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service.storage.connections import Connection

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes....").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret, also of 32 bytes").decode()
NOW = 1_795_390_000.0
QUESTION = "How long does a back spasm last?"

Headers = dict[str, str]


def digest(secret: str, message: bytes, kind: Callable[..., Any] = hashlib.sha256) -> bytes:
    return hmac.new(secret.encode(), message, kind).digest()


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Sample:
    """How one platform delivers.

    Attributes:
        body: Makes the body of a message of a customer, from number, text and time.
        sign: Makes the headers, from secret, body and time.
        options: What the connection holds, beside the address.
        timed: Whether a delivery is refused when it is old.
        covered: Whether the signature covers the body.
        agent: Changes a body so that no customer wrote it.
    """

    body: Callable[[int, str, float], Any]
    sign: Callable[[str, bytes, float], Headers]
    options: Mapping[str, str]
    agent: Callable[[Any], Any]
    timed: bool = True
    covered: bool = True


def _zendesk_sign(secret: str, body: bytes, at: float) -> Headers:
    signature = base64.b64encode(digest(secret, iso(at).encode() + body)).decode()
    return {"x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": iso(at)}


def _chatwoot_sign(secret: str, body: bytes, at: float) -> Headers:
    signature = digest(secret, f"{int(at)}.".encode() + body).hex()
    return {"x-chatwoot-signature": f"sha256={signature}", "x-chatwoot-timestamp": str(int(at))}


def _zammad_sign(secret: str, body: bytes, _at: float) -> Headers:
    return {"x-hub-signature": f"sha1={digest(secret, body, hashlib.sha1).hex()}", "x-zammad-delivery": "d-1"}


def _generic_sign(secret: str, body: bytes, at: float) -> Headers:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"msg_1.{int(at)}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at)), "webhook-signature": f"v1,{signature}"}


SAMPLES: dict[str, Sample] = {
    "zendesk": Sample(
        body=lambda number, text, at: {
            "ticket_id": "35",
            "subject": "Spasm",
            "text": text,
            "updated_at": iso(at + number),
            "requester_id": "12",
            "author_id": "12",
            "locale": "English",
        },
        sign=_zendesk_sign,
        options={"email": "bot@example.com", "token": "t-1", "handover_group": "9"},
        agent=lambda body: {**body, "author_id": "13"},
    ),
    "freshdesk": Sample(
        body=lambda number, text, _at: {
            "ticket_id": "35",
            "subject": "Spasm",
            "description": f"<div>{text}</div>",
            "comment": "",
            "event": f"ticket_{number}",
        },
        sign=lambda secret, _body, _at: {"x-backline-secret": secret},
        options={"key": "k-1", "handover_group": "9"},
        agent=lambda body: body,
        timed=False,
        covered=False,
    ),
    "chatwoot": Sample(
        body=lambda number, text, at: {
            "event": "message_created",
            "id": number,
            "content": text,
            "message_type": "incoming",
            "private": False,
            "created_at": iso(at),
            "sender": {"id": 5, "type": "contact"},
            "conversation": {"id": 35, "status": "pending", "inbox_id": 3},
            "account": {"id": 2},
        },
        sign=_chatwoot_sign,
        options={"account": "2", "token": "t-1"},
        agent=lambda body: {**body, "message_type": "outgoing"},
    ),
    "zammad": Sample(
        body=lambda number, text, at: {
            "ticket": {"id": 35, "number": "60035", "title": "Spasm"},
            "article": {
                "id": number,
                "sender": "Customer",
                "internal": False,
                "body": f"<p>{text}</p>",
                "content_type": "text/html",
                "created_at": iso(at),
                "preferences": {},
            },
        },
        sign=_zammad_sign,
        options={"token": "t-1", "handover_group": "People"},
        agent=lambda body: {**body, "article": {**body["article"], "sender": "Agent"}},
    ),
    "generic": Sample(
        body=lambda number, text, at: {
            "type": "message.created",
            "timestamp": iso(at),
            "data": {"conversation_ref": "35", "message_id": str(number), "author_role": "customer", "text": text},
        },
        sign=_generic_sign,
        options={"action_secret": SECRET},
        agent=lambda body: {**body, "data": {**body["data"], "author_role": "bot"}},
    ),
}


def delivery(
    platform: str, number: int = 1, text: str = QUESTION, *, at: float = NOW, secret: str = SECRET
) -> tuple[Headers, bytes]:
    """Return headers and body of a signed delivery."""
    body = json.dumps(SAMPLES[platform].body(number, text, at)).encode()
    return SAMPLES[platform].sign(secret, body, at), body


def connection(platform: str, url: str, **changes: Any) -> Connection:
    """Return a connection of a platform."""
    options = {"url": url, **SAMPLES[platform].options}
    settings: dict[str, Any] = {"hook_secrets": (SECRET,), "emergency_to_customer": False, **changes}
    return Connection(platform, platform, options, **settings)
