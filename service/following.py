"""Follows the published snapshot: what any process publishes is served here within a second or two."""

import ctypes
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from index.errors import RetrievalError
from index.manifest import CURRENT, current_snapshot_id
from service.answering.replying import Replier
from service.serving import Serving

_log = logging.getLogger(__name__)

Reopen = Callable[[], tuple[Replier, tuple[str, ...]]]
"""Opens the newest intact snapshot; says why it is not the current one, if it is not."""


def give_back_memory() -> None:
    """Let the C library return what the former snapshot and its build have left; elsewhere than on glibc do nothing.

    Otherwise each swap leaves a little more in pieces, and a service that is changed every minute grows for hours.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Follower:
    """Looks at the pointer to the current snapshot and swaps when it has changed.

    Args:
        root: Folder of all snapshots.
        serving: What is swapped.
        reopen: Opens the newest intact snapshot.
        seconds: Time between two looks.
        bring: Called before each look: brings what another machine has published.
    """

    def __init__(
        self,
        root: Path,
        serving: Serving,
        reopen: Reopen,
        seconds: float = 0.5,
        bring: Callable[[], object] | None = None,
    ) -> None:
        self._root = root
        self._serving = serving
        self._reopen = reopen
        self._seconds = seconds
        self._bring = bring
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = serving.snapshot_id
        self._written = 0

    def look(self) -> bool:
        """Look once; return whether another snapshot answers now.

        A snapshot that cannot be opened leaves the one that serves, which then says so in ``reasons``. One of which a
        file was found changed is opened anew, once at each time that the pointer is written: it may have been mended.
        """
        with self._lock:
            try:
                if self._bring is not None:
                    self._bring()
                current = current_snapshot_id(self._root)
                written = (self._root / CURRENT).stat().st_mtime_ns
                is_mended = bool(self._serving.reasons) and written != self._written
                if current == self._seen and not (self._serving.is_damaged or is_mended):
                    return False
                self._written = written
                replier, reasons = self._reopen()
            except (RetrievalError, OSError) as error:
                self._serving.degrade(str(error))
                return False
            # What was opened may be newer than the name that was read; then the next look finds nothing to do.
            self._seen = current if reasons else replier.answerer.retriever.snapshot.id
            self._serving.swap(replier, reasons)
            give_back_memory()
            _log.info("snapshot %s answers now", self._serving.snapshot_id)
            return True

    def start(self) -> None:
        """Follow until :meth:`stop`."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following; a swap that has begun is finished."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the next look may go right
                _log.warning("following failed: %s", type(error).__name__)
