"""Tokens of the widget: short-lived, signed, bound to one origin and one collection.

``wt1.<signing key>.<payload>.<HMAC-SHA256>``. The alphabet leaves out the underscore, so that no token ever looks
like the beginning of a key.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

from service.storage.keys import Scope
from service.storage.widget import SigningKey

PREFIX = "wt1."
TOKEN_SCOPES: frozenset[Scope] = frozenset({"ask", "search", "feedback"})
TOKEN_SECONDS = 600
RENEWAL_SECONDS = 86_400
"""A token that ended this long ago still lends its subject to the next one."""

LONGEST_TOKEN = 2_000

_ALTERNATIVES = b"-~"


@dataclass(frozen=True, slots=True)
class WidgetToken:
    """What a token says.

    Attributes:
        subject: Names the visitor while the page is open; says nothing of who it is.
        origin: The origin whose pages may show the token.
        collection: The only collection that it opens.
        expires: When it ends, in seconds since 1970, UTC.
    """

    subject: str
    origin: str
    collection: str
    expires: int


def new_subject() -> str:
    """Return a subject that nobody had before."""
    return f"tok_{secrets.token_hex(8)}"


def sign_token(token: WidgetToken, key: SigningKey) -> str:
    """Return the token as it travels."""
    payload = json.dumps([token.subject, token.origin, token.collection, token.expires], separators=(",", ":"))
    body = f"{PREFIX}{key.id}.{_encode(payload.encode())}"
    return f"{body}.{_encode(_sign(body, key))}"


def signing_key_id(text: str) -> str:
    """Return the id of the key that a token claims to be signed with, or an empty string."""
    parts = text.split(".")
    return parts[1] if text.startswith(PREFIX) and len(parts) == 4 and len(text) <= LONGEST_TOKEN else ""


def read_token(text: str, key: SigningKey) -> WidgetToken | None:
    """Return what a token says, or None when the key did not sign it; whether it has ended is not looked at.

    Nothing of the token is parsed before its signature has been compared, in constant time.
    """
    body, _, signature = text.rpartition(".")
    if not hmac.compare_digest(_encode(_sign(body, key)).encode(), signature.encode("utf-8", "surrogatepass")):
        return None
    try:
        subject, origin, collection, expires = json.loads(_decode(body.rsplit(".", 1)[1]))
    except (binascii.Error, ValueError, IndexError):
        return None
    return WidgetToken(subject, origin, collection, expires)


def _sign(body: str, key: SigningKey) -> bytes:
    return hmac.digest(key.secret, body.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw, altchars=_ALTERNATIVES).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=_ALTERNATIVES, validate=True)
