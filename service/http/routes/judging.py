"""``POST /v1/feedback`` and ``POST /v1/handoffs``: what the asker makes of an answer."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import IntegrityError

from service.answering.records import Question
from service.handing_over import HANDOFF, Handoff
from service.http.authenticating import Asker, Judge, asker_of
from service.http.presenting import notice_schema
from service.http.problems import ProblemError
from service.http.record_schemas import FeedbackRequest, FeedbackSchema, HandoffRequest, HandoffSchema
from service.http.routes.answers import find_own
from service.http.schemas import ProblemSchema
from service.http.state import DeskHere
from service.settings import Settings
from service.storage.answers import moment
from service.storage.feedback import store_feedback
from service.storage.outbox import new_id, put

router = APIRouter(prefix="/v1", tags=["answers"])


@router.post(
    "/feedback",
    status_code=201,
    response_model=FeedbackSchema,
    responses={200: {"model": FeedbackSchema, "description": "It took the place of the asker's verdict before."}},
)
def judge(body: FeedbackRequest, request: Request, response: Response, desk: DeskHere, caller: Judge) -> FeedbackSchema:
    """Keep what the asker says of an answer, or of one of its citations; it is on disk when this answers."""
    answer = find_own(desk, body.answer_id, request, caller)
    if desk.database is None or not _cites(json.loads(answer.reply), body.citation_id):
        raise ProblemError("not-found", "The answer has no citation of that id.")
    asker, target = asker_of(request), body.citation_id or ""
    try:
        given, first = store_feedback(
            desk.database, answer.id, asker, target, body.verdict, body.reason, (body.text or "").strip() or None
        )
    except IntegrityError:
        raise ProblemError("not-found", "The answer was deleted meanwhile.") from None
    if not first:
        response.status_code = 200
    return FeedbackSchema(
        id=given.id,
        answer_id=given.answer_id,
        citation_id=given.citation_id or None,
        verdict=given.verdict,
        reason=given.reason,
        created=given.created,
        updated=given.updated,
    )


@router.post(
    "/handoffs",
    status_code=202,
    responses={409: {"model": ProblemSchema, "description": "the operator has set nobody to hand over to"}},
)
def hand_over(body: HandoffRequest, request: Request, desk: DeskHere, caller: Asker) -> HandoffSchema:
    """Pass a question on to a person; it is on disk when this answers, and is delivered until it has arrived.

    The question is screened like any other: a warning comes first in the reply.
    """
    settings = desk.settings
    if desk.database is None or not settings.handoff_url:
        raise ProblemError("no-handoff", _without(settings))
    answer = None if body.answer_id is None else find_own(desk, body.answer_id, request, caller)
    notice = desk.replier.screen(Question(body.question))
    handoff = Handoff(
        id=new_id(),
        created=moment(),
        question=body.question,
        contact=(body.contact or "").strip() or None,
        answer_id=None if answer is None else answer.id,
        conversation_id=None if answer is None else answer.conversation_id,
        status=None if answer is None else str(json.loads(answer.reply)["status"]),
        level=None if notice is None else notice.level.value,
    )
    put(
        desk.database,
        HANDOFF,
        HANDOFF,
        handoff.payload(),
        row_id=handoff.id,
        asker=asker_of(request),
        conversation_id=handoff.conversation_id,
    )
    return HandoffSchema(
        triage=notice_schema(notice),
        id=handoff.id,
        team=settings.handoff_team or None,
        channel=settings.handoff_channel or None,
        created=handoff.created,
    )


def _cites(reply: dict[str, Any], citation_id: str | None) -> bool:
    nearby = [] if reply["abstention"] is None else reply["abstention"]["nearest"]
    return citation_id is None or any(citation["id"] == citation_id for citation in (*reply["citations"], *nearby))


def _without(settings: Settings) -> str:
    if settings.handoff_email:
        return f"Write to {settings.handoff_email}: nothing is delivered from here."
    return "The operator has named nobody: set BACKLINE_HANDOFF_URL and BACKLINE_HANDOFF_SECRET."
