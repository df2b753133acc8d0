"""Keyboard, speech, colours, widths, languages, and other people's pages."""

import pytest

from tests.service.widget import replies
from tests.service.widget.conftest import DESKTOP, PHONE, SMALL_PHONE, AskPage, Open

pytestmark = pytest.mark.needs("chromium")

ACTIVE = "document.activeElement.shadowRoot?.activeElement"

# Foreground, background, contrast in light, contrast in dark: the table of the design brief.
PAIRS = """
text bg 13.7 15.8
text surface 14.9 14.2
text sunken 12.6 11.9
text mark 13.0 8.5
text-muted bg 6.4 9.0
text-muted surface 7.0 8.1
text-muted sunken 5.9 6.8
hue bg 6.9 10.3
hue surface 7.5 9.3
hue sunken 6.4 7.8
hue accent-soft 6.2 6.9
on-hue hue 7.5 9.6
control bg 3.8 5.7
control surface 4.1 5.1
control sunken 3.5 4.3
focus bg 6.2 10.5
focus surface 6.7 9.4
focus sunken 5.7 7.9
emergency-text emergency 8.1 10.9
emergency-line bg 7.4 8.3
emergency-button-text emergency-button 9.7 10.3
emergency-button emergency 8.1 9.0
today-text today 9.2 11.3
today-line today 4.6 6.6
today-line bg 4.7 8.5
soon-text soon 9.2 11.5
soon-line soon 5.2 6.2
soon-line bg 5.5 7.5
info-text info 10.0 10.3
info-line info 4.1 4.3
info-line bg 4.4 5.7
error surface 8.1 8.1
ok surface 6.5 9.4
"""


def colour(opened: AskPage, name: str) -> tuple[int, int, int]:
    """Return a token of the shipped style sheet as the browser paints it."""
    red, green, blue = opened.page.evaluate(
        """(name) => {
          const root = document.querySelector('backline-ask').shadowRoot.querySelector('.root');
          const probe = document.createElement('i');
          root.append(probe);
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(`.root > i { color: var(--bl-${name}) }`);
          root.getRootNode().adoptedStyleSheets.push(sheet);
          const colour = getComputedStyle(probe).color;
          root.getRootNode().adoptedStyleSheets.pop();
          probe.remove();
          return colour.match(/\\d+/g).slice(0, 3).map(Number);
        }""",
        name,
    )
    return red, green, blue


def luminance(parts: tuple[int, int, int]) -> float:
    """Return relative luminance as WCAG 2.2 defines it."""
    shares = [part / 255 for part in parts]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Return the contrast of two colours, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_every_contrast_of_the_brief_holds_in_the_shipped_css(open_page: Open, *, dark: bool) -> None:
    opened = open_page(dark=dark)
    for line in PAIRS.strip().splitlines():
        front, back, light_ratio, dark_ratio = line.split()
        expected = float(dark_ratio if dark else light_ratio)
        assert contrast(colour(opened, front), colour(opened, back)) == pytest.approx(expected, abs=0.06), line


def test_contrast_is_measured_right() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)


def test_theme_attribute_beats_the_system(open_page: Open) -> None:
    opened = open_page(dark=True)
    assert colour(opened, "bg") == (16, 22, 21)
    opened.page.evaluate("document.querySelector('backline-ask').setAttribute('theme', 'light')")
    assert colour(opened, "bg") == (247, 245, 240)
    opened.page.evaluate("document.querySelector('backline-ask').setAttribute('theme', 'dark')")
    assert colour(opened, "bg") == (16, 22, 21)


def test_everything_works_by_keyboard_alone(open_page: Open) -> None:
    opened = open_page(size=PHONE)
    keys = opened.page.keyboard
    for _ in range(20):
        keys.press("Tab")
        if opened.page.evaluate(f"{ACTIVE}?.id") == "question":
            break
    keys.type("first line")
    keys.press("Shift+Enter")
    assert opened.find("textarea").input_value() == "first line\n"
    keys.press("Control+a")
    keys.insert_text(replies.REST)
    keys.press("Enter")
    opened.find(".sentence").first.wait_for()
    assert opened.page.evaluate(f"{ACTIVE}.id") == "question"
    for _ in range(20):
        keys.press("Shift+Tab")
        if opened.page.evaluate(f"{ACTIVE}?.matches('.main > .sentence button.chip')"):
            break
    assert opened.page.evaluate(f"{ACTIVE}.getAttribute('aria-expanded')") == "false"
    keys.press("Enter")
    assert opened.page.evaluate(f"{ACTIVE}.getAttribute('aria-expanded')") == "true"
    assert opened.page.evaluate(f"getComputedStyle({ACTIVE}).outlineStyle") == "solid"
    keys.press("Tab")
    assert opened.page.evaluate(f"{ACTIVE}.closest('.card') !== null")
    keys.press("Escape")
    assert opened.find(".card:visible").count() == 0
    assert opened.page.evaluate(f"{ACTIVE}.matches('button.chip')")
    opened.assert_clean()


def test_slash_jumps_to_the_question_until_it_is_switched_off(open_page: Open) -> None:
    opened = open_page(size=DESKTOP)
    opened.find("#keys").wait_for()
    opened.page.evaluate("document.querySelector('backline-ask').shadowRoot.activeElement?.blur()")
    opened.page.keyboard.press("/")
    assert opened.page.evaluate(f"{ACTIVE}.id") == "question"
    assert opened.find("textarea").input_value() == ""
    opened.find("#keys button").click()
    opened.page.evaluate("document.querySelector('backline-ask').shadowRoot.activeElement?.blur()")
    opened.page.keyboard.press("/")
    assert opened.page.evaluate("document.activeElement.tagName") == "BODY"


def heard(opened: AskPage, question: str, milliseconds: int) -> list[str]:
    """Ask and return what the live regions said, in order."""
    opened.page.evaluate(
        """() => {
          window.heard = [];
          for (const region of document.querySelector('backline-ask').shadowRoot.querySelectorAll('[data-speech]'))
            new MutationObserver((changes) => {
              for (const { addedNodes } of changes)
                for (const node of addedNodes) window.heard.push(`${region.dataset.speech}: ${node.textContent}`);
            }).observe(region, { childList: true });
        }"""
    )
    opened.ask(question)
    opened.page.wait_for_timeout(milliseconds)
    said: list[str] = opened.page.evaluate("window.heard")
    return said


def test_sentences_are_spoken_whole_and_then_the_count(open_page: Open) -> None:
    said = heard(open_page(), replies.REST, 2500)
    assert said == [
        f"polite: {replies.BED_REST['quote']} Source 1.",
        f"polite: {replies.RESTART['quote']} Source 2.",
        f"polite: {replies.DOCTOR['quote']} Source 3.",
        "polite: Answer complete: 3 sentences, 4 sources.",
    ]


def test_emergency_is_spoken_at_once_and_its_answer_is_not(open_page: Open) -> None:
    assert heard(open_page(), replies.NUMB, 1500) == ["assertive: Emergency. Get emergency help now."]


def test_abstention_is_spoken_with_its_reason(open_page: Open) -> None:
    assert heard(open_page(), replies.PARIS, 500) == [
        "polite: I can't answer that from my sources. I only know about back pain and what can cause it."
    ]


ALL_STATES = [
    replies.REST,
    replies.HEAT,
    replies.NUMB,
    replies.KIDNEY,
    replies.SELF_HARM,
    replies.DOSE,
    replies.PARIS,
    replies.BROKEN,
    replies.LONG_WORD,
]


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("size", [SMALL_PHONE, PHONE, (320, 256)])
def test_nothing_scrolls_sideways(open_page: Open, size: tuple[int, int], locale: str) -> None:
    opened = open_page(f"/?locale={locale}", size=size)
    for question in ALL_STATES:
        opened.ask(question)
        chips = opened.find(".turn:last-child button.chip:visible")
        if chips.count():
            chips.first.click()
        widths = opened.page.evaluate(
            """() => {
              const shadow = document.querySelector('backline-ask').shadowRoot;
              const wide = [...shadow.querySelectorAll('.panel *')].filter((e) =>
                e.checkVisibility() && !e.closest('.hidden') && e.getBoundingClientRect().right > innerWidth + 1);
              const talk = shadow.querySelector('.talk');
              return [document.documentElement.scrollWidth - innerWidth, talk.scrollWidth - talk.clientWidth,
                wide.map((e) => e.className)];
            }"""
        )
        assert widths == [0, 0, []], question


def test_text_is_never_smaller_than_13_pixels_and_answers_are_17(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.REST)
    opened.find("button.chip").first.click()
    sizes = opened.page.evaluate(
        """[...document.querySelector('backline-ask').shadowRoot.querySelectorAll('.panel *')]
          .filter((e) => e.checkVisibility() && e.textContent && e.namespaceURI.endsWith('xhtml'))
          .map((e) => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert min(sizes) >= 13
    assert opened.find(".sentence .answer").first.evaluate("e => getComputedStyle(e).fontSize") == "17px"


def test_answers_stay_within_seventy_characters_a_line(open_page: Open) -> None:
    for size in (DESKTOP, (900, 900)):
        opened = open_page(size=size)
        opened.ask(replies.REST)
        longest = opened.find(".main > .sentence .answer").first.evaluate(
            """e => {
              const text = document.createTreeWalker(e, NodeFilter.SHOW_TEXT).nextNode();
              const range = document.createRange();
              const lines = new Map();
              for (let at = 0; at < text.length; at += 1) {
                range.setStart(text, at);
                range.setEnd(text, at + 1);
                const top = Math.round(range.getBoundingClientRect().top);
                lines.set(top, (lines.get(top) ?? 0) + 1);
              }
              return Math.max(...lines.values());
            }"""
        )
        assert 30 < longest <= 70


def test_every_control_shows_its_focus(open_page: Open) -> None:
    opened = open_page("/?feedback&handoff", reduced_motion=True)
    opened.ask(replies.REST)
    opened.ask(replies.NUMB)
    opened.find(".turn").first.locator("button.chip").first.click()
    opened.page.evaluate("document.querySelector('backline-ask').shadowRoot.querySelector('select').focus()")
    seen: set[str] = set()
    for _ in range(60):
        opened.page.keyboard.press("Tab")
        name, width, colour_of_ring = opened.page.evaluate(
            f"""() => {{
              const e = {ACTIVE};
              const ringed = e?.closest('.box') ?? e;
              if (!e) return ['', 0, ''];
              const s = getComputedStyle(ringed);
              return [e.className || e.localName, parseFloat(s.outlineWidth) * (s.outlineStyle === 'solid'), s.outlineColor];
            }}"""
        )
        if not name:
            break
        seen.add(str(name))
        assert width == 3, name
        if name == "call":
            assert colour_of_ring == "rgb(255, 255, 255)"
    assert {"call", "chip", "link", "choice", "choice primary", "badge", "plain new", "send", "summary"} <= seen


def test_focus_is_never_hidden_behind_the_question_box(open_page: Open) -> None:
    opened = open_page("/?feedback&handoff", size=SMALL_PHONE, reduced_motion=True)
    opened.ask(replies.REST)
    opened.page.evaluate("document.querySelector('backline-ask').shadowRoot.querySelector('.strip a').focus()")
    for _ in range(30):
        opened.page.keyboard.press("Tab")
        inside, bottom, edge = opened.page.evaluate(
            f"""() => {{
              const e = {ACTIVE};
              const composer = document.querySelector('backline-ask').shadowRoot.querySelector('.composer');
              return [!e || composer.contains(e), e?.getBoundingClientRect().bottom ?? 0, composer.getBoundingClientRect().top];
            }}"""
        )
        if inside:
            break
        assert bottom <= edge
    assert inside


def test_wider_text_spacing_cuts_nothing_off(open_page: Open) -> None:
    """WCAG 1.4.12: the spacing that a reader may set."""
    opened = open_page(size=SMALL_PHONE, reduced_motion=True)
    opened.page.evaluate(
        """() => {
          const wider = new CSSStyleSheet();
          wider.replaceSync('.root * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } .root p { margin-block-end: 2em !important }');
          document.querySelector('backline-ask').shadowRoot.adoptedStyleSheets.push(wider);
        }"""
    )
    for question in (replies.REST, replies.DOSE, replies.NUMB):
        opened.ask(question)
        cut = opened.page.evaluate(
            """() => [...document.querySelector('backline-ask').shadowRoot.querySelectorAll('button, a, h3, h4, p, summary')]
              .filter((e) => e.checkVisibility() && !e.closest('.hidden, .bubble') && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 2)
                && getComputedStyle(e).display !== 'inline' && getComputedStyle(e).overflow !== 'visible')
              .map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert cut == [], question
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 320


def test_buttons_are_large_enough_for_a_thumb(open_page: Open) -> None:
    opened = open_page(size=SMALL_PHONE)
    opened.ask(replies.REST)
    for selector, least in (
        (".send", 48),
        (".choice:visible", 48),
        ("button.chip:visible", 24),
        (".plain:visible", 44),
    ):
        for button in opened.find(selector).all():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= least, selector


def test_german_interface_keeps_urgent_texts_english_and_marked(open_page: Open) -> None:
    opened = open_page("/?locale=de")
    assert opened.find(".empty h2").inner_text() == "Was möchten Sie über Ihren Rücken wissen?"
    opened.ask(replies.NUMB)
    assert opened.service.asked[0]["locale"] == "de"
    call = opened.find(".call span").first
    assert (call.inner_text(), call.get_attribute("lang")) == ("Call 112", "en")
    assert opened.find(".notice .title").get_attribute("lang") == "en"
    opened.assert_clean()


@pytest.mark.parametrize(
    ("locale", "title"),
    [
        ("es", "¿Qué quiere saber sobre su espalda?"),
        ("de", "Was möchten Sie über Ihren Rücken wissen?"),
        ("fr", "Que voulez-vous savoir sur votre dos ?"),
        ("en", "What would you like to know about your back?"),
    ],
)
def test_language_can_be_changed_and_answers_follow(open_page: Open, locale: str, title: str) -> None:
    opened = open_page("/?locale=es" if locale == "en" else "/")
    opened.ask(replies.REST)
    opened.find("select").select_option(locale)
    opened.find(f".root[lang={locale}]").wait_for()
    assert opened.find(".main > .sentence").count() == 3
    opened.find("button.new").click()
    assert opened.find(".empty h2").inner_text() == title
    opened.assert_clean()


def test_right_to_left_mirrors_all_but_numbers(open_page: Open) -> None:
    opened = open_page("/?locale=en")
    opened.page.evaluate("document.querySelector('backline-ask').setAttribute('locale', 'ar')")
    opened.find(".root[dir=rtl]").wait_for()
    opened.ask(replies.NUMB)
    bubble = opened.find(".bubble").bounding_box()
    send = opened.find(".send").bounding_box()
    assert bubble is not None
    assert send is not None
    assert bubble["x"] < 30
    assert send["x"] < 40
    assert opened.find(".call bdi").first.get_attribute("dir") == "ltr"


def test_english_texts_in_a_right_to_left_page_keep_their_own_order(open_page: Open) -> None:
    """Else a full stop stands before its sentence, and an Arabic month inside an English line."""
    opened = open_page("/?locale=ar")
    opened.ask(replies.REST)
    opened.find("button.chip").first.click()
    assert "checked 22 Nov 2026" in opened.find(".card:visible .evidence").inner_text()
    for selector in (".composer .fine:visible", ".strip p", ".card:visible .evidence", ".bubble"):
        shown = opened.find(selector).first
        assert shown.evaluate("e => getComputedStyle(e).unicodeBidi") == "plaintext", selector
    note = opened.find(".composer .fine:visible").first
    ends = note.evaluate(
        """e => {
          const range = document.createRange();
          const text = e.firstChild;
          const at = (place) => { range.setStart(text, place); range.setEnd(text, place + 1); return range.getBoundingClientRect().x; };
          return [at(0), at(text.length - 1)];
        }"""
    )
    assert ends[0] < ends[1], "the sentence reads from left to right, its full stop last"


def put_on_paper(opened: AskPage) -> None:
    """Show the page as it is printed; its rules for paper are fetched with the first reply."""
    opened.page.wait_for_function(
        """() => [...document.querySelectorAll("backline-ask")].some((element) =>
          element.shadowRoot.adoptedStyleSheets.some((sheet) => [...sheet.cssRules].some((rule) => rule.media?.mediaText === "print")))"""
    )
    opened.page.emulate_media(media="print")


def test_print_shows_every_card_with_its_address_and_no_controls(open_page: Open) -> None:
    opened = open_page("/?feedback")
    opened.ask(replies.REST)
    put_on_paper(opened)
    assert opened.find(".composer, .feedback, .new").evaluate_all("all => all.every((e) => !e.checkVisibility())")
    assert opened.find(".strip").is_visible()
    cards = opened.find(".card")
    named = opened.find("button.chip").evaluate_all("all => all.map((e) => e.getAttribute('aria-controls'))")
    assert set(cards.evaluate_all("all => all.map((e) => e.id)")) == set(named)
    assert cards.evaluate_all("all => all.every((e) => e.checkVisibility())")
    address = opened.find(".card .link").first.evaluate("e => getComputedStyle(e, '::after').content")
    assert "ninds.nih.gov" in address or "attr(href)" in address
    assert opened.find("ol.sources > li").evaluate_all("all => all.every((e) => e.checkVisibility())")


def test_an_emergency_is_readable_on_paper_which_takes_no_backgrounds(open_page: Open) -> None:
    opened = open_page()
    opened.ask(replies.NUMB)
    put_on_paper(opened)
    notice = opened.find(".notice.emergency")
    look = notice.evaluate(
        "e => { const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.borderTopWidth]; }"
    )
    assert look == ["rgb(0, 0, 0)", "rgba(0, 0, 0, 0)", "3px"]
    assert opened.find(".fold .sentence").first.evaluate("e => getComputedStyle(e).animationName") == "none"


def test_forced_colours_keep_the_edges(open_page: Open) -> None:
    opened = open_page(forced_colors=True)
    opened.ask(replies.NUMB)
    for selector in (".notice", ".call", ".fold", ".box", ".bubble"):
        assert opened.find(selector).first.evaluate("e => parseFloat(getComputedStyle(e).borderTopWidth)") >= 1


def test_reduced_motion_stops_every_animation(open_page: Open) -> None:
    opened = open_page(reduced_motion=True)
    opened.ask(replies.REST)
    assert opened.find(".sentence").first.evaluate("e => getComputedStyle(e).animationName") == "none"


HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<link rel="icon" href="/static/mark.svg"><style nonce="x">
html {{ font-size: 62.5% }} * {{ letter-spacing: 5px; text-transform: uppercase; color: lime; line-height: 5 !important }}
button, p, div {{ display: none !important }} backline-ask {{ font-size: 60px; {css} }}
</style><script type="module" src="/widget.js"></script></head>
<body><main><h1>Host page</h1><backline-ask endpoint="" {attributes}></backline-ask></main></body></html>"""


def test_hostile_host_css_changes_nothing_inside(open_page: Open) -> None:
    service_page = open_page()
    service_page.service.embeds["hostile"] = HOST.format(css="--bl-emergency: lime; --bl-today: lime;", attributes="")
    opened = open_page("/host/hostile")
    opened.ask(replies.NUMB)
    style = opened.find(".notice").evaluate(
        "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.letterSpacing, s.textTransform, s.fontSize] }"
    )
    assert style == ["rgb(159, 20, 32)", "normal", "none", "16px"]
    assert opened.find(".call").first.is_visible()
    opened.assert_clean()


def test_pale_accent_is_refused_and_a_dark_one_is_used(open_page: Open) -> None:
    service_page = open_page()
    service_page.service.embeds["pale"] = HOST.format(css="--bl-accent: #ffe680", attributes="")
    service_page.service.embeds["dark"] = HOST.format(css="--bl-accent: #5b2a86", attributes="")
    pale = open_page("/host/pale")
    pale.find(".root.accent-refused").wait_for()
    assert colour(pale, "hue") == (11, 95, 88)
    dark = open_page("/host/dark")
    assert colour(dark, "hue") == (91, 42, 134)


def test_launcher_opens_a_dialog_and_gives_the_focus_back(open_page: Open) -> None:
    service_page = open_page()
    service_page.service.embeds["launcher"] = HOST.format(css="", attributes='mode="launcher" handoff')
    opened = open_page("/host/launcher", size=DESKTOP)
    launcher = opened.find("button.launcher")
    assert launcher.get_attribute("aria-label") == "Ask about back pain"
    assert launcher.get_attribute("aria-expanded") == "false"
    assert not opened.find(".panel").is_visible()
    launcher.press("Enter")
    assert launcher.get_attribute("aria-expanded") == "true"
    assert opened.find(".panel").get_attribute("role") == "dialog"
    assert opened.find(".panel").get_attribute("aria-modal") is None
    assert opened.page.evaluate(f"{ACTIVE}.id") == "question"
    opened.ask(replies.DOSE)
    opened.page.keyboard.press("Escape")
    assert not opened.find(".panel").is_visible()
    assert opened.page.evaluate(f"{ACTIVE}.className") == "launcher"
    launcher.click()
    assert opened.find(".turn").count() == 1
    opened.assert_clean()


def test_launcher_fills_a_phone_and_keeps_the_tab_key(open_page: Open) -> None:
    service_page = open_page()
    service_page.service.embeds["launcher"] = HOST.format(css="", attributes='mode="launcher"')
    opened = open_page("/host/launcher", size=PHONE, reduced_motion=True)
    opened.find("button.launcher").click()
    box = opened.find(".panel").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    assert opened.find(".panel").get_attribute("aria-modal") == "true"
    assert not opened.find("button.launcher").is_visible()
    for _ in range(20):
        opened.page.keyboard.press("Tab")
        assert opened.page.evaluate(f"{ACTIVE}.closest('.panel') !== null")
