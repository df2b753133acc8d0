"""Who may come in: a route names the scopes it takes, and a request shows a key or a widget's token that has one.

Asking, searching and reading need neither on the loopback interface or under ``--public-ask``; writing always does,
and so does a page of another site. What is shown is always checked, so that a wrong key is noticed where it would not
be needed.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from sqlalchemy import Engine

from service.http.limiting import charge
from service.http.origins import is_own
from service.http.problems import ProblemError
from service.http.state import Desk, DeskHere
from service.http.widget_tokens import PREFIX, TOKEN_SCOPES, WidgetToken, read_token, signing_key_id
from service.settings import Settings
from service.storage.collections import unpublishable_collections
from service.storage.counters import DAY, Limit
from service.storage.keys import SECRET_PREFIX, Key, Scope, find_key
from service.storage.widget import find_signing_key, is_paused

ANYONE = "public"
"""Who asks without a key under ``--public-ask``: everybody under one name."""

_LONGEST_SECRET = 200
_NOT_CONFIRMED = (
    "Pages of others were fetched into this collection, and nobody has confirmed the right to publish them; it is "
    "served on its own machine only, until its operator runs backline collections confirm-licence."
)
_PAUSED_SECONDS = 300
_ANYONES: frozenset[Scope] = frozenset({"ask", "search", "feedback"})
_BUDGETED: frozenset[Scope] = frozenset({"ask", "search"})

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key of `backline keys create`, or a token of `POST /v1/widget-tokens`. "
    "On the loopback interface only writing needs one.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        asker: Id of the key, subject of the token, or ``loopback`` or ``public`` where neither is needed.
        collections: The collections that are open to this caller; None means all.
        closed: Collections that may not be served here: fetched, and their licence is not confirmed.
        is_admin: Whether this caller may look after what others asked.
    """

    asker: str = "loopback"
    collections: frozenset[str] | None = None
    is_admin: bool = False
    closed: frozenset[str] = frozenset()

    def may_touch(self, collection: str) -> bool:
        """Whether this caller may read or write a collection."""
        return collection not in self.closed and (self.collections is None or collection in self.collections)

    def check(self, collection: str) -> None:
        """Refuse a collection that may not be served here, or that is not open to this caller.

        Raises:
            ProblemError: one of the two.
        """
        if collection in self.closed:
            raise ProblemError("licence-not-confirmed", _NOT_CONFIRMED)
        if not self.may_touch(collection):
            raise ProblemError("key-not-allowed", "This key or token is for other collections.")


def caller_with(*scopes: Scope, writes: bool = False, foreign_keys: bool = False) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency of a route; it also says on ``request.state.asker`` who asks.

    Only what has to be looked up goes to a thread: under load each way there and back is a wait.

    Args:
        scopes: The key must have one of these.
        writes: Whether the route changes something: then a key is needed wherever the service listens.
        foreign_keys: Whether something that is no key of ours counts as none where none is needed: clients of other
            protocols cannot be told to send none.
    """

    def find_caller(request: Request, desk: Desk, secret: str) -> Caller:
        if secret.startswith(PREFIX):
            return _caller_of_token(request, desk, secret, scopes)
        if _comes_from_elsewhere(request):
            detail = "Pages of other sites send a token of POST /v1/widget-tokens, never a key."
            raise ProblemError("no-token", detail, headers=_challenge())
        return _caller_of_key(request, desk, secret, scopes)

    async def caller(
        request: Request,
        desk: DeskHere,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> Caller:
        secret = "" if credentials is None else credentials.credentials
        strange = foreign_keys and secret != "" and not secret.startswith((SECRET_PREFIX, PREFIX))
        shows_nothing = "authorization" not in request.headers or strange
        if shows_nothing and _is_open(desk, scopes, writes=writes) and not _comes_from_elsewhere(request):
            found = _anyone(desk)
        else:
            found = await run_in_threadpool(find_caller, request, desk, secret)
        request.state.asker = found.asker
        if (desk.public or not desk.open_reading) and desk.database is not None and not writes:
            return replace(found, closed=await run_in_threadpool(unpublishable_collections, desk.database))
        return found

    return caller


def _comes_from_elsewhere(request: Request) -> bool:
    return "origin" in request.headers and not is_own(request.headers)


def check_not_paused(database: Engine) -> None:
    """Refuse what a widget asks while the operator has paused it.

    Raises:
        ProblemError: the widget is paused.
    """
    if is_paused(database):
        detail = "The operator has paused the widget; try again later."
        raise ProblemError("widget-paused", detail, headers={"retry-after": str(_PAUSED_SECONDS)})


def verified_token(database: Engine, text: str) -> WidgetToken | None:
    """Return what a token says, whether it has ended or not, or None when it is not one of ours."""
    key = find_signing_key(database, signing_key_id(text))
    return None if key is None else read_token(text, key)


def budget_limits(settings: Settings, origin: str) -> tuple[Limit, Limit]:
    """Return the daily budgets that a question from a site counts against."""
    return Limit(f"day:{origin}", settings.widget_daily, DAY), Limit("day:*", settings.widget_daily_total, DAY)


def _is_open(desk: Desk, scopes: tuple[Scope, ...], *, writes: bool) -> bool:
    """Whether a route needs no key; what is the operator's alone is never open to other machines."""
    return desk.open_reading and not writes and (not desk.public or bool(_ANYONES & set(scopes)))


def _anyone(desk: Desk) -> Caller:
    return Caller(ANYONE, frozenset(desk.settings.public_collections)) if desk.public else Caller()


def _caller_of_key(request: Request, desk: Desk, secret: str, scopes: tuple[Scope, ...]) -> Caller:
    key: Key | None = None
    if desk.database is not None and 0 < len(secret) <= _LONGEST_SECRET:
        key = find_key(desk.database, secret)
    if key is None:
        detail = "Send the header Authorization: Bearer bl_… with a working key of `backline keys create`."
        raise ProblemError("no-key", detail, headers=_challenge())
    _check_scopes(key.scopes, scopes)
    if key.rate is not None:
        charge(request, desk, [Limit(f"rate:{key.id}", key.rate)])
    return Caller(key.id, key.collections, is_admin="admin" in key.scopes)


def _caller_of_token(request: Request, desk: Desk, text: str, scopes: tuple[Scope, ...]) -> Caller:
    token = None if desk.database is None else verified_token(desk.database, text)
    if token is None or desk.database is None:
        detail = "Get a new token from POST /v1/widget-tokens."
        raise ProblemError("token-invalid", detail, headers=_challenge("invalid_token"))
    if token.origin != request.headers.get("origin"):
        raise ProblemError("token-elsewhere", "Use a token only from pages of the site that it was made for.")
    if token.expires <= time.time():
        detail = "Get a new token from POST /v1/widget-tokens."
        raise ProblemError("token-expired", detail, headers=_challenge("invalid_token"))
    check_not_paused(desk.database)
    _check_scopes(TOKEN_SCOPES, scopes)
    settings = desk.settings
    limits = [Limit(f"rate:{token.subject}", settings.widget_rate)]
    if request.method == "POST" and _BUDGETED & set(scopes):
        limits += budget_limits(settings, token.origin)
    charge(request, desk, limits)
    return Caller(token.subject, frozenset({token.collection}))


def _check_scopes(held: frozenset[Scope], wanted: tuple[Scope, ...]) -> None:
    if held & set(wanted):
        return
    header = f'Bearer realm="backline", error="insufficient_scope", scope="{" ".join(wanted)}"'
    raise ProblemError(
        "key-not-allowed", f"This needs the scope {' or '.join(wanted)}.", headers={"www-authenticate": header}
    )


def _challenge(error: str = "") -> dict[str, str]:
    return {"www-authenticate": 'Bearer realm="backline"' + (f', error="{error}"' if error else "")}


def asker_of(request: Request) -> str:
    """Return who asks, as stored answers name it: a key's id, a token's subject, ``loopback`` or ``public``."""
    return str(request.state.asker)


Asker = Annotated[Caller, Depends(caller_with("ask"))]
Searcher = Annotated[Caller, Depends(caller_with("search"))]
ChatAsker = Annotated[Caller, Depends(caller_with("ask", foreign_keys=True))]
Judge = Annotated[Caller, Depends(caller_with("feedback"))]
Owner = Annotated[Caller, Depends(caller_with("ask", "admin"))]
Reader = Annotated[Caller, Depends(caller_with("ask", "search"))]
Writer = Annotated[Caller, Depends(caller_with("ingest", writes=True))]
Operator = Annotated[Caller, Depends(caller_with("admin"))]
