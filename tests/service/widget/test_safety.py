"""The notice comes first, and nothing in a reply can become code."""

import pytest

from tests.service.widget import replies
from tests.service.widget.conftest import DESKTOP, PHONE, SMALL_PHONE, Open

pytestmark = pytest.mark.needs("chromium")

LONG_QUESTION = "I lifted a box last week and it has been sore since. " * 12 + replies.NUMB


@pytest.fixture(autouse=True)
def _long_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(replies.REPLIES, LONG_QUESTION, replies.REPLIES[replies.NUMB])


@pytest.mark.parametrize("size", [PHONE, SMALL_PHONE, DESKTOP])
@pytest.mark.parametrize("question", [replies.NUMB, LONG_QUESTION])
@pytest.mark.parametrize("earlier", [0, 1])
def test_emergency_title_and_call_button_show_without_scrolling(
    open_page: Open, size: tuple[int, int], question: str, earlier: int
) -> None:
    opened = open_page(size=size)
    for _ in range(earlier):
        opened.ask(replies.REST)
    opened.ask(question)
    bottom = opened.find(".composer").bounding_box()
    top = opened.find(".bar").bounding_box()
    assert bottom is not None
    assert top is not None
    for part in (".notice h3", ".notice .call"):
        box = opened.find(part).first.bounding_box()
        assert box is not None
        assert box["y"] >= top["y"] + top["height"]
        assert box["y"] + box["height"] <= bottom["y"]
    opened.assert_clean()


def test_emergency_is_first_in_the_reply_and_replaces_the_strip(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.NUMB)
    first = opened.page.evaluate(
        "document.querySelector('backline-ask').shadowRoot.querySelector('.bubble + .reply').firstElementChild.className"
    )
    assert first == "notices"
    notice = opened.find(".notice.emergency")
    assert notice.get_attribute("role") == "group"
    assert [link.get_attribute("href") for link in notice.locator(".call").all()] == ["tel:112", "tel:911", "tel:999"]
    text = notice.inner_text()
    assert text.index("Call 112") < text.index("Use the number for where you are")
    assert "Why you see this: you wrote “numb between my legs”." in text
    assert not opened.find(".strip").is_visible()
    assert opened.find(".feedback, .main .choices").count() == 0


def test_emergency_folds_its_answer_and_takes_the_focus(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.NUMB)
    assert not opened.find(".sentence").first.is_visible()
    focused = "document.activeElement.shadowRoot.activeElement.id"
    assert opened.page.evaluate(focused) == opened.find(".notice h3").get_attribute("id")
    opened.find("details.fold summary").click()
    assert opened.find(".sentence").first.is_visible()
    assert opened.find(".notice button").count() == 0


def test_emergency_does_not_take_the_focus_from_a_person_who_types(open_page: Open) -> None:
    opened = open_page()
    opened.service.delay_seconds = 0.5
    box = opened.find("textarea")
    box.fill(replies.NUMB)
    box.press("Enter")
    box.press_sequentially("and")
    opened.find(".notice.emergency").wait_for()
    assert opened.page.evaluate("document.activeElement.shadowRoot.activeElement.id") == "question"


def test_later_turns_lead_back_to_the_emergency(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.NUMB)
    opened.ask(replies.REST)
    assert opened.find(".back").inner_text() == "Emergency notice above: Get emergency help now"
    assert opened.find(".strip").is_visible()
    opened.find(".back").click()
    assert opened.find(".notice.emergency h3").evaluate("e => e.getRootNode().activeElement === e")


@pytest.mark.parametrize(
    ("question", "kind", "label", "title"),
    [
        (replies.KIDNEY, "today", "Today", "See a doctor today"),
        (replies.WEEKS, "soon", "In the next few days", "Book an appointment"),
        (replies.GENERAL, "info", "Good to know", "When this is an emergency"),
    ],
)
def test_other_levels_stand_above_an_unfolded_answer(
    open_page: Open, question: str, kind: str, label: str, title: str
) -> None:
    opened = open_page()
    opened.ask(question)
    notice = opened.find(f".notice.{kind}")
    assert notice.locator(".level").inner_text().startswith(label)
    assert notice.locator(".title").inner_text() == title
    assert notice.locator("svg").count() == 1
    assert opened.find(".sentence").is_visible()
    assert opened.find(".notice").count() == 1
    assert opened.find(".strip").is_visible()


def test_today_shows_when_to_go_now(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.KIDNEY)
    assert "Go now if you are confused" in opened.find(".notice").inner_text()
    assert opened.find(".notice > p b").inner_text() == "Go now"


def test_self_harm_offers_crisis_lines_first_without_alarm_colours(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.SELF_HARM)
    notice = opened.find(".notice.selfharm")
    calls = notice.locator(".call")
    assert calls.first.get_attribute("href") == "tel:116123"
    assert calls.first.inner_text() == "Crisis line 116 123"
    assert calls.count() == 4
    assert notice.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(221, 237, 233)"
    assert not opened.find(".fold").is_visible()
    assert opened.find(".sentence").count() == 0


@pytest.mark.parametrize("path", ["/", "/?stream", "/?feedback"])
def test_hostile_text_stays_text(open_page: Open, path: str) -> None:
    opened = open_page(path)
    opened.ask(replies.HOSTILE)
    for chip in opened.find("button.chip:visible").all():
        chip.click()
    opened.find(".notice summary").click()
    opened.page.wait_for_timeout(200)
    inside = "document.querySelector('backline-ask').shadowRoot"
    assert (
        opened.page.evaluate(f"{inside}.querySelectorAll('script, img, iframe, style, [onerror], [onload]').length")
        == 0
    )
    assert opened.page.evaluate(f"{inside}.querySelectorAll('[style]').length") == 0
    assert opened.page.evaluate(f"[...{inside}.querySelectorAll('.talk a')].map((a) => a.protocol)") == []
    assert opened.find(".bubble").inner_text() == replies.HOSTILE
    assert "<img src=x onerror=alert(3)> evil quote" in opened.find(".main").inner_text()
    opened.assert_clean()


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,<b>", " jAvAsCrIpT:alert(1)", "//x", "vbscript:x", "blob:x", "x"]
)
def test_only_web_addresses_become_links(open_page: Open, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    evil = replies.citation(1, "Words.", url=address, deep_link=address)
    monkeypatch.setitem(replies.REPLIES, "address", replies.answered([evil]))
    opened = open_page()
    opened.ask("address")
    opened.find("button.chip").click()
    assert opened.find(".card:visible a").count() == 0
    opened.assert_clean()
