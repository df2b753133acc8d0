"""A small server around the component: its files, its pages under a strict policy, canned replies."""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.service.widget import replies

WIDGET = Path(__file__).parents[3] / "service" / "widget"


def policy(nonce: str) -> str:
    """Return the policy of the ask page."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    )


@dataclass(slots=True)
class FakeService:
    """A running server and what it was asked.

    Attributes:
        url: Its address, without a slash at the end.
        asked: Bodies of ``POST /v1/ask``, in order.
        feedback: Bodies of ``POST /v1/feedback``.
        handoffs: Bodies of ``POST /v1/handoffs``.
        embeds: HTML of pages under ``/host/<name>``, set by tests.
        delay_seconds: How long each reply takes.
        sentence_seconds: How long each sentence of a stream takes.
        cuts: Whether a stream breaks off before its end.
        origins: Other origins whose pages may ask; they need a token.
        tokens: Tokens that were given out and still work, oldest first.
        token_seconds: How long a token is said to last.
        handed: Body and status of the reply to ``POST /v1/handoffs``.
    """

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    handoffs: list[dict[str, Any]] = field(default_factory=list)
    embeds: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    sentence_seconds: float = 0.05
    cuts: bool = False
    origins: set[str] = field(default_factory=set)
    tokens: list[str] = field(default_factory=list)
    token_seconds: int = 300
    given: int = 0
    handed: tuple[dict[str, Any], int] = ({"team": "The help desk", "channel": "e-mail"}, 202)

    def app(self) -> Starlette:
        """Return the application."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/host/{name}", self._host),
                Route("/widget.js", self._widget),
                Route("/v1/ask", self._ask, methods=["POST"]),
                Route("/v1/feedback", self._feedback, methods=["POST"]),
                Route("/v1/handoffs", self._handoff, methods=["POST"]),
                Route("/v1/widget-tokens", self._token, methods=["POST"]),
                Route("/pages/{name}", self._copy),
                Mount("/static", StaticFiles(directory=WIDGET / "static")),
            ],
            middleware=[Middleware(BaseHTTPMiddleware, dispatch=self._across)],
        )

    async def _across(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Let pages of allowed origins in, those that ask with a token; the scripts are public."""
        origin = request.headers.get("origin", "")
        away = bool(origin) and origin != self.url
        public = request.url.path.startswith(("/static", "/widget.js"))
        if request.method == "OPTIONS":
            response = Response(status_code=204 if origin in self.origins else 403)
            response.headers["access-control-allow-headers"] = "content-type, authorization"
        elif away and not public and request.url.path != "/v1/widget-tokens" and not self._is_held(request):
            response = _problem(401, "unauthorized", {})
        else:
            response = await call_next(request)
        if public or (away and origin in self.origins):
            response.headers["access-control-allow-origin"] = "*" if public else origin
        return response

    def _is_held(self, request: Request) -> bool:
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens

    async def _token(self, request: Request) -> Response:
        del request
        self.given += 1
        self.tokens.append(f"token-{self.given}")
        return JSONResponse({"token": self.tokens[-1], "expires_in": self.token_seconds})

    async def _copy(self, request: Request) -> Response:
        return HTMLResponse(self.embeds[request.path_params["name"]])

    async def _page(self, request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        query = request.query_params
        html = (
            Environment(loader=FileSystemLoader(WIDGET), autoescape=True)
            .get_template("page.html.jinja")
            .render(
                nonce=nonce,
                emergency_numbers="112 911 999",
                crisis_lines="Crisis line 116 123",
                locale=query.get("locale", "en"),
                feedback="feedback" in query,
                handoff="handoff" in query,
                outside_model="outside-model" in query,
                token_url="/v1/widget-tokens" if "token" in query else None,
                stream="stream" in query,
            )
        )
        return HTMLResponse(html, headers={"content-security-policy": policy(nonce)})

    async def _host(self, request: Request) -> Response:
        """Serve a page of somebody else, under the policy that it names in its first line, else under ours."""
        first, _, html = self.embeds[request.path_params["name"]].partition("\n")
        own = first.removeprefix("<!-- policy ").removesuffix(" -->")
        headers = {"content-security-policy": policy("x") if own == first else own}
        return HTMLResponse(f"{first}\n{html}", headers=headers)

    async def _widget(self, request: Request) -> Response:
        del request
        return Response((WIDGET / "widget.js").read_bytes(), media_type="text/javascript")

    async def _feedback(self, request: Request) -> Response:
        self.feedback.append(await request.json())
        return JSONResponse({"id": "fb_1"}, status_code=201)

    async def _handoff(self, request: Request) -> Response:
        self.handoffs.append(await request.json())
        body, status = self.handed
        return JSONResponse(body, status_code=status)

    async def _ask(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        question = body["question"]
        await asyncio.sleep(3.0 if question == replies.SLOW else self.delay_seconds)
        if question == replies.BROKEN:
            return _problem(503, "overloaded", {})
        if question == replies.LIMITED:
            return _problem(429, "rate-limited", {"retry-after": "3"})
        reply = replies.REPLIES.get(question) or replies.abstained("nothing_found", [])
        if body.get("stream"):
            return StreamingResponse(self._events(reply), media_type="text/event-stream")
        return JSONResponse(reply)

    async def _events(self, reply: dict[str, Any]) -> AsyncIterator[str]:
        yield ": open\n\n"
        if reply["triage"]:
            yield _event("triage", reply["triage"])
        yield _event("passages", {"passages": []})
        for sentence in reply["sentences"]:
            cited = [citation for citation in reply["citations"] if citation["id"] in sentence["citation_ids"]]
            yield _event("sentence", {"sentence": sentence, "citations": cited})
            await asyncio.sleep(self.sentence_seconds)
        if self.cuts:
            return
        if reply["abstention"]:
            yield _event("abstain", reply["abstention"])
        yield _event("done", reply)


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _problem(status: int, code: str, headers: dict[str, str]) -> Response:
    content = {
        "type": f"/problems/{code}",
        "title": "Not now",
        "status": status,
        "detail": "Wait a little.",
        "code": code,
        "request_id": "req_0123456789",
    }
    return JSONResponse(content, status_code=status, headers=headers, media_type="application/problem+json")


@contextmanager
def serving(service: FakeService) -> Iterator[FakeService]:
    """Serve on a free port of the loopback interface until the block ends."""
    config = uvicorn.Config(service.app(), host="127.0.0.1", port=0, log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the fake service did not start")
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    service.url = f"http://127.0.0.1:{port}"
    try:
        yield service
    finally:
        server.should_exit = True
        thread.join(timeout=10)
