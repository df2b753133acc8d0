"""Help desks that are connected: their settings and secrets, and how far each has been read."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Engine, RowMapping, delete, select

from service.storage.database import connections, marks, upsert


@dataclass(frozen=True, slots=True)
class Connection:
    """One connected help desk.

    Attributes:
        name: What the operator calls it; part of the address of its hook.
        platform: Which kind of help desk it is.
        options: What the platform asked for, secrets among them: never printed or logged.
        hook_secrets: What signs deliveries to us, the newest first; two while one replaces the other.
        emergency_to_customer: Whether the text of an emergency notice is also sent to the customer at once.
        reply_from: The calibrated probability from which an answer is sent to the customer; None sends none.
        created: When it was made, ISO 8601 in UTC.
    """

    name: str
    platform: str
    options: dict[str, str] = field(repr=False)
    hook_secrets: tuple[str, ...] = field(repr=False)
    emergency_to_customer: bool
    reply_from: float | None = None
    created: str = ""

    def __post_init__(self) -> None:
        if self.reply_from is not None and not 0 < self.reply_from <= 1:
            raise ValueError("the least probability of a reply lies above 0 and is at most 1")
        if len(self.hook_secrets) > 2:
            raise ValueError("at most two secrets count at a time")


def asker_of(name: str) -> str:
    """Return as whose the answers of a connection are kept."""
    return f"desk:{name}"


def with_older_secret(made: Connection, former: Connection | None) -> Connection:
    """Let the newest secret of a former connection count beside the new one: nothing is refused meanwhile."""
    if former is None or former.platform != made.platform:
        return made
    older = tuple(secret for secret in former.hook_secrets[:1] if secret not in made.hook_secrets)
    return replace(made, hook_secrets=(*made.hook_secrets, *older)[:2])


def store_connection(engine: Engine, connection: Connection) -> None:
    """Keep a connection in the place of the one of its name."""
    kept = {
        "options": connection.options,
        "hook_secrets": list(connection.hook_secrets),
        "emergency_to_customer": connection.emergency_to_customer,
        "reply_from": connection.reply_from,
    }
    row = {
        "name": connection.name,
        "platform": connection.platform,
        "settings": json.dumps(kept),
        "created": connection.created or datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with engine.begin() as open_connection:
        adding = upsert(engine, connections).values(row)
        open_connection.execute(adding.on_conflict_do_update(index_elements=["name"], set_=row))


def find_connection(engine: Engine, name: str) -> Connection | None:
    """Return the connection of a name, or None."""
    with engine.connect() as open_connection:
        row = open_connection.execute(select(connections).where(connections.c.name == name)).mappings().first()
    return None if row is None else _connection(row)


def list_connections(engine: Engine) -> list[Connection]:
    """Return every connection by name."""
    with engine.connect() as open_connection:
        rows = open_connection.execute(select(connections).order_by(connections.c.name)).mappings().all()
    return [_connection(row) for row in rows]


def remove_connection(engine: Engine, name: str) -> bool:
    """Forget a connection with its secrets and its mark; False when there is none of that name."""
    with engine.begin() as open_connection:
        open_connection.execute(delete(marks).where(marks.c.name == name))
        return open_connection.execute(delete(connections).where(connections.c.name == name)).rowcount > 0


def read_mark(engine: Engine, name: str) -> str | None:
    """Return how far a help desk has been read, in its own terms; None before the first time."""
    with engine.connect() as open_connection:
        value = open_connection.execute(select(marks.c.value).where(marks.c.name == name)).scalar()
    return None if value is None else str(value)


def write_mark(engine: Engine, name: str, value: str) -> None:
    """Keep how far a help desk has been read."""
    with engine.begin() as open_connection:
        adding = upsert(engine, marks).values(name=name, value=value)
        open_connection.execute(adding.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def _connection(row: RowMapping) -> Connection:
    kept = json.loads(row["settings"])
    return Connection(
        name=row["name"],
        platform=row["platform"],
        options=kept["options"],
        hook_secrets=tuple(kept["hook_secrets"]),
        emergency_to_customer=kept["emergency_to_customer"],
        reply_from=kept["reply_from"],
        created=row["created"],
    )
