"""Who computes now, and who comes next."""

import threading
from collections import deque
from types import TracebackType


class Gate:
    """Lets so many in at the same time, and the others in the order in which they came.

    A semaphore lets whoever asks at the right moment overtake those who wait: under load a few then wait for very
    long. Here a place that becomes free is handed to the one who has waited longest.

    Args:
        most: Places.

    Attributes:
        most: Places.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._free = most
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> "Gate":
        turn = threading.Lock()
        turn.acquire()  # whoever hands a place over releases it
        with self._lock:
            if self._free:
                self._free -= 1
                return self
            self._waiting.append(turn)
        turn.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
