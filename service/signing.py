"""Signatures of webhooks: ours as Standard Webhooks has them, and what all kinds of them have in common.

Everything is computed over the bytes as they came, and compared in constant time.
Source: Standard Webhooks specification, https://www.standardwebhooks.com/.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import Final

TOLERANCE_SECONDS: Final = 300
_PREFIX: Final = "whsec_"


class SignatureError(ValueError):
    """A delivery is not what it claims to be, or too old."""


def new_secret() -> str:
    """Return a secret of 256 random bits in the form that Standard Webhooks gives it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_bytes(secret: str) -> bytes:
    """Return the key of a ``whsec_`` secret.

    Raises:
        ValueError: it is no such secret, or shorter than 24 bytes.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < 24:
        raise ValueError("a secret begins with whsec_ and holds at least 24 bytes in base64")
    return key


def sign_webhook(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers of a signed delivery.

    Args:
        secret: ``whsec_…``; several divided by spaces while one replaces the other, and each signs.
        message_id: The same for every attempt, so that the receiver knows a repeat.
        timestamp: Seconds since 1970.
        body: As it is sent.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [f"v1,{hmac_base64(secret_bytes(one), signed, 'sha256')}" for one in secret.split()]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def check_webhook(live: Iterable[str], headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Return the id of a delivery whose signature holds.

    Args:
        live: Every secret that counts now.
        headers: By lower-case name.
        body: As it came.
        now: Seconds since 1970.

    Raises:
        SignatureError: a header is missing, the time is off by more than ``TOLERANCE_SECONDS``, or no signature fits.
    """
    message_id = headers.get("webhook-id", "")
    if not message_id or len(message_id) > 200:
        raise SignatureError("no id")
    timestamp = headers.get("webhook-timestamp", "")
    check_time(timestamp, now)
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    given = [one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    check_any([hmac_base64(secret_bytes(secret), signed, "sha256") for secret in live], given)
    return message_id


def check_time(timestamp: str, now: float) -> None:
    """Refuse a time that is not near.

    Args:
        timestamp: Seconds since 1970.
        now: The same.

    Raises:
        SignatureError: it is no whole number, or off by more than ``TOLERANCE_SECONDS``.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise SignatureError("no time")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureError("too old")


def check_any(wanted: Iterable[str], given: Iterable[str]) -> None:
    """Refuse what has none of the signatures; every pair is compared, each in constant time.

    Raises:
        SignatureError: no two are the same.
    """
    shown = list(given)
    fits = False
    for one in wanted:
        for other in shown:
            fits |= bool(one) and hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))
    if not fits:
        raise SignatureError("wrong signature")


def hmac_base64(key: bytes, message: bytes, digest: str) -> str:
    """Return an HMAC in base64."""
    return base64.b64encode(hmac.new(key, message, digest).digest()).decode()


def hmac_hex(key: bytes, message: bytes, digest: str) -> str:
    """Return an HMAC in lower-case hex."""
    return hmac.new(key, message, digest).hexdigest()
