"""Whether an engine on servers of its own answers, asked now and then."""

import threading
import time
from collections.abc import Callable

from index.errors import EngineError

_SECONDS = 2.0


class EngineWatch:
    """Remembers for a moment whether the engine answered, so that asking often costs nothing.

    Args:
        check: Asks the engine; raises :class:`EngineError` when it does not answer.
        seconds: How long an answer counts.
    """

    def __init__(self, check: Callable[[], None], seconds: float = _SECONDS) -> None:
        self._check = check
        self._seconds = seconds
        self._lock = threading.Lock()
        self._until = 0.0
        self._reason: str | None = None

    @property
    def reason(self) -> str | None:
        """What is wrong with the engine, or None."""
        with self._lock:
            if time.monotonic() >= self._until:
                try:
                    self._check()
                    self._reason = None
                except EngineError as error:
                    self._reason = str(error)
                self._until = time.monotonic() + self._seconds
            return self._reason
