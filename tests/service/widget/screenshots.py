"""``make screenshots``: a picture of every state for ``docs/images``, over the canned replies."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.service.widget import replies
from tests.service.widget.conftest import CHROMIUM, DESKTOP, FLAGS, PHONE, SMALL_PHONE
from tests.service.widget.fake_service import FakeService, serving

IMAGES = Path(__file__).parents[3] / "docs" / "images"
ZOOMED = (320, 225)

Act = Callable[[Page, FakeService], None]


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture.

    Attributes:
        name: Its file, without ``.png``.
        act: What is done before it is taken.
        size: Width and height of the window.
        path: The page.
        dark: Whether the system is dark.
        forced: Whether colours are forced.
        locale: Language of the interface.
    """

    name: str
    act: Act
    size: tuple[int, int] = PHONE
    path: str = "/"
    dark: bool = False
    forced: bool = False
    locale: str = "en"


def asked(*questions: str, then: str = "", top: str = "") -> Act:
    """Ask, click what ``then`` names (selectors by ``|``), and bring ``top`` to the top of the view."""

    def act(page: Page, service: FakeService) -> None:
        del service
        for question in questions:
            ask(page, question)
        turn = page.locator(".turn").last
        for selector in filter(None, then.split("|")):
            turn.locator(selector).first.click()
        if top:
            turn.locator(top).first.evaluate("e => e.scrollIntoView({block: 'start'})")

    return act


def ask(page: Page, question: str) -> None:
    turns = page.locator(".turn").count()
    page.locator("textarea").fill(question)
    page.locator("textarea").press("Enter")
    page.locator(".turn").nth(turns).wait_for()
    page.locator(".root:not([data-busy])").wait_for(state="attached")


def typed(page: Page, service: FakeService) -> None:
    del service
    page.locator("textarea").fill("My name is Ann, my number is 555-123-4567.\nMy back hurts when I sit down. " * 2)


def searching(page: Page, service: FakeService) -> None:
    service.delay_seconds = 2.0
    page.locator("textarea").fill(replies.REST)
    page.locator("textarea").press("Enter")
    page.locator(".busy").wait_for()


def streaming(page: Page, service: FakeService) -> None:
    service.sentence_seconds = 2.0
    page.locator("textarea").fill(replies.REST)
    page.locator("textarea").press("Enter")
    page.locator(".main > .sentence").nth(1).wait_for()
    page.locator("button.chip").first.click()


def cut(page: Page, service: FakeService) -> None:
    service.cuts = True
    ask(page, replies.REST)
    page.locator(".failure:visible").evaluate("e => e.scrollIntoView({block: 'end'})")


def offline(page: Page, service: FakeService) -> None:
    # Under a name that is not this machine's own, which would always be in reach.
    page.goto(service.url.replace("127.0.0.1", "app.localhost"))
    page.locator(".empty h2").wait_for()
    page.evaluate(
        "() => { Object.defineProperty(navigator, 'onLine', {get: () => false}); dispatchEvent(new Event('offline')) }"
    )
    page.locator("textarea").fill(replies.NUMB)


def opened(*questions: str, then: str = "") -> Act:
    """Open the launcher, then as ``asked``."""

    def act(page: Page, service: FakeService) -> None:
        page.locator("button.launcher").click()
        page.wait_for_timeout(250)
        asked(*questions, then=then)(page, service)

    return act


CLINIC = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Clinic</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="/static/mark.svg">
<style nonce="x">body {{ margin: 0; font: 17px/1.6 system-ui, sans-serif; color: #222 }} header {{ padding: 16px 40px;
background: #24364f; color: #fff; font-weight: 700 }} main {{ padding: 24px 40px; max-width: 40em }}</style>
<script type="module" src="/widget.js" nonce="x"></script></head><body><header>Help centre</header><main>
<h1>How to see a physical therapist</h1><p>You can see a physical therapist without a referral. This page says how to
book, what a visit costs and what to bring.</p>{search}<h2>Before you book</h2><p>Have your card ready. Ask how soon they
can see you.</p><ul><li>Most clinics offer a first visit within ten days.</li><li>You can book online, by phone or in
the app.</li></ul><h2>Cancelling a visit</h2><p>Please tell the clinic at least one working day before.</p></main>
{widget}</body></html>"""
EMBEDS = {
    "launcher": CLINIC.format(search="", widget='<backline-ask endpoint="" mode="launcher" stream></backline-ask>'),
    "search": CLINIC.format(search='<backline-ask endpoint="" mode="search"></backline-ask>', widget=""),
}

CARD = ".main > .sentence button.chip"
SHOTS = [
    Shot("empty-phone", asked()),
    Shot("empty-desktop", asked(), DESKTOP),
    Shot("empty-dark-phone", asked(), dark=True),
    Shot("outside-model-phone", asked(), path="/?outside-model"),
    Shot("typing-phone", typed),
    Shot("searching-phone", searching),
    Shot("streaming-phone", streaming, path="/?stream"),
    Shot("answered-phone", asked(replies.REST, then=CARD)),
    Shot("answered-end-phone", asked(replies.REST, top=".framed"), path="/?feedback"),
    Shot("answered-small-phone", asked(replies.REST, then=CARD), SMALL_PHONE),
    Shot("answered-dark-phone", asked(replies.REST, then=CARD), dark=True),
    Shot("answered-desktop", asked(replies.REST, then=CARD), DESKTOP, "/?feedback"),
    Shot("quote-phone", asked(replies.QUOTED, then=CARD)),
    Shot("worded-by-ai-phone", asked(replies.WORDED, then=f".badge|{CARD}")),
    Shot("partial-phone", asked(replies.HEAT, then=f"{CARD} >> nth=1")),
    Shot("partial-dark-phone", asked(replies.HEAT, then=f"{CARD} >> nth=1"), dark=True),
    Shot("partial-desktop", asked(replies.HEAT), DESKTOP),
    Shot("abstained-phone", asked(replies.DOSE), path="/?handoff"),
    Shot("abstained-dark-phone", asked(replies.DOSE), path="/?handoff", dark=True),
    Shot("abstained-desktop", asked(replies.DOSE), DESKTOP, "/?handoff"),
    Shot("out-of-scope-phone", asked(replies.PARIS)),
    Shot("nothing-found-phone", asked(replies.NOTHING)),
    Shot("unclear-phone", asked(replies.UNCLEAR)),
    Shot("not-screened-phone", asked(replies.SPANISH)),
    Shot("emergency-phone", asked(replies.NUMB)),
    Shot("emergency-small-phone", asked(replies.NUMB), SMALL_PHONE),
    Shot("emergency-dark-phone", asked(replies.NUMB), dark=True),
    Shot("emergency-desktop", asked(replies.NUMB), DESKTOP),
    Shot("emergency-later-phone", asked(replies.NUMB, replies.THEN)),
    Shot("poisoning-phone", asked(replies.POISON)),
    Shot("self-harm-phone", asked(replies.SELF_HARM)),
    Shot("self-harm-desktop", asked(replies.SELF_HARM), DESKTOP),
    Shot("today-phone", asked(replies.KIDNEY)),
    Shot("today-desktop", asked(replies.KIDNEY), DESKTOP),
    Shot("soon-phone", asked(replies.WEEKS)),
    Shot("info-phone", asked(replies.GENERAL)),
    Shot("error-phone", asked(replies.BROKEN)),
    Shot("cut-phone", cut, path="/?stream"),
    Shot("limited-phone", asked(replies.LIMITED)),
    Shot("offline-phone", offline),
    Shot("follow-up-phone", asked(replies.REST, "Is exercise good for back pain?")),
    Shot("follow-up-desktop", asked(replies.REST, "Is exercise good for back pain?"), DESKTOP),
    Shot(
        "feedback-phone",
        asked(replies.REST, then=".main > .feedback button >> nth=1", top=".feedback"),
        path="/?feedback",
    ),
    Shot(
        "feedback-given-phone", asked(replies.HEAT, then=".main > .feedback button", top=".sources"), path="/?feedback"
    ),
    Shot("feedback-on-a-source-phone", asked(replies.REST, then=CARD), path="/?feedback"),
    Shot("hand-over-phone", asked(replies.DOSE, then=".handoff .choice", top=".handoff"), path="/?handoff"),
    Shot(
        "handed-over-phone",
        asked(replies.PARIS, then=".handoff .choice|.handoff .choice.primary"),
        path="/?handoff",
    ),
    Shot("widget-closed-desktop", asked(), DESKTOP, "/host/launcher"),
    Shot("widget-desktop", opened(replies.REST, then=CARD), DESKTOP, "/host/launcher"),
    Shot("widget-phone", opened(), path="/host/launcher"),
    Shot("widget-emergency-phone", opened(replies.NUMB), path="/host/launcher"),
    Shot("search-desktop", asked(replies.REST), DESKTOP, "/host/search"),
    Shot("forced-colours-phone", asked(replies.NUMB), forced=True),
    Shot("forced-colours-answered-phone", asked(replies.REST, then=CARD), forced=True),
    Shot("right-to-left-phone", asked(replies.NUMB), locale="ar"),
    Shot("right-to-left-answered-phone", asked(replies.REST, then=CARD), locale="ar"),
    Shot("german-phone", asked(replies.HEAT), locale="de", path="/?feedback"),
    Shot("german-emergency-phone", asked(replies.NUMB), locale="de"),
    Shot("german-desktop", asked(replies.REST), DESKTOP, locale="de"),
    Shot("spanish-phone", asked(), locale="es"),
    Shot("french-phone", asked(replies.DOSE), locale="fr"),
    Shot("zoom-400", asked(replies.REST), ZOOMED),
]


def take(browser: Browser, shot: Shot) -> bytes:
    """Return one picture as a PNG with a palette."""
    with serving(FakeService(embeds=dict(EMBEDS))) as service:
        context = browser.new_context(
            viewport={"width": shot.size[0], "height": shot.size[1]},
            color_scheme="dark" if shot.dark else "light",
            forced_colors="active" if shot.forced else "none",
            reduced_motion="no-preference" if "stream" in shot.name else "reduce",
            locale="en-GB",
        )
        page = context.new_page()
        page.goto(f"{service.url}{shot.path}{'&' if '?' in shot.path else '?'}locale={shot.locale}")
        page.locator(".strip p").wait_for(state="attached")
        shot.act(page, service)
        page.wait_for_timeout(300)
        taken = page.screenshot()
        context.close()
    out = io.BytesIO()
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(192, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Take every picture anew, and remove those that no state names any more."""
    wanted = {f"{shot.name}.png" for shot in SHOTS}
    for old in IMAGES.glob("*.png"):
        if old.name not in wanted:
            old.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for shot in SHOTS:
            (IMAGES / f"{shot.name}.png").write_bytes(take(browser, shot))
        browser.close()


if __name__ == "__main__":
    main()
