"""Asks the help desks that don't call us for what is new, and forgets what is over."""

import logging
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.delivering import GiveUpError, RetryLaterError
from service.helpdesk.calling import Send, run
from service.helpdesk.platforms import platforms
from service.helpdesk.receiving import CHANNEL, accept
from service.storage import outbox
from service.storage.connections import Connection, list_connections, read_mark, write_mark
from service.storage.locking import lock_for

_log = logging.getLogger(__name__)

KEEP_KEYS: Final = timedelta(days=60)
KEEP_HANDOVERS: Final = timedelta(days=7)
"""What a person asked of a person is kept at least so long when it cannot be delivered."""
_PURGE_SECONDS: Final = 600.0
_LONGEST_WAIT_SECONDS: Final = 300.0


class Poller:
    """Polls every connected help desk that has no hook; one process at a time does.

    Args:
        engine: The database.
        lock: Names the lock that says which process polls; a file beside a database in a file.
        send: Calls help desks.
        keep: How long texts that could not be delivered are kept.
        seconds: Time between two looks at one help desk: doubled while it fails, up to five minutes, or what it asks.
    """

    def __init__(self, engine: Engine, lock: Path, send: Send, keep: timedelta, seconds: float = 3.0) -> None:
        self._engine = engine
        self._lock_file = lock
        self._send = send
        self._keep = keep
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._due: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._purged = float("-inf")

    def start(self) -> None:
        """Poll until :meth:`stop`."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def look(self) -> None:
        """Poll what is due, and erase what is over."""
        now = time.monotonic()
        if now - self._purged >= _PURGE_SECONDS:
            self._purged = now
            outbox.erase_dead(self._engine, time.time() - self._keep.total_seconds(), CHANNEL)
            outbox.erase_dead(self._engine, time.time() - max(self._keep, KEEP_HANDOVERS).total_seconds())
            outbox.forget(self._engine, time.time() - KEEP_KEYS.total_seconds())
        for connection in list_connections(self._engine):
            if platforms()[connection.platform].HOOK == "none" and self._due.get(connection.name, now) <= now:
                self._poll_once(connection)

    def _poll_once(self, connection: Connection) -> None:
        name = connection.name
        asked = 0.0
        try:
            poll_connection(self._engine, connection, self._send)
            self._failures[name] = 0
        except (RetryLaterError, GiveUpError) as error:
            self._failures[name] = self._failures.get(name, 0) + 1
            if isinstance(error, RetryLaterError):
                asked = min(error.wait_seconds or 0.0, outbox.LONGEST_WAIT_SECONDS)
            _log.warning("polling %s failed: %s", name, error.reason)
        wait = min(self._seconds * 2.0 ** min(self._failures[name], 10), _LONGEST_WAIT_SECONDS)
        self._due[name] = time.monotonic() + max(wait, asked)

    def _run(self) -> None:
        lock = lock_for(self._engine, self._lock_file)
        while not self._stopped.is_set():
            try:
                if lock.held() or lock.take():
                    self.look()
            except SQLAlchemyError as error:
                _log.warning("polling failed: %s", type(error).__name__)
            except Exception as error:  # noqa: BLE001 - one strange help desk must not end the polling of others
                _log.error("polling failed: %s", type(error).__name__)
            self._stopped.wait(min(self._seconds, 0.5))
        lock.release()


def poll_connection(engine: Engine, connection: Connection, send: Send) -> int:
    """Take in what is new; the mark moves when everything is stored.

    Returns:
        New messages of customers.

    Raises:
        RetryLaterError: the help desk could not be read.
        GiveUpError: it refuses.
    """
    adapter = platforms()[connection.platform]
    mark = read_mark(engine, connection.name)
    if mark is None:
        write_mark(engine, connection.name, run(adapter.probe(connection), send))
        return 0
    polled = run(adapter.poll(connection, mark), send)
    taken = [accept(engine, event) for event in polled.events]
    if polled.mark != mark:
        write_mark(engine, connection.name, polled.mark)
    return taken.count("accepted")
