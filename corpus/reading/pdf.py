"""PDF into text with sections that know their page."""

import io
import itertools
import re
from typing import TYPE_CHECKING, Any

from corpus.errors import UnreadableDocumentError
from corpus.reading.blocks import Block, mark_blocks
from corpus.reading.pdf_lines import (
    Bookmarks,
    Line,
    body_size,
    heading_levels,
    join_lines,
    outline_key,
    page_blocks,
    page_lines,
    with_bullets,
    without_running_heads,
)
from corpus.reading.read_document import ReadDocument, short_line

if TYPE_CHECKING:
    import pypdfium2

MEDIA_TYPE = "application/pdf"

_PAGES = 3_000
_BOOKMARKS = 5_000
_SHAPES = 2_000
_LARGEST_BULLET = 12.0
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)")
_JUNK_TITLE = re.compile(
    r"(?i)untitled.*|microsoft word - .*|.*\.(docx?|pdf|indd|odt|html?|pptx?|pages|tex)|document\d*"
)
_NOTHING = "its pages are pictures without text; run text recognition (OCR) over them first"
_ENDS = tuple('.!?:;…”"')


def read_pdf(content: bytes, name: str) -> ReadDocument:
    """Read a PDF: headings by bookmarks and sizes, paragraphs by gaps; running heads and page numbers stay out.

    A paragraph that goes on behind a page break belongs to the page that it begins on.

    Raises:
        UnreadableDocumentError: the file is damaged or locked, has too many pages, or its pages have no text.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        reason = (
            "it is locked with a password; save a copy without one"
            if locked
            else "it is a damaged PDF; open it in a viewer and print it to a new PDF"
        )
        raise UnreadableDocumentError(name, reason) from None
    if len(document) > _PAGES:
        raise UnreadableDocumentError(name, f"it has {len(document)} pages, more than {_PAGES}; split it")
    pages = [_read_page(document, index, name) for index in range(len(document))]
    body = body_size([line for lines in pages for line in lines])
    pages = without_running_heads(pages, body)
    levels, outlines = heading_levels(pages, body), _outlines(document)
    blocks = [
        block
        for index, lines in enumerate(pages)
        for block in page_blocks(lines, body, levels, outlines.get(index, {}))
    ]
    marked = mark_blocks(_joined(blocks), name, _NOTHING)
    title, publisher, published, licence = _metadata(content)
    return ReadDocument(name, marked.title or title, "", publisher, published, licence, marked, MEDIA_TYPE)


def _read_page(document: "pypdfium2.PdfDocument", index: int, name: str) -> list[Line]:
    import pypdfium2

    try:
        page = document[index]
        lines = with_bullets(page_lines(page.get_textpage(), index + 1), _drawn(page))
        page.close()
    except pypdfium2.PdfiumError:
        reason = f"page {index + 1} is damaged; open the file in a viewer and print it to a new PDF"
        raise UnreadableDocumentError(name, reason) from None
    return lines


def _drawn(page: "pypdfium2.PdfPage") -> list[tuple[float, float, float, float]]:
    """Return left, bottom, right and top of what is drawn on a page, as far as it may be bullets."""
    import pypdfium2.raw as pdfium

    shapes = itertools.islice(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH]), _SHAPES)
    return [bounds for bounds in (shape.get_bounds() for shape in shapes) if bounds[2] - bounds[0] < _LARGEST_BULLET]


def _outlines(document: "pypdfium2.PdfDocument") -> dict[int, Bookmarks]:
    """Return for each page index the bookmarks that lead there, with their levels from 1."""
    found: dict[int, Bookmarks] = {}
    for count, bookmark in enumerate(document.get_toc(max_depth=6)):
        if count == _BOOKMARKS:
            break
        destination = bookmark.get_dest()
        index = destination.get_index() if destination else None
        if index is not None:
            entries = found.setdefault(index, {}).setdefault(outline_key(bookmark.get_title()), [])
            entries.append((bookmark.level + 1, _height(destination)))
    return found


def _height(destination: Any) -> float | None:
    """Return where on its page a bookmark leads, if it says so: of the ways to say it the one that all programs use."""
    import pypdfium2.raw as pdfium

    mode, place = destination.get_view()
    return float(place[1]) if mode == pdfium.PDFDEST_VIEW_XYZ and len(place) > 1 and place[1] else None


def _joined(blocks: list[Block]) -> list[Block]:
    """Glue items to items, and join what a page break tore apart."""
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if last is not None and _goes_on(last, block):
            joined[-1] = Block(join_lines([last.text, block.text]), glued=last.glued, page=last.page)
        else:
            glued = block.glued and last is not None and (last.text.startswith("- ") or last.text[:1].isdigit())
            joined.append(Block(block.text, block.level, glued, block.page))
    return joined


def _goes_on(last: Block, block: Block) -> bool:
    apart = last.page != block.page and not last.level and not block.level and not block.glued
    return apart and not last.text.endswith(_ENDS) and block.text[:1].islower()


def _metadata(content: bytes) -> tuple[str, str, str, str]:
    """Return title, publisher, date and licence as far as the file states them; a broken entry costs only itself."""
    import pypdf

    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        found, extended = reader.metadata, reader.xmp_metadata
    except Exception:  # noqa: BLE001 - the text is read already: nothing in the metadata may cost it
        return "", "", "", ""
    entries: dict[str, Any] = dict(found) if found else {}
    title = short_line(_plain(entries.get("/Title")))
    date = _DATE.match(_plain(entries.get("/ModDate")) or _plain(entries.get("/CreationDate")))
    publishers = extended.dc_publisher if extended else None
    rights = extended.dc_rights if extended else None
    return (
        "" if _JUNK_TITLE.fullmatch(title) else title,
        short_line(publishers[0]) if publishers else "",
        "-".join(date.groups()) if date else "",
        short_line(next(iter(rights.values()))) if rights else "",
    )


def _plain(value: Any) -> str:
    """Return a metadata string; other objects of a PDF give ""."""
    return str(value) if isinstance(value, str) else ""
