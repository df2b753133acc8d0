"""Pages: the ask page, the component's files, the reference of the interface."""

import secrets
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape

from service.http.problems import ProblemError
from service.http.state import DeskHere

WIDGET = Path(__file__).parents[2] / "widget"
TEMPLATES = Path(__file__).parents[1] / "templates"

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

router = APIRouter(include_in_schema=False)


def content_security_policy(nonce: str) -> str:
    """Return the policy of our own pages: only our own files, no inline code without the nonce, no sinks."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


@router.get("/")
def ask_page(desk: DeskHere) -> HTMLResponse:
    """Serve the ask page."""
    nonce = secrets.token_urlsafe(16)
    html = (
        _templates()
        .get_template("page.html.jinja")
        .render(
            nonce=nonce,
            emergency_numbers=" ".join(desk.settings.emergency_numbers),
            crisis_lines=", ".join(desk.settings.crisis_lines),
            stream=True,
        )
    )
    return HTMLResponse(html, headers={"content-security-policy": content_security_policy(nonce)})


@router.get("/docs")
def reference(request: Request) -> HTMLResponse:
    """Serve the reference of the interface, made from the OpenAPI document, without scripts."""
    nonce = secrets.token_urlsafe(16)
    document = request.app.openapi()
    html = _templates().get_template("reference.html.jinja").render(nonce=nonce, openapi=document)
    return HTMLResponse(html, headers={"content-security-policy": content_security_policy(nonce)})


@router.get("/widget.js")
def widget() -> Response:
    """Serve the component."""
    return _static("widget.js")


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Serve a file of the component."""
    return _static(f"static/{name}")


def _static(name: str) -> Response:
    content = _files().get(name)
    if content is None:
        raise ProblemError("not-found", "See /docs for the addresses.")
    headers = {"cache-control": "no-cache", "cross-origin-resource-policy": "cross-origin"}
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
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader([WIDGET, TEMPLATES]), autoescape=select_autoescape(["html", "jinja"], default=True)
    )
