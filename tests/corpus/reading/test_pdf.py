import io
import textwrap
from pathlib import Path

import matplotlib as mpl
import pypdf
import pytest

mpl.use("Agg")

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from corpus.errors import UnreadableDocumentError
from corpus.reading.pdf import read_pdf
from corpus.reading.pdf_lines import join_lines
from tests.corpus.reading.invariants import check_document, outline

_Line = tuple[str, float]


def _made(pages: list[list[_Line]], *, foot: str = "", title: str = "") -> bytes:
    """Draw pages with matplotlib: lines of text with their sizes, from the top."""
    buffer = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(buffer, metadata={"Title": title} if title else None) as book:
        for number, lines in enumerate(pages, 1):
            figure, y = Figure(figsize=(6, 8)), 0.92
            for text, size in lines:
                y -= size * 1.4 / 576 if text else 0.02
                figure.text(0.1, y, text, fontsize=size)
            if foot:
                figure.text(0.45, 0.04, foot.replace("#", str(number)), fontsize=8)
            book.savefig(figure)
    return buffer.getvalue()


def _paragraph(text: str) -> list[_Line]:
    return [(line, 10.0) for line in [*textwrap.wrap(text, 58), ""]]


_HEAT = "The lamp grows warm after an hour, so leave a hand's width between the shade and the curtain at all times."
_BULB = "Unplug the lamp before you change the bulb and wait for ten minutes until the glass is cool to the touch."
_TORN = "A paragraph that begins on the first page and is long enough to go on behind the page break because"


def test_a_printed_web_page_keeps_headings_and_pages(files: Path) -> None:
    document = read_pdf((files / "printed_page.pdf").read_bytes(), "printed_page.pdf")
    check_document(document)
    assert document.title == "Looking after your desk"
    assert outline(document) == [
        ((), 1),
        (("Every week",), 1),
        (("Every year", "Oiling"), 2),
        (("Every year", "Screws"), 2),
        (("Spare parts",), 3),
    ]
    texts = [section.span.slice(document.marked.text) for section in document.marked.sections]
    assert texts[0] == (
        "The top of the desk is oiled wood. It takes a hot cup without a mark, but water that stands on it for an hour "
        "leaves a ring that only sanding removes."
    )
    assert "Use 5 ml of soap for a litre of water, and never a sponge with a rough side" in texts[1]
    assert texts[3].endswith("has a loose screw in one of its four corners.")
    assert "Drawer runner D-204" in texts[4]


@pytest.mark.parametrize("furniture", ["localhost", "1/3", "11/22/26", "PM"])
def test_a_browsers_page_heads_and_feet_stay_out(furniture: str, files: Path) -> None:
    assert furniture not in read_pdf((files / "printed_page.pdf").read_bytes(), "a.pdf").marked.text


def test_a_printed_article_with_contents_at_its_top_keeps_its_headings_where_they_are(files: Path) -> None:
    document = read_pdf((files / "clinic_blog.pdf").read_bytes(), "clinic_blog.pdf")
    check_document(document)
    assert document.title == "Five ways to lift a parcel safely"
    assert outline(document) == [
        ((), 1),
        (("Plan the way",), 1),
        (("Get a grip",), 1),
        (("Get a grip", "Weights for one person"), 1),
        (("When not to lift",), 1),
    ]
    texts = [section.span.slice(document.marked.text) for section in document.marked.sections]
    assert "In this article\n\n- Plan the way\n- Get a grip\n- When not to lift\n\nA parcel that weighs" in texts[0]
    assert texts[2].startswith(
        "1. Stand close, feet as wide as your shoulders.\n2. Bend your knees and take two opposite corners.\n"
        "- Gloves help with wet cardboard.\n- Straps help above 20 kg.\n3. Rise with your legs;"
    )
    assert texts[4].endswith("Ask your doctor first.")


def test_a_browsers_page_head_and_foot_stay_out_of_a_single_page(files: Path) -> None:
    document = read_pdf((files / "hospital_faq.pdf").read_bytes(), "hospital_faq.pdf")
    assert outline(document) == [
        ((), 1),
        (("Frequently asked questions",), 1),
        (("Frequently asked questions", "Leaving the hospital"), 1),
    ]
    assert "localhost" not in document.marked.text
    assert "11/29/26" not in document.marked.text
    assert document.marked.text.endswith("This site uses cookies. OK")  # it is printed, so it is on the page


def test_a_manual_exported_by_an_office_program(files: Path) -> None:
    document = read_pdf((files / "office_manual.pdf").read_bytes(), "office_manual.pdf")
    check_document(document)
    assert (document.title, document.published) == ("Looking after your desk", "2026-11-22")
    assert outline(document) == [
        ((), 1),
        (("Every week",), 1),
        (("Every year", "Oiling"), 1),
        (("Every year", "Screws"), 1),
        (("Spare parts",), 1),
    ]
    assert "- Leave the drawers open for a quarter of an hour." in document.marked.text


def test_sizes_and_gaps_make_headings_and_paragraphs() -> None:
    pages = [
        [("Lamp leaflet", 20), ("", 10), ("Heat", 14), *_paragraph(_HEAT), ("Bulbs", 14), *_paragraph(_BULB)],
        [("Cleaning", 14), *_paragraph(_HEAT), *_paragraph(_BULB)],
    ]
    document = read_pdf(_made(pages, foot="Lamp leaflet, page #"), "a.pdf")
    check_document(document)
    assert document.title == "Lamp leaflet"
    assert outline(document) == [(("Heat",), 1), (("Bulbs",), 1), (("Cleaning",), 2)]
    assert document.marked.text == (
        f"Lamp leaflet\n\nHeat\n\n{_HEAT}\n\nBulbs\n\n{_BULB}\n\nCleaning\n\n{_HEAT}\n\n{_BULB}"
    )


def test_a_section_ends_with_its_page_and_a_torn_paragraph_stays_whole() -> None:
    pages = [
        [("Lamps", 16), *_paragraph(_HEAT), *_paragraph(_TORN)],
        [*_paragraph("the page is full."), *_paragraph(_BULB)],
    ]
    document = read_pdf(_made(pages), "a.pdf")
    assert outline(document) == [((), 1), ((), 2)]
    first, second = (section.span.slice(document.marked.text) for section in document.marked.sections)
    assert first == f"{_HEAT}\n\n{_TORN} the page is full."
    assert second == _BULB


def test_bullets_and_numbers_begin_items() -> None:
    lines = ["You need:", "", "• a cloth", "• a drop of soap", "", "1. Unplug.", "2. Wipe.", "10. Dry."]
    text = read_pdf(_made([[(line, 10) for line in lines]]), "a.pdf").marked.text
    assert text == "You need:\n\n- a cloth\n- a drop of soap\n1. Unplug.\n2. Wipe.\n10. Dry."


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (["one", "two"], "one two"),
        (["the exam\x02", "ple ends"], "the example ends"),
        (["the exam-", "ple ends"], "the example ends"),
        (["a self-", "limiting pain"], "a self-limiting pain"),
        (["over-the-", "counter"], "over-the-counter"),
        (["pages 3-", "5 of it"], "pages 3- 5 of it"),
        (["the L4\x02", "L5 disk"], "the L4-L5 disk"),
        (["Back-", "Pain"], "Back- Pain"),
        (["end\x02"], "end-"),
    ],
)
def test_words_cut_at_line_ends(lines: list[str], joined: str) -> None:
    assert join_lines(lines) == joined


def test_title_date_and_licence_of_the_metadata() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(_made([_paragraph(_HEAT)])))
    writer.add_metadata({"/Title": "Lamps at home", "/ModDate": "D:20240229101112Z"})
    buffer = io.BytesIO()
    writer.write(buffer)
    document = read_pdf(buffer.getvalue(), "a.pdf")
    assert (document.title, document.published) == ("Lamps at home", "2024-02-29")


@pytest.mark.parametrize("title", ["Microsoft Word - leaflet_v3.docx", "untitled", "leaflet.indd", "Document1"])
def test_a_title_that_a_program_made_up_is_none(title: str) -> None:
    assert read_pdf(_made([_paragraph(_HEAT)], title=title), "a.pdf").title == ""


def test_a_locked_file_is_refused() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(_made([_paragraph(_HEAT)])))
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(UnreadableDocumentError, match="locked with a password; save a copy without one"):
        read_pdf(buffer.getvalue(), "a.pdf")


def test_pages_without_text_are_refused() -> None:
    with pytest.raises(UnreadableDocumentError, match=r"run text recognition \(OCR\)"):
        read_pdf(_made([[], []]), "a.pdf")


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(UnreadableDocumentError, match="damaged PDF"):
        read_pdf(b"%PDF-1.7\nnothing", "a.pdf")
