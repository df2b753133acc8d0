"""What the widget's tokens rest on: the keys that sign them, and the switch that pauses the widget.

Signing keys are secrets of the installation: they stay in its database, live for days and open nothing but tokens.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, insert, select

from service.storage.database import signing_keys, upsert, widget_state

ROTATION = timedelta(days=1)
"""A key signs for this long; then a new one takes over."""

RETENTION = timedelta(days=2)
"""A key verifies for this long, so that tokens outlive its rotation."""

_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One signing key.

    Attributes:
        id: Names it in a token.
        secret: 256 random bits; never printed, never logged.
    """

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"SigningKey(id={self.id!r})"


def current_signing_key(engine: Engine) -> SigningKey:
    """Return the key that signs now, making one when there is none or the newest has signed for a day."""
    now = datetime.now(UTC)
    newest = select(signing_keys).order_by(signing_keys.c.created.desc(), signing_keys.c.id).limit(1)
    with engine.connect() as connection:
        row = connection.execute(newest).first()
    if row is not None and now - datetime.fromisoformat(row.created) < ROTATION:
        return SigningKey(row.id, bytes.fromhex(row.secret))
    key = SigningKey(secrets.token_hex(4), secrets.token_bytes(_RANDOM_BYTES))
    with engine.begin() as connection:
        connection.execute(delete(signing_keys).where(signing_keys.c.created < (now - RETENTION).isoformat()))
        connection.execute(insert(signing_keys).values(id=key.id, secret=key.secret.hex(), created=now.isoformat()))
    return key


def find_signing_key(engine: Engine, key_id: str) -> SigningKey | None:
    """Return a key that still verifies, or None."""
    with engine.connect() as connection:
        row = connection.execute(select(signing_keys).where(signing_keys.c.id == key_id)).first()
    if row is None or datetime.now(UTC) - datetime.fromisoformat(row.created) >= RETENTION:
        return None
    return SigningKey(row.id, bytes.fromhex(row.secret))


def drop_signing_keys(engine: Engine) -> int:
    """Forget every signing key, so that no token that was given out works; return how many there were."""
    with engine.begin() as connection:
        return connection.execute(delete(signing_keys)).rowcount


def is_paused(engine: Engine) -> bool:
    """Whether the widget is paused."""
    with engine.connect() as connection:
        return bool(connection.execute(select(widget_state.c.paused)).scalar())


def set_paused(engine: Engine, *, paused: bool) -> None:
    """Pause the widget, or let it go on; every process sees it with its next request."""
    statement = upsert(engine, widget_state).values(id=1, paused=paused)
    with engine.begin() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"paused": paused}))
