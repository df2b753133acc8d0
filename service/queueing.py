"""Who computes now, and who comes next."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class Gate:
    """Lets one thread compute at a time, and the others in the order in which they came.

    Threads that compute in Python win nothing by doing it at the same time: they take the interpreter from each other,
    and from the event loop, which then refuses too late what is too much. So one computes, and lets the next go on
    while it waits for the model or another machine (:meth:`aside`).

    A lock lets whoever asks at the right moment overtake those who wait: under load a few then wait for very long.
    Here the turn is handed to the one who has waited longest.
    """

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()
        self._inside = threading.local()

    def __enter__(self) -> "Gate":
        self._take()
        self._inside.yes = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside.yes = False
        self._hand_on()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let the next compute while this thread waits for something else; nothing changes for one that is outside."""
        if not getattr(self._inside, "yes", False):
            yield
            return
        self._inside.yes = False
        self._hand_on()
        try:
            yield
        finally:
            self._take()
            self._inside.yes = True

    def _take(self) -> None:
        turn = threading.Lock()
        turn.acquire()  # whoever hands the turn on releases it
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            self._waiting.append(turn)
        turn.acquire()

    def _hand_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
