"""``POST /v1/hooks/{platform}/{connection}``: where help desks deliver. A signature stands in for a key."""

import time
from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from service.http.problems import ProblemError
from service.http.state import DeskHere

router = APIRouter(prefix="/v1", tags=["help desks"])


class ReceiptSchema(BaseModel):
    """What became of a delivery: stored, known already, or nothing that a customer wrote."""

    state: Literal["accepted", "duplicate", "ignored"]


@router.post("/hooks/{platform}/{connection}", response_model=ReceiptSchema)
async def hook(platform: str, connection: str, request: Request, desk: DeskHere) -> ReceiptSchema | JSONResponse:
    """Take a delivery of a help desk: checked over its raw bytes, stored on disk, answered later.

    The help desk is one of `backline connect`; what it signs with is set up there.
    """
    body = await request.body()
    if desk.reception is None:
        raise ProblemError("not-ready", "This service takes no deliveries.", headers={"retry-after": "3600"})
    headers = dict(request.headers)
    state = await run_in_threadpool(desk.reception.receive, platform, connection, headers, body, time.time())
    if state == "refused":
        detail = "The connection is unknown, or the signature is missing, wrong or older than five minutes."
        raise ProblemError("hook-refused", detail)
    if state == "nonsense":
        raise ProblemError("invalid-request", "The delivery lacks what `backline connect` told you to send.")
    if isinstance(state, Mapping):
        return JSONResponse(dict(state))
    return ReceiptSchema(state=state)
