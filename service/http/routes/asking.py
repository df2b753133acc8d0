"""``POST /v1/ask`` and ``POST /v1/search``."""

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from index.retrieving import Filters
from service.answering.records import Question
from service.http.answer_schemas import AnswerSchema, SearchSchema
from service.http.authenticating import ANYONE, Asker, Searcher, asker_of
from service.http.conversing import take_turn
from service.http.events import MEDIA_TYPE, events_of
from service.http.limiting import ADMITTED
from service.http.presenting import notice_schema, passage_schema
from service.http.schemas import AskRequest, SearchRequest
from service.http.state import DeskHere

router = APIRouter(prefix="/v1", tags=["asking"])


@router.post(
    "/ask",
    response_model=AnswerSchema,
    dependencies=[ADMITTED],
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "The reply; as events with `stream`.",
        }
    },
)
def ask(body: AskRequest, request: Request, desk: DeskHere, caller: Asker) -> Response:
    """Answer a question with cited sentences, or say why not; warning signs come first.

    With `stream` the reply comes as server-sent events: `triage`, `passages`, `sentence` …, `abstain`, `done`.
    """
    caller.check(body.filters.collection)
    question = Question(
        text=body.question,
        history=tuple(body.history),
        top_k=body.top_k,
        source_ids=None if body.filters.source_ids is None else tuple(body.filters.source_ids),
        collection=body.filters.collection,
        mode=body.mode,
    )
    # Askers without a name share one: a conversation that one of them named could be another's.
    conversation_id = None if caller.asker == ANYONE else body.conversation_id
    reply, text = take_turn(desk, question, asker_of(request), conversation_id)
    if body.stream:
        return StreamingResponse(events_of(reply, text), media_type=MEDIA_TYPE)
    return Response(text, media_type="application/json")


@router.post("/search", dependencies=[ADMITTED])
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
    if notice is not None:
        desk.telemetry.notice(notice.level.value)
    return SearchSchema(
        triage=notice_schema(notice),
        data=[passage_schema(hit) for hit in hits],
        snapshot_id=retriever.snapshot.id,
    )
