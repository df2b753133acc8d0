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


def test_every_later_turn_leads_back_to_the_emergency(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.NUMB)
    opened.ask(replies.REST)
    opened.ask(replies.HEAT)
    lines = opened.find(".back")
    assert lines.all_inner_texts() == ["Emergency notice above: Get emergency help now"] * 2
    assert opened.find(".turn").nth(0).locator(".back").count() == 0
    assert opened.find(".strip").is_visible()
    lines.last.click()
    assert opened.find(".notice.emergency h3").evaluate("e => e.getRootNode().activeElement === e")


def test_an_emergency_told_before_is_one_line_instead_of_the_card_again(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.NUMB)
    opened.ask(replies.THEN)
    assert opened.find(".notice").count() == 1
    later = opened.find(".turn").nth(1)
    assert later.locator(".back").inner_text() == "Emergency notice above: Get emergency help now"
    assert later.locator("details.fold").get_attribute("open") is None
    assert not later.locator(".sentence").is_visible()
    assert later.locator(".feedback, .choices").count() == 0
    assert opened.find(".strip").is_visible()
    opened.find("select").select_option("de")
    opened.find(".root[lang=de]").wait_for()
    assert opened.find(".notice").count() == 1
    assert opened.find(".back").count() == 1
    opened.assert_clean()


def test_the_same_sign_told_again_and_a_new_one_get_a_card_of_their_own(open_page: Open) -> None:
    opened = open_page()
    for question in (replies.NUMB, replies.NUMB, replies.POISON, replies.THEN_POISON):
        opened.ask(question)
    assert [turn.locator(".notice").count() for turn in opened.find(".turn").all()] == [1, 1, 1, 0]
    assert opened.find(".turn").nth(3).locator(".back").is_visible()
    assert opened.find(".turn").nth(2).locator(".back").count() == 0


def test_poisoning_stands_alone(open_page: Open) -> None:
    opened = open_page("/?feedback&handoff")
    opened.ask(replies.POISON)
    notice = opened.find(".notice.emergency")
    assert [link.inner_text() for link in notice.locator(".call").all()] == ["Call 112", "Call 911", "Call 999"]
    assert "a poison centre now" in notice.inner_text()
    assert "Sources for this warning" not in notice.inner_text()
    turn = opened.find(".turn")
    assert turn.locator(".sentence, .badge, .feedback, .choices, .handoff").count() == 0
    assert not opened.find(".fold").is_visible()
    assert "The people here cannot help in an emergency." in opened.find(".turn").inner_text()
    opened.assert_clean()


def test_what_was_not_screened_is_said_in_its_own_language_and_never_called_unanswerable(open_page: Open) -> None:
    opened = open_page("/?handoff")
    opened.ask(replies.SPANISH)
    assert opened.find(".head.title").inner_text() == "I could not check your question"
    said = opened.find(".main .answer")
    assert (said.inner_text(), said.get_attribute("lang")) == (
        "No se pudo comprobar si esta pregunta contiene señales de alarma.",
        "es",
    )
    assert "You can ask again in English." in opened.find(".main").inner_text()
    assert "Ask in other words" not in opened.find(".main").inner_text()
    assert opened.find(".strip").is_visible()
    opened.find(".handoff").wait_for()
    opened.assert_clean()


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


@pytest.mark.drill("R17")
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


PAYLOADS = [
    "<script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script src=//127.0.0.1/x.js></script>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert`1`>",
    "<img src=x:x onerror=\u0061lert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert&#40;1)</script>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:alert(1)><text y=20>x</text></a></svg>",
    "<math><a xlink:href=javascript:alert(1)>x",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<form action=javascript:alert(1)><button>x",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<base href=//127.0.0.1/>",
    "<link rel=stylesheet href=//127.0.0.1/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<style>@import '//127.0.0.1/x.css';</style>",
    "<style>*{display:none}</style>",
    "<div style='position:fixed;inset:0'>x</div>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "]]><img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "${alert(1)} {{constructor.constructor('alert(1)')()}}",
    "&lt;img src=x onerror=alert(1)&gt;",
    "\u202e<img src=x onerror=alert(1)>",
    "<backline-ask endpoint=//127.0.0.1></backline-ask>",
    "<slot name=hint></slot><img src=x onerror=alert(1)>",
]


@pytest.mark.drill("R17")
def test_no_payload_in_any_field_becomes_code(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drill R17: in the question, the title, the publisher, the quote, the address, the body and the notice."""
    opened = open_page("/?feedback&handoff&stream")
    for payload in PAYLOADS:
        evil = replies.citation(
            1, payload, title=payload, publisher=payload, url=payload, deep_link=f"javascript:{payload}", credit=payload
        )
        warning = replies.notice("soon", payload, payload, payload, payload, conditional=[payload])
        monkeypatch.setitem(
            replies.REPLIES,
            payload,
            replies.answered([evil], triage=warning, missing=[payload], follow_ups=[payload], rewritten_question="r"),
        )
        opened.ask(payload)
        opened.find("button.chip").first.click()
        assert opened.find(".bubble").text_content() == payload
        assert opened.find(".card:visible mark").text_content() == " ".join(payload.split())
        found = opened.page.evaluate(
            """() => {
              const shadow = document.querySelector('backline-ask').shadowRoot;
              const known = new Set('div h2 h3 h4 p b i span bdi button select option header section ol ul li details summary form label textarea svg path article mark a fieldset legend input slot'.split(' '));
              const all = [...shadow.querySelectorAll('*')];
              return [all.map((e) => e.localName).filter((name) => !known.has(name)),
                all.filter((e) => [...e.attributes].some((a) => a.name.startsWith('on') || a.name === 'style')).length,
                [...shadow.querySelectorAll('a')].map((a) => a.protocol).filter((p) => p !== 'tel:')];
            }"""
        )
        assert found == [[], 0, []], payload
        opened.find("button.new").click()
    assert len(PAYLOADS) == 42
    opened.assert_clean()


@pytest.mark.drill("R17")
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
