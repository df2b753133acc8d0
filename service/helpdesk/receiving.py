"""Takes messages in: checked, told apart, stored. The work comes later, so that a help desk waits for nothing."""

import logging
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Engine

from service.helpdesk.events import Event
from service.helpdesk.platforms import Delivery, Greeting, NonsenseError, platforms
from service.signing import SignatureError
from service.storage import outbox
from service.storage.connections import asker_of, find_connection

_log = logging.getLogger(__name__)

CHANNEL = "helpdesk"

Receipt = Literal["accepted", "duplicate", "ignored", "refused", "nonsense"]


class Reception:
    """Where help desks deliver.

    Args:
        engine: The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def receive(
        self, platform: str, name: str, headers: Mapping[str, str], body: bytes, now: float
    ) -> Receipt | Mapping[str, Any]:
        """Check and store one delivery; what a help desk wants to hear back comes as an object.

        ``refused`` says nothing of why: an unknown connection and a wrong signature look alike from outside.
        """
        connection = find_connection(self._engine, name)
        if connection is None or connection.platform != platform:
            return "refused"
        delivery = Delivery({key.lower(): value for key, value in headers.items()}, body, now)
        adapter = platforms()[platform]
        try:
            adapter.check(delivery, connection)
        except SignatureError as error:
            _log.warning("a delivery to %s is refused: %s", name, error)
            return "refused"
        try:
            found = adapter.read(delivery, connection)
        except NonsenseError as error:
            _log.warning("a delivery to %s cannot be read: %s", name, error)
            return "nonsense"
        if isinstance(found, Greeting):
            return found.body
        return "ignored" if found is None else accept(self._engine, found)


def accept(engine: Engine, event: Event) -> Receipt:
    """Store a message once, however often it is delivered; pass over what no customer wrote.

    The loop guard: what we, an agent or a machine wrote is never answered.
    """
    if event.author_role != "customer" or event.automatic:
        return "ignored"
    key = outbox.hash_key(CHANNEL, event.connection, event.conversation_ref, event.message_id)
    stored = outbox.put(
        engine,
        CHANNEL,
        event.connection,
        {"event": event.as_json()},
        key,
        thread_of(event),
        asker=asker_of(event.connection),
        conversation_id=conversation_of(event.connection, event.conversation_ref),
    )
    return "duplicate" if stored is None else "accepted"


def thread_of(event: Event) -> str:
    """Return the conversation as a hash."""
    return outbox.hash_key(event.connection, event.conversation_ref)


def conversation_of(connection: str, conversation_ref: str) -> str:
    """Return the conversation under which the answers to a ticket are kept."""
    return f"desk_{outbox.hash_key(connection, conversation_ref)[:32]}"
