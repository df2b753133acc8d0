"""``GET /v1/answers/{id}`` and ``DELETE /v1/conversations/{id}``: what was answered, and its end."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from service.http.answer_schemas import AnswerSchema
from service.http.authenticating import Caller, Owner, asker_of
from service.http.problems import ProblemError
from service.http.record_schemas import DeletedSchema
from service.http.schemas import ConversationId
from service.http.state import Desk, DeskHere
from service.keeping import AnswerKeeper
from service.storage.answers import StoredAnswer, delete_conversation, moment
from service.storage.feedback import count_feedback
from service.storage.outbox import delete_of_conversation

router = APIRouter(prefix="/v1", tags=["answers"])


@router.get("/answers/{answer_id}", response_model=AnswerSchema)
def answer(answer_id: Annotated[str, Path(max_length=64)], request: Request, desk: DeskHere, caller: Owner) -> Response:
    """Return a reply once more, byte for byte, with its evidence, to whoever asked."""
    return Response(find_own(desk, answer_id, request, caller).reply, media_type="application/json")


@router.delete("/conversations/{conversation_id}")
def remove(
    conversation_id: Annotated[ConversationId, Path()], request: Request, desk: DeskHere, caller: Owner
) -> DeletedSchema:
    """Delete everything of a conversation that the caller held; an admin deletes it whoever asked."""
    keeper = _keeping(desk)
    keeper.flush()
    whose = None if caller.is_admin else asker_of(request)
    verdicts = count_feedback(keeper.engine, conversation_id, whose)
    handoffs = delete_of_conversation(keeper.engine, conversation_id, whose)
    count = delete_conversation(keeper.engine, conversation_id, whose)
    if not count and not handoffs:
        raise ProblemError("not-found", "Nothing is kept of a conversation of that id that you held.")
    return DeletedSchema(
        conversation_id=conversation_id, answers=count, feedback=verdicts, handoffs=handoffs, at=moment()
    )


def find_own(desk: Desk, answer_id: str, request: Request, caller: Caller) -> StoredAnswer:
    """Return a kept answer to who asked for it, and to an admin.

    Raises:
        ProblemError: there is none, or another asked; the two look the same from outside.
    """
    found = _keeping(desk).find(answer_id)
    own = found is not None and (found.asker == asker_of(request) or caller.is_admin)
    if found is None or not own or not caller.may_touch(found.collection):
        raise _nothing()
    return found


def _keeping(desk: Desk) -> AnswerKeeper:
    if desk.keeper is None:
        raise _nothing()
    return desk.keeper


def _nothing() -> ProblemError:
    return ProblemError("not-found", "No answer of that id is kept that you asked for; answers are kept for some days.")
