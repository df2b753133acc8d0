"""The README's snippet in somebody else's page, and a citation followed to its words on a page that was ingested."""

import base64
import http.server
import io
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.end_to_end.conftest import run, serving

pytestmark = pytest.mark.needs("chromium")

README = Path(__file__).parents[2] / "README.md"
FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")
MARKED = (255, 0, 200)
QUESTION = "When does the Riverside walking group for back pain meet?"
SENTENCE = "The Riverside walking group for back pain meets on Mondays at half-past six, rain or shine, at the old mill's gate."

FILLING = "".join(
    f"<h2>Notice {number}</h2><p>The Riverside library lends out chairs, lamps and {number} kinds of folding tables, "
    "and its volunteers repair bicycles in the yard whenever the weather allows them to work outside.</p>"
    for number in range(1, 30)
)
LEAFLET = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Riverside back pain leaflet</title>
<style>body {{ font: 18px/1.6 sans-serif; max-width: 40em }} ::target-text {{ background: rgb{MARKED}; color: black }}</style>
</head><body><main><h1>Riverside back pain leaflet</h1>
{FILLING}
<h2>When does the walking group for back pain meet?</h2><p>{SENTENCE}</p>
{FILLING}
</main></body></html>"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library names it
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Somebody else's site: its address and its folder."""
    folder = tmp_path_factory.mktemp("site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}", folder
        running.shutdown()
        thread.join(timeout=10)


@pytest.fixture(scope="module")
def service(site: tuple[str, Path], warm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that has read the site's leaflet and lets the site's pages ask."""
    address, folder = site
    (folder / "leaflet.html").write_text(LEAFLET, "utf-8")
    own = tmp_path_factory.mktemp("embedding") / "var"
    shutil.copytree(warm, own)
    read = run(
        own, "ingest", str(folder / "leaflet.html"), "--url", f"{address}/leaflet.html", "--publisher", "Riverside"
    )
    assert read.returncode == 0, read.stderr
    desk = {
        "BACKLINE_HANDOFF_URL": f"{address}/desk",
        "BACKLINE_HANDOFF_ALLOW": address.removeprefix("http://"),
        "BACKLINE_HANDOFF_SECRET": f"whsec_{base64.b64encode(bytes(32)).decode()}",
        "BACKLINE_HANDOFF_TEAM": "The help desk",
        "BACKLINE_HANDOFF_CHANNEL": "e-mail",
    }
    with serving(own, BACKLINE_WIDGET_ORIGINS=address, **desk) as running:
        yield running


@pytest.fixture
def browser(service: str) -> Iterator[Browser]:
    """A browser for which the address in the README is the service of this test."""
    port = service.rpartition(":")[2]
    with sync_playwright() as playwright:
        rule = f"--host-resolver-rules=MAP 127.0.0.1:8000 127.0.0.1:{port}"
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*FLAGS, rule])
        yield started
        started.close()


def ask(page: Page, question: str) -> None:
    page.locator("textarea#question").fill(question)
    page.locator("textarea#question").press("Enter")
    page.locator(".turn").last.wait_for()
    page.locator(".root:not([data-busy])").wait_for(state="attached", timeout=60_000)


def test_a_citation_leads_to_its_words_on_the_page(browser: Browser, service: str) -> None:
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.goto(service)
    ask(page, QUESTION)
    chip = page.locator(".main > .sentence", has_text="half-past six").locator("button.chip").first
    chip.click()
    card = page.locator(".card.active, .card:visible").first
    assert "The page says" in card.inner_text()
    assert SENTENCE in card.locator("mark").inner_text()
    link = card.locator("a")
    assert "See this text at" in link.inner_text()
    with context.expect_page() as opening:
        link.click()
    leaflet = opening.value
    leaflet.wait_for_load_state()
    assert "%2Dpast" in str(link.get_attribute("href")) or "gate." in str(link.get_attribute("href"))
    target = leaflet.locator("p", has_text="half-past six")
    assert leaflet.evaluate("scrollY") > 1000
    box = target.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 700
    picture = Image.open(io.BytesIO(target.screenshot())).convert("RGB")
    colours = picture.getcolors(maxcolors=1_000_000)
    assert colours is not None
    marked = sum(count for count, colour in colours if colour == MARKED)
    assert marked > 0.5 * picture.width * 20
    plain = leaflet.locator("p").first
    plain.scroll_into_view_if_needed()
    others = Image.open(io.BytesIO(plain.screenshot())).convert("RGB").getcolors(maxcolors=1_000_000)
    assert others is not None
    assert MARKED not in {colour for _, colour in others}


def test_feedback_and_hand_over_arrive(browser: Browser, service: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    answered: list[tuple[str, int]] = []
    page.on("response", lambda response: answered.append((response.url.removeprefix(service), response.status)))
    page.goto(service)
    ask(page, "How long does a back spasm last?")
    page.locator(".main > .sentence button.chip").first.click()
    page.locator(".card .feedback button").first.click()
    page.locator(".card .feedback p").wait_for()
    page.locator(".main > .feedback button").nth(1).click()
    page.locator("fieldset [aria-pressed]").first.click()
    page.locator("fieldset > button").last.click()
    page.locator(".main > .feedback p").wait_for()
    page.locator("button.new").click()
    ask(page, "Can I take ibuprofen with my blood pressure tablets?")
    page.locator(".handoff .choice.primary").click()
    page.locator(".handoff .choice.primary").click()
    page.locator("text=Sent. The help desk will answer you by e-mail.").wait_for()
    told = [one for one in answered if one[0] in {"/v1/feedback", "/v1/handoffs"}]
    assert told == [("/v1/feedback", 201), ("/v1/feedback", 201), ("/v1/feedback", 200), ("/v1/handoffs", 202)]


def test_the_snippet_of_the_readme_works_as_it_stands(browser: Browser, site: tuple[str, Path]) -> None:
    address, folder = site
    snippet = re.search(r"```html\n(.*?<backline-ask.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert snippet is not None
    html = f'<!doctype html><html lang="en"><head><title>A site</title></head><body><h1>A site</h1>\n{snippet[1]}</body></html>'
    (folder / "index.html").write_text(html, "utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    (folder / "favicon.ico").write_bytes(b"")
    page.goto(address)
    page.locator("button.launcher").click()
    ask(page, "How long does a back spasm last?")
    assert page.locator(".main > .sentence button.chip").first.inner_text() == "1"
    page.locator(".feedback button").first.click()
    page.locator(".feedback p").wait_for()
    ask(page, "I am numb between my legs")
    assert page.locator(".notice.emergency .call").first.is_visible()
    assert faults == []


def test_a_page_of_another_site_gets_nothing(browser: Browser, site: tuple[str, Path], service: str) -> None:
    address, folder = site
    port = service.rpartition(":")[2]
    (folder / "other.html").write_text(
        f'<title>x</title><script type="module" src="http://127.0.0.1:{port}/widget.js"></script><backline-ask></backline-ask>',
        "utf-8",
    )
    page = browser.new_page()
    page.goto(address.replace("127.0.0.1", "localhost") + "/other.html")
    page.wait_for_load_state("networkidle")
    assert page.locator("textarea").count() == 0
