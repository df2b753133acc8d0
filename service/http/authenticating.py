"""Who may come in: a route names the scopes it takes, and a request shows a key that has one of them.

Asking, searching and reading need no key on the loopback interface; writing always does. A key that is shown is
always checked, so that a wrong one is noticed where it would not be needed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from service.http.problems import ProblemError
from service.http.state import DeskHere
from service.storage.keys import Key, Scope, find_key

_LONGEST_SECRET = 200

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key of `backline keys create`. On the loopback interface only writing needs one.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        key: The key that was shown, or None where none is needed.
    """

    key: Key | None = None

    def may_touch(self, collection: str) -> bool:
        """Whether this caller may read or write a collection."""
        return self.key is None or self.key.covers(collection)

    def check(self, collection: str) -> None:
        """Refuse a collection that the key does not cover.

        Raises:
            ProblemError: it is not among the key's collections.
        """
        if not self.may_touch(collection):
            raise ProblemError("key-not-allowed", "This key is for other collections.")


def caller_with(*scopes: Scope, writes: bool = False) -> Callable[..., Caller]:
    """Return the dependency of a route.

    Args:
        scopes: The key must have one of these.
        writes: Whether the route changes something: then a key is needed wherever the service listens.
    """

    def find_caller(
        request: Request,
        desk: DeskHere,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> Caller:
        if credentials is None and "authorization" not in request.headers and desk.open_reading and not writes:
            return Caller()
        secret = "" if credentials is None else credentials.credentials
        key = None
        if desk.database is not None and 0 < len(secret) <= _LONGEST_SECRET:
            key = find_key(desk.database, secret)
        if key is None:
            detail = "Send the header Authorization: Bearer bl_… with a working key of `backline keys create`."
            raise ProblemError("no-key", detail, headers={"www-authenticate": 'Bearer realm="backline"'})
        if not key.scopes & set(scopes):
            wanted = " or ".join(scopes)
            header = f'Bearer realm="backline", error="insufficient_scope", scope="{" ".join(scopes)}"'
            raise ProblemError(
                "key-not-allowed", f"This needs the scope {wanted}.", headers={"www-authenticate": header}
            )
        return Caller(key)

    return find_caller


Asker = Annotated[Caller, Depends(caller_with("ask"))]
Searcher = Annotated[Caller, Depends(caller_with("search"))]
Reader = Annotated[Caller, Depends(caller_with("ask", "search"))]
Writer = Annotated[Caller, Depends(caller_with("ingest", writes=True))]
