"""The ASGI application: routes, errors, door."""

import errno
import logging
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Scope

from index.errors import EngineError, SnapshotError
from service.http.connecting import Connection
from service.http.guarding import Door
from service.http.limiting import Admission
from service.http.origins import Origins
from service.http.problems import MEDIA_TYPE as PROBLEM_TYPE
from service.http.problems import ProblemError, problem_response
from service.http.routes import (
    answers,
    asking,
    chatting,
    documents,
    health,
    hooks,
    judging,
    linked_answers,
    pages,
    reading,
    verifying,
    widget,
)
from service.http.schemas import ProblemSchema
from service.http.state import Desk
from service.http.telemetry import Telemetry, Watch
from service.http.turning_away import STATUS, Usher
from service.http.uploading import UPLOAD_SCHEMAS
from service.storage.database import is_full

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")

_DESCRIPTION = """Cited answers about back spasms and back pain.

Every sentence leaves with a verbatim quote, its span in Unicode code points (half-open) and the document's sha256.
A helper for JavaScript, whose strings are UTF-16: `Array.from(text).slice(start, end).join("")`.
Information from health sources, not medical advice."""

_log = logging.getLogger(__name__)

_PROBLEMS = {
    400: "not JSON",
    401: "no key",
    403: "the key does not allow this",
    404: "not found",
    408: "too slow",
    413: "too large",
    415: "not sent as JSON",
    422: "a field is wrong",
    429: "too many requests; come back after Retry-After",
    500: "our fault",
    503: "busy, paused or not ready; come back after Retry-After",
    507: "the disk is full; come back after Retry-After",
}


class _Application(FastAPI):
    """The application; its reference also holds the shapes of bodies that a route reads itself.

    Attributes:
        usher: Refuses what would find no place.
        telemetry: Is told of that.
    """

    usher: Usher | None = None
    telemetry: Telemetry | None = None

    def turn_away(self, scope: Scope) -> bytes | None:
        """Return headers and body of the refusal of a request that would find no place, and count it, or None."""
        begin = time.perf_counter()
        if self.usher is None or self.telemetry is None:
            return None
        response = self.usher.turn_away(scope, secrets.token_hex(12))
        if response is not None:
            self.telemetry.begin()
            self.telemetry.end(scope, STATUS, time.perf_counter() - begin)
        return response

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"].update(UPLOAD_SCHEMAS)
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    content = response.get("content", {})
                    if status >= "400" and "application/json" in content:
                        content[PROBLEM_TYPE] = content.pop("application/json")
        return document


def connection_of(app: FastAPI) -> type[Connection]:
    """Return the connections of an application, which refuse by themselves what would find no place."""
    refusing = staticmethod(app.turn_away) if isinstance(app, _Application) else None
    return type("Connection", (Connection,), {"turn_away": refusing})


def create_app(desk: Desk) -> FastAPI:
    """Make the application around one opened service."""
    app = _Application(
        title="Backline",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        responses={status: {"model": ProblemSchema, "description": text} for status, text in _PROBLEMS.items()},
    )
    app.state.desk = desk
    app.state.admission = admission = Admission(1 + desk.settings.max_waiting)
    for module in (
        asking,
        chatting,
        documents,
        reading,
        health,
        pages,
        answers,
        judging,
        hooks,
        linked_answers,
        verifying,
        widget,
    ):
        app.include_router(module.router)
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(OperationalError, _on_busy)
    app.add_exception_handler(EngineError, _on_engine)
    app.add_exception_handler(SnapshotError, _on_damage)
    app.add_exception_handler(OSError, _on_system)
    hosts = (*LOOPBACK_HOSTS, *desk.hosts)
    app.usher, app.telemetry = Usher(admission, hosts, desk.settings.max_body_bytes), desk.telemetry
    limits = {("POST", "/v1/documents"): desk.settings.max_upload_bytes}
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6)
    app.add_middleware(
        Door,
        max_body_bytes=desk.settings.max_body_bytes,
        hosts=hosts,
        origins=Origins(desk.settings.widget_origins),
        limits=limits,
        admission=admission,
    )
    app.add_middleware(Watch, telemetry=desk.telemetry)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    for one in desk.background:
        one.start()
    try:
        yield
    finally:
        for one in desk.background:
            await run_in_threadpool(one.stop)


async def _on_problem(request: Request, error: Exception) -> Response:
    return problem_response(request, error if isinstance(error, ProblemError) else _unknown())


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    kind = request.headers.get("content-type", "")
    takes_forms = request.url.path == "/v1/documents"  # it says itself what it takes
    if request.method == "POST" and not takes_forms and "json" not in kind:
        advice = "Send the header content-type: application/json with a JSON body."
        return problem_response(request, ProblemError("wrong-content-type", advice))
    if any(fault["type"] == "json_invalid" for fault in faults):
        return problem_response(request, ProblemError("not-json", 'Send JSON such as {"question": "…"}.'))
    errors = tuple((_field(fault["loc"]), _advice(fault)) for fault in faults[:20])
    named = "; ".join(f"{name}: {advice}" for name, advice in errors[:3])
    return problem_response(request, ProblemError("invalid-request", f"Correct the request: {named}.", errors))


async def _on_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        headers = error.headers if isinstance(error, HTTPException) else None
        response = problem_response(request, ProblemError("method-not-allowed", "See /docs for the methods."))
        response.headers.update(headers or {})
        return response
    if status == 404:
        return problem_response(request, ProblemError("not-found", "See /docs for the addresses."))
    if status == 400:
        return problem_response(request, ProblemError("not-json", 'Send JSON such as {"question": "…"}.'))
    return problem_response(request, _unknown())


async def _on_busy(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, OperationalError) and is_full(error):
        return _full(request)
    detail = "The database is busy or cannot be written; try again."
    return problem_response(request, ProblemError("not-ready", detail, headers={"retry-after": "2"}))


async def _on_engine(request: Request, error: Exception) -> JSONResponse:
    _log.warning("%s", error)
    detail = "The search engine of this collection does not answer; try again. Other collections may answer."
    return problem_response(request, ProblemError("not-ready", detail, headers={"retry-after": "5"}))


async def _on_damage(request: Request, error: Exception) -> JSONResponse:
    request.app.state.desk.serving.damage(str(error))
    _log.error("%s", error)
    detail = "A file of the index was changed while it served; the operator's log says which. Other questions may do."
    return problem_response(request, ProblemError("not-ready", detail, headers={"retry-after": "60"}))


async def _on_system(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _full(request)
    raise error  # for the door, which logs what nobody foresaw


def _full(request: Request) -> JSONResponse:
    detail = "The disk is full: nothing of this was stored. Try again when the operator has made room."
    return problem_response(request, ProblemError("disk-full", detail, headers={"retry-after": "60"}))


def _unknown() -> ProblemError:
    return ProblemError("internal-error", "Try again; if it stays, send us the request id.")


def _field(location: Sequence[int | str]) -> str:
    """Name a field by its path; names that came with the request are not repeated."""
    names = [str(part) for part in location if part not in {"body", "query", "path"}]
    return ".".join(name if name in _KNOWN or name.isdigit() else "(unknown)" for name in names) or "body"


_KNOWN = frozenset(
    "question query conversation_id history mode top_k filters source_ids collection locale stream document_id"
    " title url publisher licence published collection external_id text markdown file cursor limit"
    " messages role content model stream_options"
    " answer_id citation_id verdict reason contact"
    " answer_id citation_id verdict reason contact sentences document_ids passages".split()
)


def _advice(fault: dict[str, object]) -> str:
    kind = str(fault["type"])
    context = fault.get("ctx")
    limits = context if isinstance(context, dict) else {}
    advice = {
        "missing": "this field is required",
        "extra_forbidden": "this field is not known; leave it out",
        "string_type": "must be a string",
        "string_too_short": "must not be empty",
        "string_too_long": f"must have at most {limits.get('max_length')} characters",
        "too_long": f"must have at most {limits.get('max_length')} entries",
        "list_type": "must be a list",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "greater_than_equal": f"must be at least {limits.get('ge')}",
        "less_than_equal": f"must be at most {limits.get('le')}",
        "literal_error": f"must be one of {limits.get('expected')}",
        "model_attributes_type": "must be a JSON object",
        "string_pattern_mismatch": "has characters that it must not have",
        "string_unicode": "must be valid Unicode text",
    }
    if kind == "value_error":
        return str(limits.get("error", "is wrong"))
    return advice.get(kind, "has the wrong form; see /docs")
