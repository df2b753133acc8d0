"""The component in pages of another origin: strict policies, tokens, launcher and search."""

from collections.abc import Iterator

import pytest

from tests.service.widget import replies
from tests.service.widget.conftest import DESKTOP, PHONE, AskPage, Open
from tests.service.widget.fake_service import FakeService, serving

pytestmark = pytest.mark.needs("chromium")

ACTIVE = "document.activeElement.shadowRoot?.activeElement"

# What a careful site would send: scripts by nonce alone, one address to talk to, no inline styles, no sinks.
PAGE = """<!-- policy default-src 'none'; script-src 'nonce-x'; connect-src {service}; style-src 'nonce-x'; img-src 'self'; \
base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none' -->
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A clinic</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="/static/mark.svg">
<style nonce="x">body {{ font: 18px serif; margin: 40px }}</style></head><body>
<h1>How to see a physical therapist</h1><p>You can book a visit without a referral.</p>
<script type="module" src="{service}/widget.js" nonce="x"></script>
<backline-ask endpoint="{service}" {attributes}></backline-ask>
<p id="last">Please tell the clinic a day before.</p></body></html>"""


@pytest.fixture
def site() -> Iterator[FakeService]:
    """Somebody else's site, on an origin of its own."""
    with serving(FakeService()) as running:
        yield running


def visit(
    open_page: Open, site: FakeService, service: FakeService, attributes: str = "", size: tuple[int, int] = DESKTOP
) -> AskPage:
    site.embeds["page"] = PAGE.format(service=service.url, attributes=attributes)
    return open_page(f"{site.url}/host/page", size=size, reduced_motion=True)


@pytest.mark.parametrize("attributes", ["", "stream", "feedback handoff"])
def test_a_page_of_an_allowed_site_asks_with_a_token_and_never_with_a_key(
    open_page: Open, site: FakeService, service: FakeService, attributes: str
) -> None:
    service.origins = {site.url}
    opened = visit(open_page, site, service, attributes)
    shown: list[str | None] = []
    opened.page.on("request", lambda request: shown.append(request.headers.get("authorization")))
    for question in (replies.REST, replies.DOSE, replies.NUMB):
        opened.ask(question)
    assert opened.find(".notice.emergency").is_visible()
    assert opened.find(".turn").first.locator(".sentence button.chip").first.inner_text() == "1"
    assert service.given == 1
    assert set(shown) - {None} == {"Bearer token-1"}
    assert "Bearer" not in opened.page.content()
    assert opened.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    opened.assert_clean()


def test_a_token_is_renewed_before_it_ends_and_once_when_it_is_refused(
    open_page: Open, site: FakeService, service: FakeService
) -> None:
    service.origins = {site.url}
    opened = visit(open_page, site, service)
    opened.ask(replies.REST)
    service.tokens.clear()
    opened.ask(replies.HEAT)
    assert service.given == 2
    assert opened.find(".failure:visible").count() == 0
    service.token_seconds = 0
    service.tokens.clear()
    opened.ask(replies.REST)
    opened.ask(replies.HEAT)
    assert service.given == 4
    assert [body["question"] for body in service.asked] == [replies.REST, replies.HEAT] * 2


def test_a_service_that_refuses_every_token_is_asked_twice_and_not_again(
    open_page: Open, site: FakeService, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.origins = {site.url}
    monkeypatch.setattr(FakeService, "_is_held", lambda *_: False)
    opened = visit(open_page, site, service)
    opened.ask(replies.REST)
    assert opened.find(".failure:visible p").first.inner_text().startswith("That did not work.")
    assert service.given == 2
    assert service.asked == []


def test_a_page_of_any_other_site_gets_nothing(open_page: Open, site: FakeService, service: FakeService) -> None:
    opened = visit(open_page, site, service)
    opened.ask(replies.REST)
    assert opened.find(".failure:visible p").first.inner_text().startswith("That did not work.")
    assert opened.find("textarea").input_value() == replies.REST
    assert service.asked == []


def test_on_its_own_origin_a_token_is_used_only_where_the_page_says_so(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.REST)
    assert opened.service.given == 0
    framed = open_page("/?token")
    shown: list[str | None] = []
    framed.page.on("request", lambda request: shown.append(request.headers.get("authorization")))
    framed.ask(replies.REST)
    framed.ask(replies.HEAT)
    assert framed.service.given == 1
    assert shown.count("Bearer token-1") == 2
    framed.assert_clean()


def test_without_an_endpoint_the_service_is_where_the_script_came_from(
    open_page: Open, site: FakeService, service: FakeService
) -> None:
    service.origins = {site.url}
    site.embeds["page"] = PAGE.format(service=service.url, attributes="").replace(f' endpoint="{service.url}"', "")
    opened = open_page(f"{site.url}/host/page")
    opened.ask(replies.REST)
    assert len(service.asked) == 1
    opened.assert_clean()


def test_the_launcher_leaves_the_page_as_it_was(open_page: Open, site: FakeService, service: FakeService) -> None:
    service.origins = {site.url}
    opened = visit(open_page, site, service, 'mode="launcher"')
    launcher = opened.find("button.launcher")
    launcher.wait_for()
    place = opened.find("#last").bounding_box()
    box = launcher.bounding_box()
    assert box is not None
    assert (box["width"], box["height"], 1366 - box["x"] - box["width"]) == (52, 52, 28)
    assert launcher.inner_text() == ""
    launcher.click()
    panel = opened.find(".panel").bounding_box()
    assert panel is not None
    assert (panel["width"], panel["height"], 1366 - panel["x"] - panel["width"]) == (400, 684, 28)
    assert opened.find("#last").bounding_box() == place
    opened.page.keyboard.press("/")
    assert opened.find("textarea").input_value() == "/"
    assert opened.page.evaluate("getComputedStyle(document.body).overflow") == "visible"
    launcher.click()
    assert not opened.find(".panel").is_visible()
    assert opened.page.evaluate(f"{ACTIVE}.className") == "launcher"
    opened.assert_clean()


def test_launcher_opens_and_closes_by_method_and_by_escape_in_steps(
    open_page: Open, site: FakeService, service: FakeService
) -> None:
    service.origins = {site.url}
    opened = visit(open_page, site, service, 'mode="launcher"', PHONE)
    opened.page.evaluate("document.querySelector('backline-ask').open()")
    opened.find(".panel").wait_for()
    assert opened.page.evaluate(f"{ACTIVE}.id") == "question"
    opened.ask(replies.REST)
    opened.find("button.chip").first.click()
    opened.page.keyboard.press("Escape")
    assert opened.find(".card:visible").count() == 0
    assert opened.find(".panel").is_visible()
    opened.page.keyboard.press("Escape")
    assert not opened.find(".panel").is_visible()
    opened.page.evaluate("document.querySelector('backline-ask').open()")
    opened.find(".panel").wait_for()
    opened.page.evaluate("document.querySelector('backline-ask').close()")
    opened.find(".panel").wait_for(state="hidden")
    opened.page.evaluate("document.querySelector('backline-ask').destroy()")
    assert opened.find("backline-ask").count() == 0


def test_search_mode_is_a_box_in_the_page_with_the_answer_below(
    open_page: Open, site: FakeService, service: FakeService
) -> None:
    service.origins = {site.url}
    opened = visit(open_page, site, service, 'mode="search"')
    assert opened.find(".bar, .empty .choice, button.launcher").count() == 0
    composer = opened.find(".composer").bounding_box()
    strip = opened.find(".strip").bounding_box()
    assert composer is not None
    assert strip is not None
    assert strip["y"] < composer["y"]
    opened.ask(replies.REST)
    answer = opened.find(".sentence").first.bounding_box()
    assert answer is not None
    assert answer["y"] > composer["y"] + composer["height"]
    opened.find("button.chip").first.click()
    assert opened.find(".card:visible").count() >= 1
    opened.ask(replies.NUMB)
    assert opened.find(".notice.emergency .call").first.is_visible()
    assert not opened.find(".strip").is_visible()
    opened.assert_clean()


def test_the_page_hears_what_happens_and_can_start_anew(
    open_page: Open, site: FakeService, service: FakeService
) -> None:
    service.origins = {site.url}
    opened = visit(open_page, site, service, "feedback")
    opened.page.evaluate(
        """() => {
          window.told = [];
          for (const name of ['ask', 'answer', 'abstain', 'triage', 'feedback', 'error'])
            document.addEventListener(`bl:${name}`, (event) => window.told.push([name, event.detail.question ?? event.detail.level ?? event.detail.verdict ?? event.detail.kind]));
        }"""
    )
    opened.page.evaluate("question => document.querySelector('backline-ask').ask(question)", replies.REST)
    opened.find(".feedback button").first.click()
    opened.ask(replies.PARIS)
    opened.ask(replies.NUMB)
    opened.ask(replies.BROKEN)
    assert opened.page.evaluate("window.told") == [
        ["ask", replies.REST],
        ["answer", replies.REST],
        ["feedback", "yes"],
        ["ask", replies.PARIS],
        ["abstain", replies.PARIS],
        ["ask", replies.NUMB],
        ["triage", "emergency"],
        ["answer", replies.NUMB],
        ["ask", replies.BROKEN],
        ["error", "failed"],
    ]
    opened.page.evaluate("document.querySelector('backline-ask').reset()")
    assert opened.find(".turn").count() == 0
