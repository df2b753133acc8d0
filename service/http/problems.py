"""Errors over HTTP: one shape (RFC 9457), one table from error to status, never the input."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, title and code."""

    status: int
    code: str
    title: str


KINDS = {
    kind.code: kind
    for kind in (
        Kind(400, "not-json", "The request body is not JSON"),
        Kind(400, "not-multipart", "The request body is no form with a file"),
        Kind(400, "not-http", "The request is not HTTP"),
        Kind(400, "foreign-host", "This host name is not served"),
        Kind(401, "no-key", "This needs a key"),
        Kind(401, "no-token", "Pages of other sites need a token"),
        Kind(401, "token-expired", "The token has ended"),
        Kind(401, "token-invalid", "The token does not work"),
        Kind(403, "token-elsewhere", "The token belongs to another site"),
        Kind(401, "hook-refused", "This delivery is not accepted"),
        Kind(403, "key-not-allowed", "The key does not allow this"),
        Kind(403, "licence-not-confirmed", "This collection may not be published"),
        Kind(403, "foreign-origin", "This page may not use the service"),
        Kind(404, "not-found", "There is nothing here"),
        Kind(405, "method-not-allowed", "This address does not take that method"),
        Kind(408, "too-slow", "The request came too slowly"),
        Kind(409, "shipped-document", "This document belongs to Backline"),
        Kind(409, "no-handoff", "Nothing is handed over here"),
        Kind(413, "body-too-large", "The request body is too large"),
        Kind(415, "wrong-content-type", "The request body has the wrong content type"),
        Kind(422, "invalid-request", "A field of the request is wrong"),
        Kind(422, "unreadable-document", "The document cannot be read"),
        Kind(429, "over-budget", "The questions of today are used up"),
        Kind(429, "rate-limited", "Too many requests"),
        Kind(431, "headers-too-large", "The headers are too large"),
        Kind(500, "internal-error", "Something went wrong on our side"),
        Kind(503, "not-ready", "The service is not ready"),
        Kind(503, "overloaded", "Too many questions are waiting"),
        Kind(503, "widget-paused", "The widget is paused"),
        Kind(507, "disk-full", "There is no room to store this"),
    )
}


@dataclass
class ProblemError(Exception):
    """An error with a kind, raised by routes and middleware.

    Attributes:
        code: A key of :data:`KINDS`.
        detail: What is wrong and what to do, in one sentence.
        errors: Field and detail of each fault.
        headers: What the response says beside its body, such as how to authenticate or when to come back.
    """

    code: str
    detail: str
    errors: tuple[tuple[str, str], ...] = field(default=())
    headers: Mapping[str, str] = field(default_factory=dict)


def problem_response(request: Request | None, problem: ProblemError, request_id: str = "") -> JSONResponse:
    """Return the response of a problem.

    Args:
        request: Whose id it names; None for ``request_id``.
        problem: The problem.
        request_id: Named where there is no request.
    """
    kind = KINDS[problem.code]
    if request is not None:
        request_id = str(getattr(request.state, "request_id", ""))
    body = {
        "type": f"urn:backline:problem:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "code": kind.code,
        "request_id": request_id,
        "errors": [{"field": name, "detail": detail} for name, detail in problem.errors],
    }
    return JSONResponse(body, status_code=kind.status, media_type=MEDIA_TYPE, headers=dict(problem.headers))
