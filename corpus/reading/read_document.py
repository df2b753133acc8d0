"""What every reader hands over: one document's text with all that the file says about itself.

The record crosses a pipe between the sandbox and us, so it can be turned into JSON and back. The way back trusts
nothing: the other side has just parsed a stranger's file.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from corpus.normalising import normalise
from corpus.reading.markdown import MarkedText
from corpus.records import Section, Span

_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_SHORT = 300
_LONGEST_URL = 2_000


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """One document as a reader found it.

    Attributes:
        name: The file's name, relative to the folder that was read; an entry of a file has ``#`` and its place behind.
        title: Title, "" where the file has none.
        url: Public http(s) address, else "".
        publisher: Who says it, else "".
        published: YYYY, YYYY-MM or YYYY-MM-DD, else "".
        licence: Licence or its address, else "".
        marked: Text and sections.
        media_type: What the content is, whatever the extension says.
        external_id: Id in the system that the document comes from, else "".
    """

    name: str
    title: str
    url: str
    publisher: str
    published: str
    licence: str
    marked: MarkedText
    media_type: str
    external_id: str = ""


def short_line(value: object, limit: int = _SHORT) -> str:
    """Return a string from outside as one normalised line of at most ``limit`` characters; other values give ""."""
    if not isinstance(value, str):
        return ""
    line = normalise(" ".join(value[: 4 * limit].split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def public_url(value: object) -> str:
    """Return an absolute http(s) address without user information, or ""."""
    line = value.strip() if isinstance(value, str) else ""
    if len(line) > _LONGEST_URL or not line.isprintable() or re.search(r"[\s\"<>\\^`{|}]", line):
        return ""
    try:
        parts = urlsplit(line)
    except ValueError:
        return ""
    return line if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc else ""


def iso_date(value: object) -> str:
    """Return the ISO date that ``value`` starts with, as exact as it is, or ""."""
    match = _DATE.match(value.strip()) if isinstance(value, str) else None
    return match[0] if match else ""


def document_to_json(document: ReadDocument) -> dict[str, object]:
    """Return a form of ``document`` that JSON can carry."""
    marked = document.marked
    return {
        "name": document.name,
        "title": document.title,
        "url": document.url,
        "publisher": document.publisher,
        "published": document.published,
        "licence": document.licence,
        "media_type": document.media_type,
        "external_id": document.external_id,
        "text": marked.text,
        "marked_title": marked.title,
        "sections": [[list(s.heading_path), s.span.start, s.span.end, s.anchor, s.page] for s in marked.sections],
        "comments": [[span.start, span.end, comment] for span, comment in marked.comments],
    }


def document_from_json(payload: object) -> ReadDocument:
    """Rebuild a document from ``document_to_json``'s form.

    Raises:
        ValueError: the payload is not such a form, or its spans do not fit its text.
    """
    if not isinstance(payload, dict):
        raise ValueError("not a document")  # noqa: TRY004 - one error for every malformed payload
    text = _string(payload.get("text"))
    if normalise(text) != text:
        raise ValueError("the text is not normalised")
    sections = tuple(_section(row, len(text)) for row in _rows(payload.get("sections"), 5))
    comments = tuple(
        (_span(start, end, len(text)), _string(comment)) for start, end, comment in _rows(payload.get("comments"), 3)
    )
    return ReadDocument(
        name=_string(payload.get("name")),
        title=short_line(payload.get("title")),
        url=public_url(payload.get("url")),
        publisher=short_line(payload.get("publisher")),
        published=iso_date(payload.get("published")),
        licence=short_line(payload.get("licence")),
        marked=MarkedText(_string(payload.get("marked_title")), text, sections, comments),
        media_type=_string(payload.get("media_type")),
        external_id=short_line(payload.get("external_id")),
    )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a string is missing")  # noqa: TRY004 - one error for every malformed payload
    return value


def _rows(value: object, width: int) -> list[list[object]]:
    if not isinstance(value, list) or not all(isinstance(row, list) and len(row) == width for row in value):
        raise ValueError("a list is missing")
    return value


def _span(start: object, end: object, length: int) -> Span:
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end <= length):
        raise ValueError("a span does not fit the text")
    return Span(start, end)


def _section(row: list[object], length: int) -> Section:
    path, start, end, anchor, page = row
    if not isinstance(path, list) or not (anchor is None or isinstance(anchor, str)):
        raise ValueError("a section is malformed")
    if not (page is None or (isinstance(page, int) and page >= 1)):
        raise ValueError("a page number is malformed")
    return Section(tuple(_string(heading) for heading in path), _span(start, end, length), anchor, page)
