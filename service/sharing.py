"""One published snapshot for all machines: who builds hands it over, the others follow the row that names it."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from index.caching import FILE, VIEWS
from index.errors import NoSnapshotError, RetrievalError, StoreError
from index.manifest import current_snapshot_id, named_snapshots
from index.publishing import drop_snapshots_with
from service.settings import Settings
from service.storage.documents import withdrawn_versions
from service.storage.publication import Published, change_count, publish, published

if TYPE_CHECKING:  # it needs the extra `scale`
    from index.sharing import SnapshotStore

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.5
"""So long another machine may take to begin with what it has stored, before this one builds it."""


class OvertakenError(RetrievalError):
    """Another machine builds or has built meanwhile; nothing was published."""

    def __init__(self) -> None:
        super().__init__(
            "the database was out of reach while the index was built, and another machine may have built meanwhile: "
            "nothing was published; build again with `backline index`"
        )


class SharedSnapshots:
    """The snapshots of one machine among those of others.

    Args:
        engine: The database that all of them share.
        store: Where they hand snapshots to each other.
        settings: Where this machine keeps its own.
    """

    def __init__(self, engine: Engine, store: "SnapshotStore", settings: Settings) -> None:
        self._engine = engine
        self._store = store
        self._root = settings.snapshots
        self._caches = [settings.home / "cache" / name for name in (FILE, VIEWS)]
        self._seen: str | None = None
        self._behind_since: float | None = None
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Bring the published snapshot home when it is another than the one that was last seen.

        Raises:
            RetrievalError: it cannot be brought; the next look tries again.
        """
        row = published(self._engine)
        with self._lock:
            if row is None or row.snapshot_id == self._seen:
                return
            for cache in self._caches:
                if not cache.exists():
                    self._store.bring_cache(cache)
            if row.snapshot_id != _current(self._root):
                self._store.bring(self._root, row.snapshot_id)
                drop_snapshots_with(self._root, withdrawn_versions(self._engine))
                _log.info("snapshot %s was brought from the store", row.snapshot_id)
            self._seen = row.snapshot_id

    def hand_over(self, snapshot_id: str, changes: int) -> None:
        """Publish a snapshot of this machine to all; on return every look finds it.

        The store is tidied and the cache sent last: where that fails it is logged, and left to the next build.

        Args:
            snapshot_id: Its name.
            changes: Changes that were counted before its documents were read.

        Raises:
            StoreError: the store does not take the snapshot; the row still names the one before.
            OvertakenError: the row names one with more changes, and still does.
        """
        with self._lock:
            self._store.send(self._root, snapshot_id)
            if not publish(self._engine, Published(snapshot_id, changes)):
                raise OvertakenError
            self._seen = snapshot_id
        # This machine's own look need not wait for what follows.
        with _left_to_the_next("older snapshots stay in the store"):
            self._store.keep_only(named_snapshots(self._root))
        with _left_to_the_next("the cache was not sent"):
            for cache in self._caches:
                self._store.send_cache(cache)

    def changes(self) -> int:
        """Return how often documents have changed."""
        return change_count(self._engine)

    def holds(self, changes: int) -> bool:
        """Whether the published snapshot was built from so many changes, or more."""
        row = published(self._engine)
        return row is not None and row.changes >= changes

    def is_behind(self) -> bool:
        """Whether the published snapshot lacks changes that nobody has built for a while."""
        if self.holds(change_count(self._engine)):
            self._behind_since = None
            return False
        now = time.monotonic()
        self._behind_since = self._behind_since or now
        return now - self._behind_since >= PATIENCE_SECONDS


def open_shared(settings: Settings, engine: Engine) -> SharedSnapshots | None:
    """Return what shares snapshots with other machines, or None where this one is alone.

    Raises:
        StoreError: the store's address says nothing, or what speaks to stores is not installed.
    """
    if not settings.snapshots_url:
        return None
    try:
        from index.sharing import SnapshotStore
    except ModuleNotFoundError:
        raise StoreError("the extra is not installed: pip install 'backline[scale]'") from None
    return SharedSnapshots(engine, SnapshotStore(settings.snapshots_url), settings)


@contextmanager
def _left_to_the_next(what: str) -> Iterator[None]:
    """Let a fault of the store pass: what the next build will do anyway fails none."""
    try:
        yield
    except StoreError as error:
        _log.warning("%s: %s", what, error)


def _current(root: Path) -> str | None:
    try:
        return current_snapshot_id(root)
    except NoSnapshotError:
        return None
