"""Deletes a document that was brought, and says from where."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine

from corpus.fetching.caching import PageCache
from service.settings import Settings
from service.storage.answers import count_quoting
from service.storage.documents import delete_document, load_document

RemovedFrom = Literal["database", "search", "fetched pages"]
Pending = Literal["snapshot files", "embedding cache", "Milvus"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was deleted, and from where.

    Attributes:
        document_id: The document.
        removed_from: Done before this was written.
        pending: What the next build of the index removes from the disk.
        quoted_in_answers: Kept answers that quote it; they stay for as long as answers are kept.
        at: When, ISO 8601.
    """

    document_id: str
    removed_from: tuple[RemovedFrom, ...]
    pending: tuple[Pending, ...]
    quoted_in_answers: int
    at: str


def remove_document(engine: Engine, settings: Settings, document_id: str) -> Receipt | None:
    """Delete a document everywhere but in the files that a build makes; None when there is none.

    A running service shows nothing of it from its next request on. The build that takes it out of the files of the
    index is the caller's to start.
    """
    document = load_document(engine, document_id)
    at = delete_document(engine, document_id)
    if document is None or at is None:
        return None
    removed: list[RemovedFrom] = ["database", "search"]
    if document.source.retrieved and PageCache(settings.pages).remove(document.source.url):
        removed.append("fetched pages")
    quoting = count_quoting(engine, document_id)
    pending: list[Pending] = ["snapshot files", "embedding cache"]
    if settings.engine == "milvus":
        pending.append("Milvus")
    return Receipt(document_id, tuple(removed), tuple(pending), quoting, at)
