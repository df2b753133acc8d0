"""Pages: the ask page, the component's files, the reference of the interface."""

import gzip
import hashlib
import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from service.http.problems import ProblemError
from service.http.state import DeskHere

if TYPE_CHECKING:
    from jinja2 import Environment

WIDGET = Path(__file__).parents[2] / "widget"
TEMPLATES = Path(__file__).parents[1] / "templates"

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

TOKEN_URL = "/v1/widget-tokens"

router = APIRouter(include_in_schema=False)


def content_security_policy(nonce: str, ancestors: Sequence[str] = ()) -> str:
    """Return the policy of our own pages: only our own files, no inline code without the nonce, no sinks.

    Args:
        nonce: Fresh for each response.
        ancestors: Origins whose pages may show this one in a frame.
    """
    framed_by = " ".join(ancestors) or "'none'"
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors {framed_by}; require-trusted-types-for 'script'; trusted-types 'none'"
    )


@router.get("/")
def ask_page(desk: DeskHere) -> HTMLResponse:
    """Serve the ask page."""
    nonce = secrets.token_urlsafe(16)
    html = (
        templates()
        .get_template("page.html.jinja")
        .render(
            nonce=nonce,
            emergency_numbers=" ".join(desk.settings.emergency_numbers),
            crisis_lines=", ".join(desk.settings.crisis_lines),
            stream=True,
            outside_model=bool(desk.settings.llm),
            feedback=desk.settings.keep_answers > 0,
            handoff=bool(desk.settings.handoff_url),
            token_url=None if desk.open_reading else TOKEN_URL,
        )
    )
    return HTMLResponse(html, headers={"content-security-policy": content_security_policy(nonce)})


@router.get("/embed")
def embed_page(
    desk: DeskHere,
    collection: Annotated[str, Query(max_length=64)] = "default",
    locale: Annotated[str, Query(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=20)] = "en",
) -> HTMLResponse:
    """Serve the component on a page for frames, for sites that allow no scripts of others.

    Only sites on the allow-list may show it; it always asks with a token, so that budget and pause hold for it.
    """
    if collection not in desk.settings.public_collections:
        raise ProblemError("not-found", "There is no collection of that name for pages.")
    nonce = secrets.token_urlsafe(16)
    html = (
        templates()
        .get_template("embed.html.jinja")
        .render(
            nonce=nonce,
            emergency_numbers=" ".join(desk.settings.emergency_numbers),
            crisis_lines=", ".join(desk.settings.crisis_lines),
            stream=True,
            outside_model=bool(desk.settings.llm),
            feedback=desk.settings.keep_answers > 0,
            handoff=bool(desk.settings.handoff_url),
            token_url=TOKEN_URL,
            collection=collection,
            locale=locale,
        )
    )
    policy = content_security_policy(nonce, desk.settings.widget_origins)
    return HTMLResponse(html, headers={"content-security-policy": policy})


@router.get("/docs")
def reference(request: Request) -> HTMLResponse:
    """Serve the reference of the interface, made from the OpenAPI document, without scripts."""
    nonce = secrets.token_urlsafe(16)
    document = request.app.openapi()
    html = templates().get_template("reference.html.jinja").render(nonce=nonce, openapi=document)
    return HTMLResponse(html, headers={"content-security-policy": content_security_policy(nonce)})


@router.get("/widget.js")
def widget(request: Request) -> Response:
    """Serve the component."""
    return _static("widget.js", request)


@router.get("/static/{name}")
def static(name: str, request: Request) -> Response:
    """Serve a file of the component."""
    return _static(f"static/{name}", request)


def _static(name: str, request: Request) -> Response:
    content = _files().get(name)
    if content is None:
        raise ProblemError("not-found", "See /docs for the addresses.")
    # Kept, but asked for anew each time: files of two versions must never meet on one page.
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"cache-control": "no-cache", "cross-origin-resource-policy": "cross-origin", "etag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["vary"] = "accept-encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        content = _compressed(name)
    return Response(content, media_type=_TYPES[Path(name).suffix], headers=headers)


@cache
def _files() -> dict[str, bytes]:
    """Read every servable file once: a name that was asked for never touches the disk."""
    return {
        path.relative_to(WIDGET).as_posix(): path.read_bytes()
        for path in sorted(WIDGET.rglob("*"))
        if path.suffix in _TYPES
    }


@cache
def _compressed(name: str) -> bytes:
    """Compress one of our own files, once: nothing of a request is ever compressed beside it."""
    return gzip.compress(_files()[name], 9, mtime=0)


@cache
def templates() -> "Environment":
    """Return the templates of our own pages."""
    from jinja2 import Environment, FileSystemLoader, select_autoescape  # not before somebody opens a page

    return Environment(
        loader=FileSystemLoader([WIDGET, TEMPLATES]), autoescape=select_autoescape(["html", "jinja"], default=True)
    )
