"""Tries a connection out: its settings, and a test question whose note goes into a ticket that the operator names."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from service.delivering import GiveUpError, RetryLaterError
from service.helpdesk.calling import run, sender
from service.helpdesk.events import Event
from service.helpdesk.platforms import platforms
from service.helpdesk.receiving import accept
from service.settings import Settings
from service.storage.connections import find_connection
from service.storage.database import open_database

QUESTION: Final = "How long does a back spasm last?"


class TrialError(Exception):
    """A connection does not work; the message says what to do."""


def send_test_message(settings: Settings, name: str, conversation: str | None) -> Iterator[str]:
    """Try a connection out, and say what was found.

    Args:
        settings: The settings.
        name: Name of the connection.
        conversation: A ticket that gets the note on a test question, or None.

    Raises:
        TrialError: there is no such connection, or the help desk does not take its settings.
    """
    engine = open_database(settings.database)
    connection = find_connection(engine, name)
    if connection is None:
        raise TrialError("there is no such connection; see `backline hooks list`")
    try:
        run(platforms()[connection.platform].probe(connection), sender(settings.helpdesk_allow))
    except (GiveUpError, RetryLaterError) as error:
        raise TrialError(f"{error.reason}; check the settings and run `backline connect` again") from None
    yield f"{name}: the help desk takes the settings"
    if conversation is None:
        return
    now = time.time()
    event = Event(
        platform=connection.platform,
        connection=name,
        delivery_id=f"test-{now}",
        conversation_ref=conversation,
        message_id=str(int(now * 1000)),
        author_role="customer",
        text=QUESTION,
        trial=True,
        received_at=datetime.fromtimestamp(now, UTC).isoformat(),
    )
    accept(engine, event)
    yield f"a test question is stored: a running service puts its note into {conversation} within seconds"
