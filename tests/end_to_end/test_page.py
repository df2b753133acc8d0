"""The ask page in a real browser over the real service."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

pytestmark = pytest.mark.needs("chromium")

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(slots=True)
class Visit:
    """The ask page on a phone, with the console errors it caused."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        self.page.locator("textarea#question").fill(question)
        self.page.locator("textarea#question").press("Enter")
        self.page.locator(".turn").last.wait_for()
        self.page.locator(".root:not([data-busy])").wait_for(timeout=60_000)


@pytest.fixture
def visit(server: str) -> Iterator[Visit]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        page = browser.new_page(viewport={"width": 390, "height": 844})
        opened = Visit(page)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                opened.faults.append(message.text)

        page.on("console", on_console)
        page.on("pageerror", lambda error: opened.faults.append(str(error)))
        page.goto(server)
        page.locator(".empty h2").wait_for()
        yield opened
        browser.close()


def test_a_question_gets_a_numbered_answer_whose_card_shows_the_proof(visit: Visit) -> None:
    visit.ask("How long does a back spasm last?")
    chips = visit.page.locator(".main > .sentence button.chip")
    assert chips.first.inner_text() == "1"
    chips.first.click()
    card = visit.page.locator(".card:visible")
    assert card.locator("mark").inner_text() in visit.page.locator(".main > .sentence").first.inner_text()
    assert "Our digest says (our words, not theirs)" in card.inner_text()
    assert str(card.locator("a").get_attribute("href")).startswith("https://")
    assert visit.faults == []


def test_numbness_when_wiping_shows_the_emergency_above_everything(visit: Visit) -> None:
    visit.ask("my back hurts and I can't feel when I wipe")
    notice = visit.page.locator(".notice.emergency")
    assert notice.locator(".title").inner_text() == "Get emergency help now"
    button = notice.locator(".call").first.bounding_box()
    composer = visit.page.locator(".composer").bounding_box()
    assert button is not None
    assert composer is not None
    assert button["y"] + button["height"] <= composer["y"]
    sentences = visit.page.locator(".sentence").all()
    assert not any(sentence.is_visible() for sentence in sentences)
    assert visit.faults == []


def test_the_capital_of_france_is_not_answered(visit: Visit) -> None:
    visit.ask("What is the capital of France?")
    assert visit.page.locator(".head.title").inner_text() == "I can't answer that from my sources"
    assert visit.page.locator(".failure:visible").count() == 0
    assert visit.faults == []
