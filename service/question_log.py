"""The log of questions, for operators who want one: off by default, identifiers taken out, gone after some days."""

import json
import logging
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from service.redacting import redact

_log = logging.getLogger(__name__)

_PRIVATE: Final = 0o600


class QuestionLog:
    """One file a day, one JSON object a line; all processes of one home write to the same files.

    Args:
        folder: Where the files lie.
        days: How long a file is kept after its day; 0 writes nothing and removes what is there.
    """

    def __init__(self, folder: Path, days: int) -> None:
        self._folder = folder
        self._days = days
        self._pruned: date | None = None

    def start(self) -> None:
        """Remove what has been kept long enough."""
        self._prune(datetime.now(UTC).date())

    def stop(self) -> None:
        """Nothing waits to be written."""

    def write(self, question: str, status: str, level: str | None) -> None:
        """Write one question down, without e-mail addresses, numbers and keys; a full disk loses the line alone.

        Args:
            question: What was asked.
            status: Of the reply.
            level: Of the notice, or None.
        """
        now = datetime.now(UTC)
        self._prune(now.date())
        if self._days == 0:
            return
        entry = {
            "time": now.isoformat(timespec="seconds"),
            "question": redact(question),
            "status": status,
            "level": level,
        }
        line = (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # One write at the end of the file: lines of several processes never mix.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            descriptor = os.open(self._folder / f"{now.date()}.jsonl", flags, _PRIVATE)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            _log.warning("a question cannot be logged: %s", type(error).__name__)

    def _prune(self, today: date) -> None:
        """Remove old files, once a day."""
        if self._pruned == today:
            return
        self._pruned = today
        delete_older(self._folder, self._days, today)


def delete_older(folder: Path, days: int, today: date) -> int:
    """Remove the files of days that ended more than ``days`` ago (0: every file); return how many."""
    kept_from = today - timedelta(days=days) if days else today + timedelta(days=1)
    count = 0
    for path in folder.glob("*.jsonl"):
        try:
            day = date.fromisoformat(path.stem)
        except ValueError:
            continue  # no file of ours
        if day < kept_from:
            path.unlink(missing_ok=True)
            count += 1
    return count
