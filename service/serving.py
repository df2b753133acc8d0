"""What answers now. A newly published snapshot takes its place between two questions, and deletions count at once."""

import threading
from dataclasses import dataclass

from sqlalchemy import Engine

from service.answering.replying import Replier
from service.storage.documents import withdrawal_count, withdrawn_versions


@dataclass(frozen=True, slots=True)
class _Now:
    replier: Replier
    reasons: tuple[str, ...]
    is_damaged: bool = False


class Serving:
    """Holds the replier of the moment.

    Take :attr:`replier` once a request: what was taken belongs to one snapshot to its end, whatever is published
    meanwhile.

    Args:
        replier: The first one.
        reasons: Why the service is degraded, if it is.
        database: Where deletions are noted, also those of other workers; None where nothing can be deleted.
    """

    def __init__(self, replier: Replier, reasons: tuple[str, ...] = (), database: Engine | None = None) -> None:
        self._now = _Now(replier, reasons)
        self._database = database
        self._lock = threading.Lock()
        self._seen = -1

    @property
    def replier(self) -> Replier:
        """The replier of the newest snapshot, in which everything that was deleted until now is hidden."""
        if self._database is not None:
            count = withdrawal_count(self._database)
            with self._lock:
                # Counted before the list is read: a deletion in between is looked at again, never overlooked.
                if count != self._seen:
                    self._withdraw(self._now.replier, self._database)
                    self._seen = count
                return self._now.replier
        return self._now.replier

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the service is degraded, if it is."""
        return self._now.reasons

    @property
    def is_damaged(self) -> bool:
        """Whether a file of the snapshot that answers was found changed since it was opened."""
        return self._now.is_damaged

    @property
    def snapshot_id(self) -> str:
        """The snapshot that answers now."""
        return self._now.replier.answerer.retriever.snapshot.id

    def swap(self, replier: Replier, reasons: tuple[str, ...] = ()) -> None:
        """Let another replier answer from the next request on."""
        with self._lock:
            if self._database is not None:
                self._withdraw(replier, self._database)
            self._now = _Now(replier, reasons)

    def degrade(self, reason: str) -> None:
        """Go on with what there is, and say why it is not what it should be."""
        with self._lock:
            self._now = _Now(self._now.replier, (reason,))

    def damage(self, reason: str) -> None:
        """Go on with a snapshot of which a file was changed, until another can be opened."""
        with self._lock:
            self._now = _Now(self._now.replier, (reason,), is_damaged=True)

    @staticmethod
    def _withdraw(replier: Replier, database: Engine) -> None:
        replier.answerer.retriever.withdraw(withdrawn_versions(database))
