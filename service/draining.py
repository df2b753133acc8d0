"""Stopping without losing anyone: first say so, then take no more, then finish what was taken."""

import signal
import threading
from types import FrameType

import uvicorn


class DrainingServer(uvicorn.Server):
    """A server that turns ``/readyz`` to 503 and serves on for a moment, so that a proxy sends others elsewhere.

    Args:
        config: uvicorn's configuration.
        stopping: Set with the first SIGTERM.
        seconds: From then until no connection is taken any more. Ctrl+C and a second SIGTERM do not wait.
    """

    def __init__(self, config: uvicorn.Config, stopping: threading.Event, seconds: float) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._seconds = seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal to stop."""
        first = not self._stopping.is_set()
        self._stopping.set()
        if sig == signal.SIGTERM and first and self._seconds > 0:
            timer = threading.Timer(self._seconds, super().handle_exit, (sig, frame))
            timer.daemon = True
            timer.start()
        else:
            super().handle_exit(sig, frame)
