from pathlib import Path

import pytest

from corpus.errors import UnreadableDocumentError
from corpus.reading.html import read_article, read_html
from tests.corpus.reading.invariants import check_document, outline

_FURNITURE = [
    "cookie", "Accept all", "menu", "Home", "Search", "Related", "oil a wheel", "Share", "newsletter", "outbox",
    "Copyright", "Privacy", "tracking",
]  # fmt: skip


def test_a_saved_page_keeps_headings_lists_and_tables(files: Path) -> None:
    document = read_html((files / "saved_page.html").read_bytes(), "saved_page.html")
    check_document(document)
    assert document.title == "Assembling your chair"
    assert document.url == "https://help.example.org/chairs/assembling-your-chair"
    assert document.publisher == "Example Chairs Help"
    assert document.published == "2025-03-14"
    assert document.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert [(section.heading_path, section.anchor) for section in document.marked.sections] == [
        ((), None),
        (("Before you start",), "before-you-start"),
        (("Putting it together",), "steps"),
        (("Putting it together", "Fitting the arms"), "arms"),
        (("Sizes and weights",), "sizes"),
        (("If a part is missing",), "help"),
    ]
    texts = [section.span.slice(document.marked.text) for section in document.marked.sections]
    assert texts[1].endswith(
        "You need:\n\n- the hexagonal key from the bag\n- a screwdriver with a flat tip\n"
        "- a second person for the back, which weighs 4.5 kg"
    )
    assert texts[2] == (
        "1. Push the five wheels into the base until each of them clicks.\n"
        "2. Set the gas spring on the base, the narrow end up.\n"
        "3. Lower the seat onto the spring. If it wobbles:\n"
        "- lift the seat off,\n"
        "- turn it by a quarter, and set it down again.\n"
        "4. Fix the back with four screws; tighten them only when all four are in."
    )
    assert "A gap < 2 mm between arm and seat is normal; a gap of x>5 mm is not." in texts[3]
    assert texts[4] == ("Model | Seat height | Highest load\nBirch | 42 to 51 cm | 110 kg\nOak | 44 to 56 cm | 130 kg")


@pytest.mark.parametrize("furniture", _FURNITURE)
def test_menus_banners_and_footers_stay_out(furniture: str, files: Path) -> None:
    text = read_html((files / "saved_page.html").read_bytes(), "saved_page.html").marked.text
    assert furniture.casefold() not in text.casefold()


@pytest.mark.parametrize("hidden", ["the chair flies", "900 kg", "decoration"])
def test_hidden_text_is_not_read(hidden: str, files: Path) -> None:
    assert hidden not in read_html((files / "saved_page.html").read_bytes(), "saved_page.html").marked.text


def test_a_page_without_article_tags_in_an_old_encoding(files: Path) -> None:
    document = read_html((files / "plain_site.html").read_bytes(), "plain_site.html")
    check_document(document)
    assert document.title == "Warranty for lamps"
    assert outline(document) == [
        ((), None),
        (("What is covered",), None),
        (("What is not covered",), None),
        (("How to send a lamp",), None),
    ]
    assert "together with the lamp’s card." in document.marked.text
    assert "- the switch and the cable,\n- the arm, if it sinks by itself,\n- the foot" in document.marked.text
    assert "Pack it without the bulb.\nPut the receipt on top." in document.marked.text
    for furniture in ["cookies", "partners", "Sale", "Press office", "third one for free"]:
        assert furniture not in document.marked.text


def test_headings_and_lists_between_paragraphs_survive_on_a_plain_page(files: Path) -> None:
    document = read_html((files / "printed_page.html").read_bytes(), "printed_page.html")
    assert outline(document) == [
        ((), None),
        (("Every week",), None),
        (("Every year", "Oiling"), None),
        (("Every year", "Screws"), None),
        (("Spare parts",), None),
    ]
    assert "- Lift the lamp before you wipe, do not push it.\n- Wipe along the grain" in document.marked.text


@pytest.mark.parametrize(
    "hiding",
    [
        'style="display:none"',
        'style="color:red; DISPLAY : NONE !important"',
        'style="visibility: hidden"',
        'style="opacity: 0;"',
        'style="font-size:0px"',
        'style="position:absolute; left:-9999px"',
        'style="text-indent:-10000px"',
        "hidden",
        'hidden=""',
        'aria-hidden="true"',
    ],
)
def test_every_way_of_hiding_hides(hiding: str) -> None:
    article = read_article(f"<p>Shown words.</p><div {hiding}><p>Hidden words.</p></div>tail".encode(), "a")
    assert article.marked.text == "Shown words.\n\ntail"


def test_text_that_is_only_pale_or_small_stays() -> None:
    html = '<p style="opacity:0.5">Pale.</p><p style="font-size:0.9em">Small.</p><p style="left:-1px">Moved.</p>'
    assert read_article(html.encode(), "a").marked.text == "Pale.\n\nSmall.\n\nMoved."


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One<p>Two", "One\n\nTwo"),
        ("<div>Loose<br>lines<br><br>and a gap</div>", "Loose\nlines\n\nand a gap"),
        ("<ol start=4><li>four<li>five</ol>", "4. four\n5. five"),
        ("<ul><li><p>First</p><p>more of it</p></li><li>Second</li></ul>", "- First\nmore of it\n- Second"),
        ("<ul><li>a<ol><li>b<li>c</ol></li><li>d</ul>", "- a\n1. b\n2. c\n- d"),
        ("<table><tr><td>Only a frame<p>around text</table>", "Only a frame\n\naround text"),
        ("<table><tr><th>a<th>b<tr><td>1<br>2<td>3</table>", "a | b\n1 2 | 3"),
        ("<table><caption>Sizes</caption><tr><td>a<td>b</table>", "Sizes\n\na | b"),
        ("<pre>x = 1\n  y = 2</pre>", "x = 1\ny = 2"),
        ("<p>H<sub>2</sub>O and 5&nbsp;mg &lt; 6&thinsp;mg *not* _marked_</p>", "H2O and 5 mg < 6 mg *not* _marked_"),
        ("<p>Keep <a href='javascript:x()'>the words</a> of links</p>", "Keep the words of links"),
        ("<p>a<script>evil()</script>b<style>p{}</style>c</p>", "abc"),
        ("<p>gone <del>old</del>new</p>", "gone new"),
        ("<blockquote>Said<footer>Someone</footer></blockquote>", "Said\n\nSomeone"),
        ("plain words", "plain words"),
        ("<p>שלום 😀 \u202eabc</p>", "שלום 😀 abc"),
    ],
)
def test_fragments(html: str, text: str) -> None:
    article = read_article(html.encode(), "a")
    check_document(article)
    assert article.marked.text == text


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("iso-8859-1", "cp1252"), ("windows-1251", "cp1251"), ("shift_jis", "shift_jis"), ("utf-8", "utf-8")],
)
def test_a_declared_encoding_is_used(declared: str, encoding: str) -> None:
    words = {"cp1252": "Rücken – “Größe”", "cp1251": "Боль в спине", "shift_jis": "腰の痛み", "utf-8": "Rücken"}[
        encoding
    ]
    html = f'<html><head><meta charset="{declared}"></head><body><p>{words}</p></body></html>'
    assert read_html(html.encode(encoding), "a.html").marked.text == words


def test_utf8_wins_over_a_wrong_declaration() -> None:
    html = '<html><head><meta charset="iso-8859-1"></head><body><p>Rücken</p></body></html>'
    assert read_html(html.encode(), "a.html").marked.text == "Rücken"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/relative", "https://user@evil.example/", "http://[x", ""])
def test_only_public_addresses_become_the_url(address: str) -> None:
    html = f'<html><head><link rel="canonical" href="{address}"></head><body><p>Words.</p></body></html>'
    assert read_html(html.encode(), "a.html").url == ""


def test_the_address_that_a_browser_notes_when_saving_is_the_url() -> None:
    html = b"<!DOCTYPE html>\n<!-- saved from url=(0028)https://a.example/page?x=1 -->\n<html><body><p>Words.</p></body></html>"
    assert read_html(html, "a.html").url == "https://a.example/page?x=1"


@pytest.mark.parametrize("html", [b"<html></html>", b"<html><body><script>x</script></body></html>", b"<!-- a -->"])
def test_a_page_without_text_is_refused_with_a_way_out(html: bytes) -> None:
    with pytest.raises(UnreadableDocumentError, match=r"a\.html: there is no text in the page; if a script fills it"):
        read_html(html, "a.html")


_SAVED = {
    "clinic_blog.html": (
        ("Five ways to lift a parcel safely", "Harbour Clinic", "2024-02-19"),
        """A parcel that weighs 12 kg feels light at the door and heavy at the third floor. Here is what our \
physiotherapists tell new couriers in their first week.

# Plan the way

Walk the route once with empty hands. Doors that open toward you, wet steps and a dog are easier to meet without a load.

# Get a grip

1. Stand close, feet as wide as your shoulders.
2. Bend your knees and take two opposite corners.
- Gloves help with wet cardboard.
- Straps help above 20 kg.
3. Rise with your legs; the parcel touches your belly.

“If you cannot see over it, it is a job for two,” says Joanna Reed.

# Get a grip > Weights for one person

Where | Most
Floor to waist | 15 kg
Waist to shelf | 10 kg

# When not to lift

Leave it if your leg is numb, or if you had an operation in the last six weeks. Ask your doctor first.""",
    ),
    "help_centre.html": (
        ("Returning a mattress", "support.nightly.example", "2024-07-02"),
        """You can sleep on it for 100 nights. If it is not for you, we fetch it for free.

# How to start a return

1. Open My orders and choose the mattress.
2. Press Return.
3. Pick a day at least 3 working days ahead.

You will get an e-mail with the window of two hours.

# What we cannot take back

- Covers that were washed
- A mattress with stains

Size | Fee for a second pick-up
Single | 20 euros
Double | 35 euros

Note: outside the mainland the pick-up takes 10 days.

# What we cannot take back > Refunds

The money is back within 14 days after the pick-up.""",
    ),
    "docs_site.html": (
        ("Setting up the desk", "docs.standwell.example", "2024-03-03"),
        """The desk has two motors. Each of them needs a free socket.

# Finding your height

Your elbows should be bent at about 90 degrees. Use M1 to store the height.

tip

Change between sitting and standing every 30 minutes.

# The desk stops half way

Press and hold the down key for 5 seconds until the display shows RST.

# Error codes

Code | Meaning
E01 | Too heavy
E07 | A cable is loose

standwell reset --all
standwell status""",
    ),
    "hospital_faq.html": (
        ("Frequently asked questions", "", "2023-01-01"),
        """Before your stay, please read these answers.

- What should I bring?
- Bring your card, a list of your medicines and soft shoes.
- May I eat before the scan?
- Do not eat for 6 hours before the scan. You may drink water until 2 hours before.
- Who can visit me?
- Two people at a time, from 14:00 to 19:00.

Parking

The first 30 minutes are free; then it costs 2 euros an hour.

# Leaving the hospital

A nurse goes through your letter with you.
Ask for a taxi at the front desk.

Call 555-0199 if the wound is red or hot.""",
    ),
}


@pytest.mark.parametrize("name", _SAVED)
def test_pages_as_clinics_and_help_desks_make_them_give_their_text_and_nothing_else(name: str, files: Path) -> None:
    document = read_html((files / name).read_bytes(), name)
    check_document(document)
    known, text = _SAVED[name]
    assert (document.title, document.publisher, document.published) == known
    sections = [
        f"# {' > '.join(section.heading_path)}\n\n" * bool(section.heading_path)
        + section.span.slice(document.marked.text)
        for section in document.marked.sections
    ]
    assert "\n\n".join(sections) == text


def test_the_name_of_a_box_of_links_goes_with_the_box_and_a_short_line_of_the_text_stays() -> None:
    words = "The lamp grows warm after an hour, so leave a hand's width between shade and curtain. " * 4
    page = (
        "<html><body><main><article><h1>Lamp</h1><div class='toc'><p>On this page</p><ul><li><a href='#a'>Heat</a></li>"
        f"<li><a href='#b'>Bulbs</a></li></ul></div><p>{words}</p><p>Weight 2 kg</p><p>{words}</p></article></main>"
    )
    text = read_html(page.encode(), "lamp.html").marked.text
    assert "On this page" not in text
    assert "Weight 2 kg" in text
