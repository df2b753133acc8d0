"""The component on pages of other origins, as a script and in a frame, against the real application in Chromium."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from service.storage.widget import set_paused
from service.triage.screening import load_rules
from tests.service.http.running import listen, running
from tests.service.http.serving import Service, open_service

pytestmark = pytest.mark.needs("chromium")

_PAGES = {
    "/script": '<script type="module" src="{service}/widget.js"></script>'
    '<backline-ask endpoint="{service}" token-url="{service}/v1/widget-tokens"></backline-ask>',
    "/frame": '<iframe src="{service}/embed" title="Questions" width="380" height="700"></iframe>',
}


@dataclass(slots=True)
class Sites:
    """The service, a site that it allows, and one that it does not.

    Attributes:
        service: The service.
        url: Its address.
        allowed: Address of the site that may show the widget.
        other: Address of one that may not.
        console: What the browser's console said.
        headers: Request headers of what reached the service.
    """

    service: Service
    url: str
    allowed: str
    other: str
    console: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def open(self, browser: Browser, address: str) -> Page:
        """Open a page and watch it."""
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(10_000)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.console.append(message.text)

        page.on("console", on_console)
        page.goto(address)
        return page


@pytest.fixture
def sites(home: Path) -> Iterator[Sites]:
    sockets = [listen() for _ in range(3)]
    (listener, url), (allowed_listener, allowed), (other_listener, other) = sockets
    service = open_service(home, load_rules(), widget_origins=allowed)

    def page(name: str) -> HTMLResponse:
        return HTMLResponse(
            f"<!doctype html><title>A clinic</title><link rel=icon href=data:,>{_PAGES[name].format(service=url)}"
        )

    headers: list[dict[str, str]] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await service.client.app(scope, receive, send)

    site = Starlette(routes=[Route(name, lambda request: page(request.url.path)) for name in _PAGES])
    with ExitStack() as stack:
        stack.enter_context(running(noting, listener))
        stack.enter_context(running(site, allowed_listener))
        stack.enter_context(running(site, other_listener))
        yield Sites(service, url, allowed, other, headers=headers)


@pytest.mark.parametrize("kind", ["script", "frame"])
def test_a_page_of_an_allowed_site_asks_with_a_token_and_never_with_a_key(
    browser: Browser, sites: Sites, kind: str
) -> None:
    page = sites.open(browser, f"{sites.allowed}/{kind}")
    inside = page.frame_locator("iframe") if kind == "frame" else page
    box = inside.locator("textarea#question")
    box.fill("How long does a back spasm last?")
    box.press("Enter")
    inside.locator(".turn").first.wait_for()
    inside.locator(".root:not([data-busy])").wait_for(state="attached")
    assert inside.locator(".failure:visible").count() == 0
    assert sites.console == []
    shown = [headers["authorization"] for headers in sites.headers if "authorization" in headers]
    assert len(shown) >= 1
    assert all(value.startswith("Bearer wt1.") for value in shown)
    assert "cookie" not in {name for headers in sites.headers for name in headers}
    page.close()


def test_the_pause_reaches_a_page_that_is_open(browser: Browser, sites: Sites) -> None:
    page = sites.open(browser, f"{sites.allowed}/frame")
    inside = page.frame_locator("iframe")
    box = inside.locator("textarea#question")
    box.fill("How long does a back spasm last?")
    box.press("Enter")
    inside.locator(".turn").first.wait_for()
    inside.locator(".root:not([data-busy])").wait_for(state="attached")
    set_paused(sites.service.database, paused=True)
    box.fill("What helps against a back spasm?")
    box.press("Enter")
    inside.locator(".failure:visible").first.wait_for()
    page.close()


def test_a_site_that_is_not_allowed_gets_neither_frame_nor_script(browser: Browser, sites: Sites) -> None:
    page = sites.open(browser, f"{sites.other}/frame")
    page.wait_for_timeout(0)
    assert page.frame_locator("iframe").locator("backline-ask").count() == 0
    assert any("frame-ancestors" in text for text in sites.console)
    page.close()
    page = sites.open(browser, f"{sites.other}/script")
    assert page.evaluate("customElements.get('backline-ask') === undefined")
    assert any("CORS" in text for text in sites.console)
    page.close()
