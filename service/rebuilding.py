"""Builds and publishes a new snapshot in the background when documents have changed."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Literal

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5

State = Literal["current", "building", "failed"]
"""Whether the published snapshot holds every stored document, will soon, or could not be built."""


class Rebuilder:
    """One build at a time; what changes while one runs is in the next.

    Args:
        build: Builds and publishes from what is stored when it is called.
        publish: Told after each build, so that it is served at once.
        seconds: Time to wait for more changes before a build, so that many uploads cost one.
        is_behind: Asked every half second where other machines bring documents too: whether what one of them stored
            waits for somebody to build it.
        again_seconds: Time after which a build that failed is tried again: a full disk may have room by then.
    """

    def __init__(
        self,
        build: Callable[[], object],
        publish: Callable[[], object],
        seconds: float = 0.3,
        is_behind: Callable[[], bool] | None = None,
        again_seconds: float = 30.0,
    ) -> None:
        self._build = build
        self._publish = publish
        self._seconds = seconds
        self._is_behind = is_behind
        self._again_seconds = again_seconds
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._state: State = "current"
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        """How the published snapshot stands to what is stored."""
        return self._state

    def request(self) -> None:
        """Ask for a build; returns at once."""
        with self._lock:
            self._state = "building"
            self._wanted.set()

    def start(self) -> None:
        """Build on request until :meth:`stop`."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="rebuilder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; a build that has begun is cut off by the end of the process, which leaves the old snapshot whole."""
        self._stopped.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            self._await_need()
            if self._stopped.wait(self._seconds):
                return
            self._wanted.clear()
            self._build_once()

    def _look(self) -> None:
        try:
            if self._is_behind is not None and self._is_behind():
                self.request()
        except Exception as error:  # noqa: BLE001 - a database that does not answer may answer the next time
            _log.warning("changes cannot be seen: %s", type(error).__name__)

    def _await_need(self) -> None:
        """Wait until a build is asked for, another machine's change waits for one, or one that failed is due again."""
        again = time.monotonic() + self._again_seconds
        failed = self._state == "failed"
        looks = _LOOK_SECONDS if self._is_behind is not None else None
        while not self._wanted.wait(min(looks or self._again_seconds, self._again_seconds) if failed else looks):
            if self._is_behind is not None:
                self._look()
            if failed and time.monotonic() >= again:
                return

    def _build_once(self) -> None:
        done: State = "current"
        try:
            self._build()
            self._publish()
        except Exception as error:  # noqa: BLE001 - a failed build must not end the building of later ones
            # Only the kind: the words of an error may hold what a person brought.
            _log.error("building the index failed: %s", type(error).__name__)
            done = "failed"
        with self._lock:
            if not self._wanted.is_set():
                self._state = done
