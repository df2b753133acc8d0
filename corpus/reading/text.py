"""Bytes to text, and plain text to a document.

Guessing an encoding wrongly is silent: the letters turn into others, and the quotes of the answers with them. So only
what can be told for sure is accepted: a byte order mark, strict UTF-8, the pattern of zeros that UTF-16 makes of
Western text, and Windows-1252 where the text is no UTF-8 at all. Text that is nearly UTF-8 is refused with the place.
"""

import codecs
import re

from corpus.errors import UnreadableDocumentError
from corpus.normalising import normalise
from corpus.reading.markdown import MarkedText, read_markdown, read_plain_text
from corpus.reading.read_document import ReadDocument, iso_date, public_url, short_line

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the other's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 4_096
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_CONTROLS_ALLOWED = 0.001
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*\r?\n", re.DOTALL)
_FIELD = re.compile(r"([A-Za-z_]+)[ \t]*:[ \t]*(.+)")


def decode_text(content: bytes, name: str, declared: str | None = None) -> str:
    """Decode a text file.

    Args:
        content: The file.
        name: Name for the error message.
        declared: Encoding that the file or its server names; used where the text is no UTF-8.

    Returns:
        The text without byte order mark; stray control characters are still in it.

    Raises:
        UnreadableDocumentError: the encoding cannot be told, the text breaks it, or it is no text.
    """
    text = _decode(content, name, declared)
    if len(_CONTROL.findall(text)) > _CONTROLS_ALLOWED * len(text) + 1:
        raise UnreadableDocumentError(name, "it is no text: it holds binary data; save it as UTF-8 text")
    return text


def read_text(content: bytes, name: str) -> ReadDocument:
    """Read plain text as one section; the title is not guessed.

    Raises:
        UnreadableDocumentError: the file is empty or no text.
    """
    marked = read_plain_text(decode_text(content, name), name)
    return ReadDocument(name, "", "", "", "", "", marked, "text/plain")


def read_markdown_file(content: bytes, name: str) -> ReadDocument:
    """Read Markdown; the fields of a front matter (``title: …``) say what the text does not.

    Raises:
        UnreadableDocumentError: the file is empty or no text.
    """
    text = decode_text(content, name)
    fields = _front_matter(text)
    marked = _settled(read_markdown(text, name), name)
    return ReadDocument(
        name=name,
        title=short_line(fields.get("title")) or marked.title,
        url=public_url(fields.get("url")),
        publisher=short_line(fields.get("publisher")),
        published=iso_date(fields.get("published") or fields.get("date")),
        licence=short_line(fields.get("licence") or fields.get("license")),
        marked=marked,
        media_type="text/markdown",
        external_id=short_line(fields.get("id")),
    )


def _decode(content: bytes, name: str, declared: str | None) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strict(content[len(mark) :], encoding, name)
    guess = _utf16_without_mark(content[:_SAMPLE])
    if guess:
        return _strict(content, guess, name)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if declared not in {None, "utf-8"}:
            return _strict(content, str(declared), name)
        if not _nearly_utf8(content):
            return _strict(content, "cp1252", name)
        raise UnreadableDocumentError(name, _place(content, error.start, "UTF-8")) from None


def _strict(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        shown = {"cp1252": "UTF-8, UTF-16 or Windows-1252"}.get(encoding, encoding.upper())
        raise UnreadableDocumentError(name, _place(content, error.start, shown)) from None


def _place(content: bytes, position: int, encoding: str) -> str:
    line = content.count(b"\n", 0, position) + 1
    return f"byte {position + 1} (line {line}) is not {encoding}; save the file as UTF-8 text"


def _utf16_without_mark(sample: bytes) -> str | None:
    """Recognise UTF-16 by its zeros: Western text has them in every other byte and nowhere else."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if half and odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if half and even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _nearly_utf8(content: bytes) -> bool:
    """Whether more bytes above ASCII form UTF-8 sequences than not: then it is damaged UTF-8 and no other encoding."""
    text = content.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    sequences = sum(len(run) for run in re.findall(r"[^\x00-\x7f\ufffd]+", text))
    return sequences >= broken


def _front_matter(text: str) -> dict[str, str]:
    match = _FRONT_MATTER.match(text)
    lines = match[1].splitlines() if match else []
    fields = (_FIELD.fullmatch(line.strip()) for line in lines)
    return {field[1].lower(): field[2].strip().strip("\"'") for field in fields if field}


def _settled(marked: MarkedText, name: str) -> MarkedText:
    """Refuse a text whose parts fit together to something that normalising would change again."""
    if normalise(marked.text) != marked.text:
        raise UnreadableDocumentError(name, "its characters cannot be put into one form; save it as plain text")
    return marked
