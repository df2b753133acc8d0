"""Answers that were given, kept for some days."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, func, insert, select

from service.storage.database import answers, overwrite_deleted


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One reply with what it replied to.

    Attributes:
        id: The reply's id.
        asker: Who asked: a key's id, a token's id, or ``loopback``.
        conversation_id: The conversation that it belongs to; means something together with the asker only.
        collection: The collection that was asked.
        question: What was asked.
        reply: The object of ``POST /v1/ask`` as JSON, exactly as it was sent.
        created: When, as :func:`moment` writes it.
    """

    id: str
    asker: str
    conversation_id: str
    collection: str
    question: str
    reply: str
    created: str


def moment(days_ago: float = 0.0) -> str:
    """Return a time as replies carry it, UTC to the second; later times are greater strings."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def store_answers(engine: Engine, given: Sequence[StoredAnswer]) -> None:
    """Write answers, all or none."""
    with engine.begin() as connection:
        connection.execute(insert(answers), [asdict(answer) for answer in given])


def find_answer(engine: Engine, name: str, since: str) -> StoredAnswer | None:
    """Return one answer that was given at ``since`` or later, or None."""
    return next(_read(engine, answers.c.id == name, answers.c.created >= since), None)


def load_answers(engine: Engine, since: str) -> Iterator[StoredAnswer]:
    """Yield every answer that was given at ``since`` or later, the oldest first."""
    return _read(engine, answers.c.created >= since)


def count_quoting(engine: Engine, document_id: str) -> int:
    """Return how many kept answers name a document among their citations."""
    query = select(func.count()).select_from(answers).where(answers.c.reply.contains(document_id, autoescape=True))
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def earlier_questions(engine: Engine, asker: str, conversation_id: str, since: str, limit: int) -> tuple[str, ...]:
    """Return the last questions of an asker's conversation, the oldest first.

    Args:
        engine: The database.
        asker: Whose conversation; the same id of another asker is another conversation.
        conversation_id: Its id.
        since: Questions that were asked before are left out.
        limit: Most questions.
    """
    query = (
        select(answers.c.question)
        .where(answers.c.conversation_id == conversation_id, answers.c.asker == asker, answers.c.created >= since)
        .order_by(answers.c.number.desc())
        .limit(limit)
    )
    with engine.connect() as connection:
        return tuple(reversed(connection.execute(query).scalars().all()))


def delete_conversation(engine: Engine, conversation_id: str, asker: str | None = None) -> int:
    """Delete the answers of a conversation; the text is overwritten in the file, not only unlinked.

    Args:
        engine: The database.
        conversation_id: Its id.
        asker: Only what this one asked; None means anybody.

    Returns:
        How many there were.
    """
    mine = () if asker is None else (answers.c.asker == asker,)
    return _delete(engine, answers.c.conversation_id == conversation_id, *mine)


def delete_before(engine: Engine, before: str) -> int:
    """Delete the answers that were given before a time; return how many there were."""
    return _delete(engine, answers.c.created < before)


def _delete(engine: Engine, *conditions: ColumnElement[bool]) -> int:
    with engine.begin() as connection:
        count = connection.execute(delete(answers).where(*conditions)).rowcount
    if count:
        overwrite_deleted(engine)
    return count


def _read(engine: Engine, *conditions: ColumnElement[bool]) -> Iterator[StoredAnswer]:
    fields = (answers.c[name] for name in StoredAnswer.__slots__)
    with engine.connect() as connection:
        for row in connection.execute(select(*fields).where(*conditions).order_by(answers.c.number)):
            yield StoredAnswer(*row)
