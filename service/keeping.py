"""Keeps answers for some days: writes them beside the replies, never before them."""

import logging
import threading
import time
from collections import deque
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.storage.answers import (
    StoredAnswer,
    delete_before,
    earlier_questions,
    find_answer,
    moment,
    store_answers,
)

_log = logging.getLogger(__name__)

TURNS: Final = 10
"""Most earlier questions of a conversation that a question is read with."""

MOST_WAITING: Final = 256
"""Answers that may wait to be written; from then on the oldest give way."""

_TRIES: Final = 3
_SECONDS_BETWEEN_SWEEPS: Final = 3600.0
_SECONDS_TO_WRITE: Final = 5.0
_SECONDS_FOR_OTHERS: Final = 0.1


class AnswerKeeper:
    """Writes answers to the database in the background, and takes out what has been kept long enough.

    A reply never waits for the disk and never fails with it: what cannot be written is not kept, and ``reason`` says
    so. Whoever reads here reads after what this process has answered so far.

    Args:
        engine: The database.
        days: How long answers are kept; 0 keeps none, and removes those of before.
    """

    def __init__(self, engine: Engine, days: int) -> None:
        self._engine = engine
        self._days = days
        self._waiting: deque[StoredAnswer] = deque()
        self._writing = 0
        self._changed = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._reason: str | None = None

    @property
    def reason(self) -> str | None:
        """Why answers are not kept at the moment, or None."""
        return self._reason

    @property
    def engine(self) -> Engine:
        """The database."""
        return self._engine

    @property
    def keeps(self) -> bool:
        """Whether answers are kept at all."""
        return self._days > 0

    @property
    def since(self) -> str:
        """Answers before this moment are over."""
        return moment(self._days if self.keeps else -1)

    def keep(self, answer: StoredAnswer) -> None:
        """Keep one answer; returns at once."""
        if not self.keeps:
            return
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._reason = "answers come faster than they can be stored, and some are not kept"
            self._waiting.append(answer)
            self._changed.notify_all()

    def find(self, name: str) -> StoredAnswer | None:
        """Return a kept answer, or None."""
        self.flush()
        found = find_answer(self._engine, name, self.since)
        if found is None:
            time.sleep(_SECONDS_FOR_OTHERS)  # another worker may have given it just now, and still write it
            found = find_answer(self._engine, name, self.since)
        return found

    def earlier_questions(self, asker: str, conversation_id: str) -> tuple[str, ...]:
        """Return the last questions of an asker's conversation, the oldest first; none when they cannot be read."""
        self.flush()
        try:
            return earlier_questions(self._engine, asker, conversation_id, self.since, TURNS)
        except SQLAlchemyError as error:
            _log.warning("a conversation cannot be read: %s", type(error).__name__)
            return ()

    def flush(self) -> None:
        """Wait until what was kept is written, or cannot be."""
        with self._changed:
            if self._thread is not None:
                self._changed.wait_for(lambda: not self._waiting and not self._writing, _SECONDS_TO_WRITE)

    def start(self) -> None:
        """Write and sweep until :meth:`stop`."""
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        sweep_at = 0.0
        while True:
            if time.monotonic() >= sweep_at:
                self._sweep()
                sweep_at = time.monotonic() + _SECONDS_BETWEEN_SWEEPS
            with self._changed:
                if not self._waiting and not self._stopped:
                    self._changed.wait(sweep_at - time.monotonic())
                batch = tuple(self._waiting)
                self._waiting.clear()
                self._writing = len(batch)
                if self._stopped and not batch:
                    return
            if batch:
                self._write(batch)
            with self._changed:
                self._writing = 0
                self._changed.notify_all()

    def _write(self, batch: tuple[StoredAnswer, ...]) -> None:
        failure = ""
        for _ in range(_TRIES):  # each waits for a busy database by itself
            try:
                store_answers(self._engine, batch)
            except SQLAlchemyError as error:
                failure = type(error).__name__  # only the kind: the words of the error hold what was asked
            else:
                self._reason = None
                return
        _log.warning("%d answers are not kept: %s", len(batch), failure)
        self._reason = "answers cannot be stored: look at disk space and permissions of the database"

    def _sweep(self) -> None:
        try:
            delete_before(self._engine, self.since)
        except SQLAlchemyError as error:
            _log.warning("answers that are over cannot be deleted: %s", type(error).__name__)
