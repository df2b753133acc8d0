"""``POST /v1/ask`` and ``POST /v1/search``."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from index.retrieving import Filters
from service.answering.records import Question
from service.http.authenticating import Asker, Searcher
from service.http.events import MEDIA_TYPE, events_of
from service.http.schemas import (
    AnswerSchema,
    AskRequest,
    SearchRequest,
    SearchSchema,
    notice_schema,
    passage_schema,
    reply_json,
)
from service.http.state import DeskHere

router = APIRouter(prefix="/v1", tags=["asking"])


@router.post(
    "/ask",
    response_model=AnswerSchema,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The reply; as events with `stream`."}},
)
def ask(request: AskRequest, desk: DeskHere, caller: Asker) -> Response | dict[str, Any]:
    """Answer a question with cited sentences, or say why not; warning signs come first.

    With `stream` the reply comes as server-sent events: `triage`, `passages`, `sentence` …, `abstain`, `done`.
    """
    caller.check(request.filters.collection)
    question = Question(
        text=request.question,
        history=tuple(request.history),
        top_k=request.top_k,
        source_ids=None if request.filters.source_ids is None else tuple(request.filters.source_ids),
        collection=request.filters.collection,
    )
    with desk.gate:
        reply = reply_json(desk.replier.reply(question))
    if request.stream:
        return StreamingResponse(events_of(reply), media_type=MEDIA_TYPE)
    return reply


@router.post("/search")
def search(request: SearchRequest, desk: DeskHere, caller: Searcher) -> SearchSchema:
    """Search passages; words that describe a warning sign raise the same notice as a question."""
    caller.check(request.filters.collection)
    sources = request.filters.source_ids
    filters = Filters(None if sources is None else tuple(sources), request.filters.collection)
    with desk.gate:
        replier = desk.replier
        retriever = replier.answerer.retriever
        notice = replier.screen(Question(request.query))
        hits = retriever.search(request.query, request.top_k, filters)
    return SearchSchema(
        triage=notice_schema(notice),
        data=[passage_schema(hit) for hit in hits],
        snapshot_id=retriever.snapshot.id,
    )
