"""The page behind the link in a note: the whole answer, all its passages, and what an agent makes of it.

The link is the key: it is signed, stands in a private note alone, and opens one answer. Opening it changes nothing.
"""

import json
import secrets
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from sqlalchemy.exc import IntegrityError

from service.http.problems import ProblemError
from service.http.routes.pages import content_security_policy, templates
from service.http.state import Desk, DeskHere
from service.linking import opens
from service.storage.answers import StoredAnswer
from service.storage.connections import asker_of, find_connection
from service.storage.feedback import Fault, Verdict, store_feedback

LONGEST_TEXT = 1_000
_FAULTS: dict[str, Fault] = {"warning": "warning", "wrong": "wrong", "off": "off", "hard": "hard"}

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Path(max_length=64)]


@router.get("/desk/{connection}/{answer_id}/{signature}")
def answer_page(connection: Name, answer_id: Name, signature: Name, desk: DeskHere) -> HTMLResponse:
    """Show an answer to the agent who has its link."""
    return _page(_find(desk, connection, answer_id, signature))


@router.post("/desk/{connection}/{answer_id}/{signature}")
async def judge(connection: Name, answer_id: Name, signature: Name, request: Request, desk: DeskHere) -> HTMLResponse:
    """Keep what an agent makes of an answer, once a link: the last word counts."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    given = {name: values[-1] for name, values in form.items()}
    return await run_in_threadpool(_judge, desk, connection, answer_id, signature, given)


def _judge(desk: Desk, connection: str, answer_id: str, signature: str, given: dict[str, str]) -> HTMLResponse:
    found = _find(desk, connection, answer_id, signature)
    verdict: Verdict = "yes" if given.get("verdict") == "yes" else "no"
    reason = _FAULTS.get(given.get("reason", "")) if verdict == "no" else None
    text = given.get("text", "").replace("\0", "").strip()[:LONGEST_TEXT] or None
    if desk.database is None or given.get("verdict") not in {"yes", "no"}:
        raise ProblemError("invalid-request", "Say whether the draft is good.")
    try:
        store_feedback(desk.database, found.id, found.asker, "", verdict, reason, text)
    except IntegrityError:
        raise _nothing() from None
    return _page(found, thanked=True)


def _find(desk: Desk, connection: str, answer_id: str, signature: str) -> StoredAnswer:
    """Return the answer of a link; whatever is wrong with it looks the same from outside."""
    made = None if desk.database is None else find_connection(desk.database, connection)
    if made is None or desk.keeper is None or not opens(made, answer_id, signature):
        raise _nothing()
    found = desk.keeper.find(answer_id)
    if found is None or found.asker != asker_of(connection):
        raise _nothing()
    return found


def _page(found: StoredAnswer, *, thanked: bool = False) -> HTMLResponse:
    reply: dict[str, Any] = json.loads(found.reply)
    numbers = {citation["id"]: number for number, citation in enumerate(reply["citations"], start=1)}
    nonce = secrets.token_urlsafe(16)
    html = (
        templates()
        .get_template("desk.html.jinja")
        .render(nonce=nonce, question=found.question, reply=reply, numbers=numbers, thanked=thanked)
    )
    # Under no-referrer a browser would send the form from an origin that it does not name.
    headers = {"content-security-policy": content_security_policy(nonce), "referrer-policy": "same-origin"}
    return HTMLResponse(html, headers=headers)


def _nothing() -> ProblemError:
    return ProblemError("not-found", "The link is not whole, or the answer is no longer kept.")
