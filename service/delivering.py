"""Delivers what the outbox holds, in the background: one process at a time, one thing at a time to each target."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.storage import outbox
from service.storage.locking import Lock, lock_for, wait_for
from service.storage.outbox import Item

_log = logging.getLogger(__name__)

Deliver = Callable[[Item], None]
"""Delivers one thing; returns when it is done, raises :class:`RetryLaterError` or :class:`GiveUpError` when not."""

_THREADS = 3


@dataclass
class RetryLaterError(Exception):
    """An attempt failed; a later one may not.

    Attributes:
        reason: Why, without any text of a person.
        wait_seconds: The least time that the other side asked for, or None.
    """

    reason: str
    wait_seconds: float | None = None


@dataclass
class GiveUpError(Exception):
    """No attempt can help; a person must look.

    Attributes:
        reason: Why, without any text of a person.
    """

    reason: str


def wait_seconds(value: str) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, a number or a date; None when it says neither."""
    if value.strip().isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC if at.tzinfo else None)).total_seconds())


class Deliverer:
    """Takes from the outbox what is due.

    The process that holds the lock delivers; when it ends, however it ends, the next one takes over. So nothing
    is delivered by two at once, and what was on its way when a process died is taken up again without a wait.

    Args:
        engine: The database with the outbox.
        lock: Names the lock that says which process delivers; a file beside a database in a file.
        deliverers: How to deliver, by channel.
        seconds: Time between two looks when nothing was due.
    """

    def __init__(self, engine: Engine, lock: Path, deliverers: Mapping[str, Deliver], seconds: float = 0.5) -> None:
        self._engine = engine
        self._lock_file = lock
        self._deliverers = dict(deliverers)
        self._seconds = seconds
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._choosing = threading.Lock()
        self._busy: set[str] = set()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Deliver until :meth:`stop`."""
        self._stopped.clear()
        self._threads = [threading.Thread(target=self._run, name="deliverer", daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        """Stop; what is on its way is waited for a little, and otherwise taken up by the next start."""
        self._stopped.set()
        self._wake.set()
        for thread in list(self._threads):
            thread.join(timeout=5)

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def deliver_one(self) -> bool:
        """Deliver one thing that is due; return whether there was one."""
        with self._choosing:
            item = outbox.next_due(self._engine, tuple(self._deliverers), tuple(self._busy))
            if item is None:
                return False
            self._busy.add(item.target)
        try:
            self._deliver(item)
        finally:
            with self._choosing:
                self._busy.discard(item.target)
        return True

    def _deliver(self, item: Item) -> None:
        try:
            self._deliverers[item.channel](item)
        except GiveUpError as error:
            outbox.give_up(self._engine, item, error.reason)
            _log.error("%s to %s is given up: %s", item.id, item.target, error.reason)
        except RetryLaterError as error:
            outbox.fail(self._engine, item, error.reason, error.wait_seconds)
            _log.warning("%s to %s failed: %s", item.id, item.target, error.reason)
        except Exception as error:  # noqa: BLE001 - one bad thing must not end the delivering of the others
            # Only the kind: the words of an error may hold what a person wrote.
            outbox.fail(self._engine, item, f"fault {type(error).__name__}")
            _log.error("%s to %s failed: %s", item.id, item.target, type(error).__name__)
        else:
            outbox.finish(self._engine, item.id)

    def _run(self) -> None:
        lock = lock_for(self._engine, self._lock_file)
        while wait_for(lock, self._stopped, self._seconds):
            others = [
                threading.Thread(target=self._work, args=(lock,), name="deliverer", daemon=True)
                for _ in range(_THREADS - 1)
            ]
            self._threads[1:] = others
            for thread in others:
                thread.start()
            self._work(lock)
            for thread in others:
                thread.join(timeout=5)
            lock.release()

    def _work(self, lock: Lock) -> None:
        while not self._stopped.is_set() and lock.held():
            try:
                if self.deliver_one():
                    continue
            except SQLAlchemyError as error:
                _log.warning("the outbox cannot be read: %s", type(error).__name__)
            self._wake.wait(self._seconds)
            self._wake.clear()
