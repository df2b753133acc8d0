"""Keys with scopes: who may write. Only a hash of a key is kept, so that the database gives none away."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast, get_args

from sqlalchemy import Engine, RowMapping, insert, select, update

from service.storage.database import keys

Scope = Literal["ask", "search", "ingest", "feedback", "admin", "eval"]
"""What a key may do. None implies another: a key that only uploads cannot ask."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

SECRET_PREFIX = "bl_"
"""What every key begins with."""
_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of one key; its secret is not among it.

    Attributes:
        id: Public name, by which it is listed and revoked; says nothing of the secret.
        name: What the operator calls it.
        scopes: What it may do.
        collections: The collections it may touch; None means all.
        created: When it was made, UTC.
        expires: When it ends, UTC, or None.
        revoked: When it was revoked, UTC, or None.
        rate: Requests a minute that it may make; None means any number.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    collections: frozenset[str] | None
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    rate: int | None = None

    def works_at(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor over at ``now``."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def covers(self, collection: str) -> bool:
        """Whether the key may touch a collection."""
        return self.collections is None or collection in self.collections


def create_key(
    engine: Engine,
    name: str,
    scopes: Collection[Scope],
    collections: Collection[str] | None = None,
    lifetime: timedelta | None = None,
    rate: int | None = None,
) -> tuple[str, Key]:
    """Make a key of 256 random bits.

    Args:
        engine: The database.
        name: What the operator calls it.
        scopes: What it may do, at least one.
        collections: The collections it may touch; None means all.
        lifetime: How long it works; None means until it is revoked.
        rate: Requests a minute that it may make; None means any number.

    Returns:
        The secret, which nobody can show again, and what is kept of it.

    Raises:
        ValueError: there is no scope, an unknown one, no collection in the list, no time to live, or no request.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ValueError(f"choose scopes from {', '.join(SCOPES)}")
    if collections is not None and not collections:
        raise ValueError("name a collection, or leave them out to allow all")
    if lifetime is not None and lifetime <= timedelta():
        raise ValueError("a key must live longer than no time")
    if rate is not None and rate < 1:
        raise ValueError("a key must be allowed at least one request a minute")
    secret = SECRET_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    now = _now()
    key = Key(
        id=f"key_{secrets.token_hex(6)}",
        name=name,
        scopes=frozenset(scopes),
        collections=None if collections is None else frozenset(collections),
        created=now,
        expires=None if lifetime is None else now + lifetime,
        rate=rate,
    )
    with engine.begin() as connection:
        connection.execute(
            insert(keys).values(
                id=key.id,
                name=name,
                hash=_hash(secret),
                scopes=json.dumps(sorted(key.scopes)),
                collections=None if key.collections is None else json.dumps(sorted(key.collections)),
                created=now.isoformat(),
                expires=None if key.expires is None else key.expires.isoformat(),
                rate=rate,
            )
        )
    return secret, key


def find_key(engine: Engine, secret: str) -> Key | None:
    """Return the key of a secret when it works now, else None.

    Every stored hash is compared, each in constant time: how long it takes says nothing of how near a guess came.
    """
    hashed = _hash(secret)
    with engine.connect() as connection:
        rows = connection.execute(select(keys)).mappings().all()
    found: Key | None = None
    for row in rows:
        if hmac.compare_digest(str(row["hash"]), hashed):
            found = _key(row)
    return found if found is not None and found.works_at(_now()) else None


def list_keys(engine: Engine) -> list[Key]:
    """Return every key, the oldest first, revoked ones too."""
    with engine.connect() as connection:
        rows = connection.execute(select(keys).order_by(keys.c.created, keys.c.id)).mappings().all()
    return [_key(row) for row in rows]


def revoke_key(engine: Engine, key_id: str) -> bool:
    """Revoke a key for good; False when there is no working key of that id."""
    with engine.begin() as connection:
        result = connection.execute(
            update(keys).where(keys.c.id == key_id, keys.c.revoked.is_(None)).values(revoked=_now().isoformat())
        )
        return result.rowcount > 0


def _hash(secret: str) -> str:
    # A plain hash is enough: 256 random bits cannot be guessed, and a slow one would only slow every request.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC)


def _key(row: RowMapping) -> Key:
    collections = row["collections"]
    return Key(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(cast("list[Scope]", json.loads(row["scopes"]))),
        collections=None if collections is None else frozenset(json.loads(collections)),
        created=datetime.fromisoformat(row["created"]),
        expires=None if row["expires"] is None else datetime.fromisoformat(row["expires"]),
        revoked=None if row["revoked"] is None else datetime.fromisoformat(row["revoked"]),
        rate=row["rate"],
    )
