"""What must be delivered, kept on disk before anyone is told that it will be: it outlives the process.

A row waits, is delivered (``done``: its payload is erased, its key stays to recognise a repeat) or is given up
(``dead``: kept for a person to look at and to send again, until its text is erased with the answers; that it was given
up is told even then). Times are seconds since 1970, so that tests can set them.
"""

import hashlib
import json
import random
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Engine, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.storage.database import outbox, overwrite_deleted

FIRST_WAIT_SECONDS: Final = 2.0
LONGEST_WAIT_SECONDS: Final = 3_600.0
MOST_ATTEMPTS: Final = 14
"""With doubling waits the last attempt comes about four hours after the first."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to deliver.

    Attributes:
        id: ``out_`` and random hex digits.
        channel: Which deliverer knows how.
        target: Where it goes, by the name of its connection.
        payload: What is needed for it; JSON.
        attempts: Attempts that failed so far.
        state: ``waiting``, ``done`` or ``dead``.
        due: When it is next tried.
        reason: Why the last attempt failed; never holds a text of a person.
        created: When it was put here.
    """

    id: str
    channel: str
    target: str
    payload: dict[str, Any]
    attempts: int
    state: str
    due: float
    reason: str
    created: float

    @property
    def ticket(self) -> str:
        """The ticket that it belongs to, as its help desk numbers it, or ""."""
        event = self.payload.get("event")
        return str(event.get("conversation_ref", "")) if isinstance(event, dict) else ""

    @property
    def erased(self) -> bool:
        """Whether its text is gone, so that it cannot be sent again."""
        return self.payload.get("erased") is True

    def with_payload(self, payload: dict[str, Any]) -> "Item":
        """Return the item with another payload."""
        return replace(self, payload=payload)


def hash_key(*parts: str) -> str:
    """Return a key that tells deliveries apart and says nothing of what they are."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def new_id() -> str:
    """Return a new id."""
    return f"out_{secrets.token_hex(12)}"


def put(
    engine: Engine,
    channel: str,
    target: str,
    payload: dict[str, Any],
    key: str | None = None,
    thread: str | None = None,
    now: float | None = None,
    *,
    row_id: str | None = None,
    asker: str | None = None,
    conversation_id: str | None = None,
) -> str | None:
    """Store one thing to deliver; on return it is on disk.

    Args:
        engine: The database.
        channel: Which deliverer knows how.
        target: Where it goes.
        payload: What is needed for it; JSON.
        key: Tells it apart, see :func:`hash_key`; what has none is always new.
        thread: The conversation that it belongs to, as a hash, so that a loop can be noticed.
        now: The time.
        row_id: Its id, from :func:`new_id`; without one it gets one.
        asker: Whose it is, as stored answers name it.
        conversation_id: The conversation that it came from, with which it is deleted.

    Returns:
        Its id, or None when something of that key was put here before, delivered or not.
    """
    at = time.time() if now is None else now
    row_id = row_id or new_id()
    row = {
        "id": row_id,
        "channel": channel,
        "target": target,
        "key": key,
        "thread": thread,
        "payload": json.dumps(payload),
        "state": "waiting",
        "attempts": 0,
        "due": at,
        "reason": "",
        "created": at,
        "asker": asker,
        "conversation_id": conversation_id,
    }
    try:
        with engine.begin() as connection:
            connection.execute(insert(outbox).values(row))
    except IntegrityError:
        return None
    return row_id


def next_due(
    engine: Engine, channels: Collection[str], busy: Collection[str] = (), now: float | None = None
) -> Item | None:
    """Return what waits longest and may be tried now.

    Args:
        engine: The database.
        channels: What can be delivered.
        busy: Targets to which something is on its way: what goes to one place goes in order.
        now: The time.
    """
    at = time.time() if now is None else now
    query = (
        select(outbox)
        .where(outbox.c.state == "waiting", outbox.c.due <= at, outbox.c.channel.in_(channels))
        .where(outbox.c.target.not_in(busy))
        .order_by(outbox.c.due, outbox.c.created)
        .limit(1)
    )
    with engine.connect() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else _item(row)


def save_payload(engine: Engine, item: Item) -> None:
    """Keep how far a delivery has come."""
    with engine.begin() as connection:
        connection.execute(
            update(outbox)
            .where(outbox.c.id == item.id, outbox.c.state == "waiting")
            .values(payload=json.dumps(item.payload))
        )


def finish(engine: Engine, item_id: str) -> None:
    """Note that it was delivered, and erase what it was."""
    with engine.begin() as connection:
        connection.execute(update(outbox).where(outbox.c.id == item_id).values(state="done", payload="{}", reason=""))


def fail(engine: Engine, item: Item, reason: str, wait_seconds: float | None = None, now: float | None = None) -> None:
    """Note that an attempt failed: tried again after a while, given up after the last attempt.

    The wait doubles from attempt to attempt and is drawn from its upper half, so that what failed together does not
    come back together. Where the other side asked for a time, everything that goes there waits for it.

    Args:
        engine: The database.
        item: What failed.
        reason: Why, without any text of a person.
        wait_seconds: The least time that the other side asked for.
        now: The time.
    """
    at = time.time() if now is None else now
    attempts = item.attempts + 1
    asked = min(wait_seconds or 0.0, LONGEST_WAIT_SECONDS)
    wait = min(FIRST_WAIT_SECONDS * 2.0**item.attempts, LONGEST_WAIT_SECONDS)
    wait = max(wait * random.uniform(0.5, 1.0), asked)  # noqa: S311 - spread
    state = "dead" if attempts >= MOST_ATTEMPTS else "waiting"
    _set(engine, item.id, state=state, attempts=attempts, due=at + wait, reason=reason)
    if asked:
        others = update(outbox).where(outbox.c.state == "waiting", outbox.c.due < at + asked)
        others = others.where(outbox.c.channel == item.channel, outbox.c.target == item.target)
        with engine.begin() as connection:
            connection.execute(others.values(due=at + asked))


def give_up(engine: Engine, item: Item, reason: str) -> None:
    """Note that no attempt can help."""
    _set(engine, item.id, state="dead", attempts=item.attempts + 1, reason=reason)


def list_dead(engine: Engine) -> list[Item]:
    """Return what was given up, the oldest first."""
    query = select(outbox).where(outbox.c.state == "dead").order_by(outbox.c.created)
    with engine.connect() as connection:
        return [_item(row) for row in connection.execute(query).mappings()]


def resend(engine: Engine, item_id: str | None = None, now: float | None = None) -> int:
    """Let what was given up be tried anew, one or all; return how many. What was erased stays given up."""
    names = [item.id for item in list_dead(engine) if not item.erased and item_id in {None, item.id}]
    query = update(outbox).where(outbox.c.state == "dead", outbox.c.id.in_(names))
    with engine.begin() as connection:
        at = time.time() if now is None else now
        return connection.execute(query.values(state="waiting", attempts=0, due=at)).rowcount


def count_thread(engine: Engine, thread: str, since: float) -> int:
    """Return how many things of one conversation came since then, delivered or not."""
    query = select(func.count()).where(outbox.c.thread == thread, outbox.c.created >= since)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def delete_of_conversation(engine: Engine, conversation_id: str, asker: str | None = None) -> int:
    """Delete what came from a conversation, delivered or not; of one asker, or of anybody. Return how much it was.

    What has a key keeps it: a repeat must not be taken for something new.
    """
    mine = (outbox.c.conversation_id == conversation_id, *(() if asker is None else (outbox.c.asker == asker,)))
    keyed = update(outbox).where(outbox.c.key.is_not(None), outbox.c.state != "done", *mine)
    with engine.begin() as connection:
        count = connection.execute(keyed.values(state="done", payload="{}", reason="")).rowcount
        count += connection.execute(delete(outbox).where(outbox.c.key.is_(None), *mine)).rowcount
    if count:
        overwrite_deleted(engine)
    return count


def erase_dead(engine: Engine, before: float, channel: str | None = None) -> int:
    """Erase the texts of what was given up and came before a time; that it was given up, and where, stays.

    Args:
        engine: The database.
        before: The time.
        channel: Only what went this way; None means all.

    Returns:
        Texts that were erased.
    """
    dead = [item for item in list_dead(engine) if channel in {None, item.channel}]
    old = [item for item in dead if item.created < before and not item.erased]
    with engine.begin() as connection:
        for item in old:
            kept = {"erased": True, "event": {"conversation_ref": item.ticket}}
            change = update(outbox).where(outbox.c.id == item.id, outbox.c.state == "dead")
            connection.execute(change.values(payload=json.dumps(kept)))
    if old:
        overwrite_deleted(engine)
    return len(old)


def forget(engine: Engine, before: float) -> None:
    """Forget what was delivered or given up and came before a time, with its keys."""
    over = outbox.c.state.in_(("done", "dead")), outbox.c.created < before
    with engine.begin() as connection:
        count = connection.execute(delete(outbox).where(*over)).rowcount
    if count:
        overwrite_deleted(engine)


def _set(engine: Engine, item_id: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(update(outbox).where(outbox.c.id == item_id, outbox.c.state == "waiting").values(**values))


def _item(row: RowMapping) -> Item:
    return Item(
        id=row["id"],
        channel=row["channel"],
        target=row["target"],
        payload=json.loads(row["payload"]),
        attempts=row["attempts"],
        state=row["state"],
        due=row["due"],
        reason=row["reason"],
        created=row["created"],
    )
