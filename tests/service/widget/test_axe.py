"""What axe-core finds in each state, in light, dark and forced colours, on phone and desk, both ways of writing."""

from typing import Any

import pytest

from tests.conftest import NODE_MODULES
from tests.service.widget import replies
from tests.service.widget.conftest import DESKTOP, PHONE, AskPage, Open

pytestmark = pytest.mark.needs("chromium", "npm")

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUESTIONS = [
    replies.REST,
    replies.HEAT,
    replies.QUOTED,
    replies.WORDED,
    replies.KIDNEY,
    replies.WEEKS,
    replies.GENERAL,
    replies.DOSE,
    replies.PARIS,
    replies.NOTHING,
    replies.UNCLEAR,
    replies.SPANISH,
    replies.NUMB,
    replies.THEN,
    replies.POISON,
    replies.SELF_HARM,
    replies.BROKEN,
]


def findings(opened: AskPage) -> list[str]:
    """Run axe-core on the page as it stands; name each violation with its impact and first place."""
    found: list[dict[str, Any]] = opened.page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(result => result.violations)", RULES
    )
    return [f"{one['impact']} {one['id']} {one['nodes'][0]['target']} {one['nodes'][0]['html']}" for one in found]


def load_axe(opened: AskPage) -> None:
    # Through the debugger, as an extension would: the page's policy stays as it is.
    opened.page.evaluate((NODE_MODULES / "axe-core" / "axe.min.js").read_text("utf-8"))


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desk"])
@pytest.mark.parametrize("look", ["light", "dark", "forced"])
def test_axe_finds_nothing_in_any_state(open_page: Open, look: str, size: tuple[int, int]) -> None:
    opened = open_page(
        "/?feedback&handoff", size=size, dark=look == "dark", forced_colors=look == "forced", reduced_motion=True
    )
    load_axe(opened)
    assert findings(opened) == []
    for question in QUESTIONS:
        opened.ask(question)
        turn = opened.find(".turn").last
        for opener in (".fold summary", "button.chip", ".notice summary"):
            if turn.locator(opener).first.is_visible():
                turn.locator(opener).first.click()
        assert findings(opened) == [], question
        if question != replies.NUMB:
            opened.find("button.new").click()
    opened.find("textarea").fill("My name is Ann, call me on 555-123-4567")
    assert findings(opened) == []


@pytest.mark.parametrize("look", ["light", "dark", "forced"])
def test_axe_finds_nothing_in_the_forms(open_page: Open, look: str) -> None:
    opened = open_page("/?feedback&handoff", dark=look == "dark", forced_colors=look == "forced", reduced_motion=True)
    load_axe(opened)
    opened.ask(replies.REST)
    opened.find(".tools + div + .feedback button").nth(1).click()
    opened.find("fieldset").wait_for()
    opened.find(".handoff .choice").click()
    opened.find(".badge").click()
    assert findings(opened) == []
    opened.find("fieldset > button").last.click()
    opened.find(".handoff .choice.primary").click()
    opened.find("text=Sent. The help desk will answer you by e-mail.").wait_for()
    assert findings(opened) == []


@pytest.mark.parametrize("locale", ["ar", "de", "es", "fr"])
def test_axe_finds_nothing_in_other_languages_and_from_right_to_left(open_page: Open, locale: str) -> None:
    opened = open_page(f"/?locale={locale}", reduced_motion=True)
    load_axe(opened)
    for question in (replies.REST, replies.NUMB):
        opened.ask(question)
        assert findings(opened) == [], question


def test_axe_looks_inside_the_component(open_page: Open) -> None:
    opened = open_page(reduced_motion=True)
    load_axe(opened)
    opened.ask(replies.REST)
    opened.page.evaluate(
        """() => {
          const pale = new CSSStyleSheet();
          pale.replaceSync('.sentence .answer { color: #ccc }');
          document.querySelector('backline-ask').shadowRoot.adoptedStyleSheets.push(pale);
        }"""
    )
    found = findings(opened)
    assert [line.split()[:2] for line in found] == [["serious", "color-contrast"]]
