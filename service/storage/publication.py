"""Which snapshot all machines serve, and whether documents have changed since it was built."""

from dataclasses import dataclass

from sqlalchemy import Engine, select

from service.storage.database import document_changes, publication, upsert


@dataclass(frozen=True, slots=True)
class Published:
    """The published snapshot.

    Attributes:
        snapshot_id: Its name.
        changes: Changes of documents that it holds, as :func:`change_count` counted them before it was built.
    """

    snapshot_id: str
    changes: int


def change_count(engine: Engine) -> int:
    """Return how often a document was stored, changed or deleted."""
    with engine.connect() as connection:
        return int(connection.execute(select(document_changes.c.count)).scalar() or 0)


def published(engine: Engine) -> Published | None:
    """Return the published snapshot, or None before the first."""
    with engine.connect() as connection:
        row = connection.execute(select(publication.c.snapshot_id, publication.c.changes)).first()
    return None if row is None else Published(row.snapshot_id, row.changes)


def publish(engine: Engine, news: Published) -> bool:
    """Let every machine serve a snapshot from now on; only the holder of the lock for building may call this.

    Returns:
        Whether it is published: not where the one before holds more changes.
    """
    values = {"snapshot_id": news.snapshot_id, "changes": news.changes}
    adding = upsert(engine, publication).values(id=1, **values)
    taking = adding.on_conflict_do_update(
        index_elements=["id"], set_=values, where=publication.c.changes <= news.changes
    )
    with engine.begin() as connection:
        return connection.execute(taking.returning(publication.c.id)).first() is not None
