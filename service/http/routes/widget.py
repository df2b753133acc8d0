"""``POST /v1/widget-tokens``: what a page of an allowed site shows in place of a key."""

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Request
from sqlalchemy import Engine

from service.http.authenticating import check_not_paused, verified_token
from service.http.limiting import charge, counters_of
from service.http.origins import is_own
from service.http.problems import ProblemError
from service.http.schemas import ProblemSchema
from service.http.state import Desk, DeskHere
from service.http.widget_schemas import WidgetTokenRequest, WidgetTokenSchema
from service.http.widget_tokens import RENEWAL_SECONDS, TOKEN_SECONDS, WidgetToken, new_subject, sign_token
from service.storage.counters import DAY, Limit
from service.storage.widget import current_signing_key

router = APIRouter(prefix="/v1", tags=["widget"])


@router.post(
    "/widget-tokens",
    responses={
        429: {"model": ProblemSchema, "description": "no token is left today"},
        503: {"model": ProblemSchema, "description": "the widget is paused; come back after Retry-After"},
    },
)
def widget_token(
    request: Request,
    desk: DeskHere,
    options: Annotated[WidgetTokenRequest, Body(default_factory=WidgetTokenRequest)],
) -> WidgetTokenSchema:
    """Give a page of an allowed site a token that works for ten minutes, for one collection, from that site alone.

    The site is what the browser says in `Origin`. A page that shows its last token, even one that has just ended,
    stays the same visitor.
    """
    origin = _origin(request, desk)
    collection = options.collection
    if collection not in desk.settings.public_collections:
        detail = "This collection is not open to pages; the operator opens it with BACKLINE_PUBLIC_COLLECTIONS."
        raise ProblemError("key-not-allowed", detail)
    if desk.database is None:
        raise ProblemError("not-ready", "This service gives no tokens.", headers={"retry-after": "3600"})
    check_not_paused(desk.database)
    counters = counters_of(desk)
    counters.prune()
    # As many tokens as questions: who asks for more wants to get around the rate of each.
    charge(request, desk, [Limit(f"tokens:{origin}", desk.settings.widget_daily, DAY)])
    expires = int(time.time()) + TOKEN_SECONDS
    token = WidgetToken(_subject(request, desk.database, origin), origin, collection, expires)
    return WidgetTokenSchema(
        token=sign_token(token, current_signing_key(desk.database)),
        expires_in=TOKEN_SECONDS,
        expires_at=datetime.fromtimestamp(expires, UTC).isoformat().replace("+00:00", "Z"),
        collection=collection,
    )


def _origin(request: Request, desk: Desk) -> str:
    """Return the origin that the browser named; the door has let no other through than our own and allowed ones."""
    origin = request.headers.get("origin")
    if not desk.settings.widget_origins:
        detail = "No site may show the widget yet; the operator allows sites with BACKLINE_WIDGET_ORIGINS."
        raise ProblemError("foreign-origin", detail)
    if origin is None or not (is_own(request.headers) or origin in desk.settings.widget_origins):
        raise ProblemError("foreign-origin", "Call this from a page of an allowed site: its browser sends Origin.")
    return origin


def _subject(request: Request, database: Engine, origin: str) -> str:
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    last = verified_token(database, shown)
    if last is not None and last.origin == origin and time.time() < last.expires + RENEWAL_SECONDS:
        return last.subject
    return new_subject()
