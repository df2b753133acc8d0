"""A browser, a small server with canned replies, and pages whose console and policy reports are kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Locator, Page, sync_playwright

from tests.service.widget.fake_service import FakeService, serving

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PHONE = (390, 844)
SMALL_PHONE = (320, 568)
DESKTOP = (1366, 900)

_WATCH_POLICY = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""


@dataclass(slots=True)
class AskPage:
    """A page with the component on it.

    Attributes:
        page: The browser's page.
        service: The server behind it.
        faults: Console errors, uncaught errors and dialogs, in order.
    """

    page: Page
    service: FakeService
    faults: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        """Type a question, send it with Enter and wait until its reply is shown."""
        box = self.page.locator("textarea#question")
        turns = self.page.locator(".turn").count()
        box.fill(question)
        box.press("Enter")
        self.page.locator(".turn").nth(turns).wait_for()
        self.page.locator(".root:not([data-busy])").wait_for(state="attached")

    def find(self, selector: str) -> Locator:
        """Locate something, also inside the component."""
        return self.page.locator(selector)

    def assert_clean(self) -> None:
        """Fail on any console error, dialog or breach of the content security policy."""
        assert self.faults == []
        assert self.page.evaluate("window.violations") == []


Open = Callable[..., AskPage]


@pytest.fixture(scope="module")  # Playwright's event loop runs as long, and no other can run beside it
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed (tests/system-packages.txt names it)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS), downloads_path=tmp_path_factory.mktemp("chromium")
        )
        yield started
        started.close()


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serving(FakeService()) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser, service: FakeService) -> Iterator[Open]:
    """Return a function that opens a page of the fake service and waits for the component."""
    contexts = []

    def opener(
        path: str = "/",
        *,
        size: tuple[int, int] = PHONE,
        dark: bool = False,
        reduced_motion: bool = False,
        forced_colors: bool = False,
        script: bool = True,
    ) -> AskPage:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
            forced_colors="active" if forced_colors else "none",
            java_script_enabled=script,
            locale="en-GB",
        )
        contexts.append(context)
        context.add_init_script(_WATCH_POLICY)
        page = context.new_page()
        page.set_default_timeout(10_000)
        opened = AskPage(page, service)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                opened.faults.append(message.text)

        def on_dialog(dialog: Dialog) -> None:
            opened.faults.append(f"dialog {dialog.message}")
            dialog.dismiss()

        def on_error(error: Error) -> None:
            opened.faults.append(str(error))

        page.on("console", on_console)
        page.on("dialog", on_dialog)
        page.on("pageerror", on_error)
        page.goto(path if path.startswith("http") else service.url + path)
        if script:
            page.locator(".strip p").wait_for(state="attached")
        return opened

    yield opener
    for context in contexts:
        context.close()
