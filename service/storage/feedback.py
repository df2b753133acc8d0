"""What askers say of the answers that they were given."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine, select

from service.storage.answers import StoredAnswer, moment
from service.storage.database import answers, feedback, upsert

Verdict = Literal["yes", "no"]
Fault = Literal["warning", "wrong", "off", "hard"]
"""A warning was missing, something is wrong, it did not answer, it is hard to understand."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One verdict.

    Attributes:
        id: ``fb_`` and random hex digits.
        answer_id: The answer that it is on.
        asker: Whose verdict.
        citation_id: The citation of that answer that it is on, or "" for the answer as a whole.
        verdict: Whether it answered the question, or the citation shows what it should.
        reason: What was wrong, or None.
        text: In the asker's own words, or None.
        created: When it was first given.
        updated: When it was given last.
    """

    id: str
    answer_id: str
    asker: str
    citation_id: str
    verdict: Verdict
    reason: Fault | None
    text: str | None
    created: str
    updated: str


def store_feedback(
    engine: Engine,
    answer_id: str,
    asker: str,
    citation_id: str,
    verdict: Verdict,
    reason: Fault | None = None,
    text: str | None = None,
) -> tuple[Feedback, bool]:
    """Write a verdict; a second one of the same asker on the same target takes the place of the first.

    Returns:
        The verdict, and whether it is the first.

    Raises:
        sqlalchemy.exc.IntegrityError: the answer is not kept any more.
    """
    now, name = moment(), f"fb_{secrets.token_hex(12)}"
    given = Feedback(name, answer_id, asker, citation_id, verdict, reason, text, now, now)
    news = {"verdict": verdict, "reason": reason, "text": text, "updated": now}
    row = {field: getattr(given, field) for field in Feedback.__slots__}
    same = ["answer_id", "asker", "citation_id"]
    query = upsert(engine, feedback).values(row).on_conflict_do_update(index_elements=same, set_=news)
    with engine.begin() as connection:
        stored = connection.execute(query.returning(feedback)).mappings().one()
    return Feedback(**stored), stored["id"] == name


def load_feedback(engine: Engine, since: str) -> Iterator[tuple[Feedback, StoredAnswer]]:
    """Yield every verdict on answers given at ``since`` or later, with the answer, in the order of the answers."""
    judged = (feedback.c[name] for name in Feedback.__slots__)
    given = (answers.c[name] for name in StoredAnswer.__slots__)
    query = (
        select(*judged, *given)
        .join_from(feedback, answers, feedback.c.answer_id == answers.c.id)
        .where(answers.c.created >= since)
        .order_by(answers.c.number, feedback.c.citation_id, feedback.c.id)
    )
    with engine.connect() as connection:
        for row in connection.execute(query):
            width = len(Feedback.__slots__)
            yield Feedback(*row[:width]), StoredAnswer(*row[width:])


def count_feedback(engine: Engine, conversation_id: str, asker: str | None = None) -> int:
    """Return how many verdicts there are on a conversation's answers; of one asker, or of anybody."""
    query = (
        select(feedback.c.id)
        .join_from(feedback, answers, feedback.c.answer_id == answers.c.id)
        .where(answers.c.conversation_id == conversation_id)
    )
    if asker is not None:
        query = query.where(answers.c.asker == asker)
    with engine.connect() as connection:
        return len(connection.execute(query).all())
