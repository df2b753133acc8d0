"""``POST /v1/chat/completions`` and ``GET /v1/models``, for clients that speak OpenAI's protocol."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response, StreamingResponse

from service.answering.records import Question
from service.http.authenticating import ChatAsker, asker_of
from service.http.chat_schemas import (
    AnnotationSchema,
    ChatAnswerSchema,
    ChatChoiceSchema,
    ChatCompletionSchema,
    ChatRequest,
    ChatUsageSchema,
    ModelSchema,
    ModelsSchema,
    UrlCitationSchema,
)
from service.http.conversing import take_turn
from service.http.events import MEDIA_TYPE
from service.http.limiting import ADMITTED
from service.http.problems import ProblemError
from service.http.schemas import QUESTION_CHARACTERS
from service.http.state import DeskHere
from service.transcript import Transcript, transcribe

MODEL = "backline"
_TURNS = 20

router = APIRouter(prefix="/v1", tags=["chatting"])


@router.post(
    "/chat/completions",
    response_model=ChatCompletionSchema,
    dependencies=[ADMITTED],
    responses={200: {"content": {"text/event-stream": {}}, "description": "The reply; as chunks with `stream`."}},
)
def complete(asked: ChatRequest, request: Request, desk: DeskHere, caller: ChatAsker) -> Response | dict[str, Any]:
    """Answer the last user message in OpenAI's shape: a notice first, numbered sentences, footnotes, `url_citation`s.

    Instructions in the conversation change nothing: only what the user wrote is read, and it is screened as ever.
    """
    collection = _collection(asked.model)
    caller.check(collection)
    said = [message.words for message in asked.messages if message.role == "user" and message.words]
    if not said:
        raise ProblemError("invalid-request", "Correct the request: messages need one of the role user with text.")
    if len(said[-1]) > QUESTION_CHARACTERS:
        raise ProblemError(
            "invalid-request", f"Correct the request: a message has at most {QUESTION_CHARACTERS} characters."
        )
    # An earlier message that was refused for its length stays in the client's conversation; what fits of it is read.
    earlier = tuple(text[:QUESTION_CHARACTERS] for text in said[-1 - _TURNS : -1])
    question = Question(said[-1], earlier, collection=collection)
    reply, _ = take_turn(desk, question, asker_of(request), None)
    transcript = transcribe(reply, desk.settings.emergency_numbers)
    annotations = _annotations(transcript, str(request.base_url))
    if asked.stream:
        with_usage = asked.stream_options is not None and asked.stream_options.include_usage
        chunks = _chunks(reply, transcript, annotations, asked.model, with_usage=with_usage)
        return StreamingResponse(chunks, media_type=MEDIA_TYPE)
    answer = ChatAnswerSchema(content=transcript.text, annotations=annotations)
    completion = ChatCompletionSchema(
        id=_id(reply),
        created=_created(reply),
        model=asked.model,
        choices=[ChatChoiceSchema(message=answer)],
        backline=reply,
    )
    return completion.model_dump(mode="json")


@router.get("/models")
def models(desk: DeskHere, caller: ChatAsker) -> ModelsSchema:
    """List what `model` takes: `backline`, and `backline:COLLECTION` for each collection that is served."""
    snapshot = desk.replier.answerer.retriever.snapshot
    collections = snapshot.documents.collections | set(snapshot.remote)
    names = [MODEL] if caller.may_touch("default") else []
    names += [f"{MODEL}:{name}" for name in sorted(collections - {"default"}) if caller.may_touch(name)]
    return ModelsSchema(data=[ModelSchema(id=name, created=0) for name in names])


@router.get("/models/{name}")
def model(name: Annotated[str, Path(max_length=100)], desk: DeskHere, caller: ChatAsker) -> ModelSchema:
    """Return one of the names that `model` takes."""
    found = next((one for one in models(desk, caller).data if one.id == name), None)
    if found is None:
        raise ProblemError("not-found", "See /v1/models for the names.")
    return found


def _collection(model: str) -> str:
    """Return the collection that a model's name asks for; names of other makers' models mean the default."""
    name, _, collection = model.partition(":")
    return collection if name == MODEL and collection else "default"


def _id(reply: dict[str, Any]) -> str:
    return f"chatcmpl-{reply['id'].removeprefix('ans_')}"


def _created(reply: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(reply["created"]).timestamp())


def _annotations(transcript: Transcript, base: str) -> list[AnnotationSchema]:
    """Return one mark a citation of a sentence; a source without an address is reached through its passage here."""
    return [
        AnnotationSchema(
            url_citation=UrlCitationSchema(
                start_index=mark.start,
                end_index=mark.end,
                title=f"{mark.citation['title']}, {mark.citation['publisher']}",
                url=mark.citation["deep_link"]
                or mark.citation["url"]
                or f"{base}v1/passages/{mark.citation['passage_id']}",
            )
        )
        for mark in transcript.marks
    ]


def _chunks(
    reply: dict[str, Any],
    transcript: Transcript,
    annotations: list[AnnotationSchema],
    model: str,
    *,
    with_usage: bool,
) -> Iterator[str]:
    """Yield the reply piece by piece; folding the deltas gives the plain reply's content and annotations."""
    head = {"id": _id(reply), "object": "chat.completion.chunk", "created": _created(reply), "model": model}

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return f"data: {json.dumps({**head, 'choices': [choice], **more}, ensure_ascii=False)}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for piece in transcript.pieces:
        yield chunk({"content": piece})
    marks = [annotation.model_dump(mode="json") for annotation in annotations]
    yield chunk({"annotations": marks}, "stop", backline=reply)
    if with_usage:
        usage = ChatUsageSchema().model_dump(mode="json")
        yield f"data: {json.dumps({**head, 'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"
