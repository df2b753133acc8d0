"""Tells by its content what a file is; the extension only decides between kinds that look alike.

The list of kinds is closed: what is not on it is refused with its name and a way out. Nothing is unpacked or parsed
here, only the first bytes are looked at.
"""

import json
import re
from pathlib import PurePosixPath
from typing import Literal

from corpus.errors import UnreadableDocumentError

Kind = Literal["pdf", "docx", "html", "markdown", "text", "jsonl", "export"]

HEAD_BYTES = 65_536
READABLE = "Markdown, HTML, PDF, DOCX, plain text, JSONL or an articles export of Zendesk or Freshdesk"

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_HTML = frozenset({".html", ".htm", ".xhtml"})
_JSONL = frozenset({".jsonl", ".ndjson"})
_TEXT = frozenset({"", ".txt", ".text"})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PAGE = re.compile(r"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_FRAGMENT = re.compile(
    r"<(?:h[1-6]|p|div|article|section|main|body|head|table|ul|ol|meta|title|link)[\s>]", re.IGNORECASE
)
_PREAMBLE = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[{\]])")
_HEADING = re.compile(r"(?:\A|\n[ \t]*\n)#{1,6} \S[^\n]*(?:\n|\Z)")


def tell_kind(head: bytes, name: str) -> Kind:
    """Return what a file is.

    Args:
        head: Its first ``HEAD_BYTES`` bytes.
        name: Its name; the extension is a hint.

    Raises:
        UnreadableDocumentError: the file is empty, or of a kind that is not read.
    """
    extension = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise UnreadableDocumentError(name, "the file is empty; leave it out, or save it again")
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(_ZIP):
        return "docx"
    if head.startswith(_OLE):
        raise UnreadableDocumentError(name, "it is a file of an old office program or locked; save it as DOCX or PDF")
    if head.startswith(b"{\\rtf"):
        raise UnreadableDocumentError(name, "it is RTF; save it as DOCX or PDF")
    sample = _sample(head)
    if sample is None:
        raise UnreadableDocumentError(name, f"it is {_name_binary(head)}; bring {READABLE}")
    return _tell_text(sample, extension, name)


def _sample(head: bytes) -> str | None:
    """Return the head as text, near enough for a look at it, or None for binary data."""
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        text = head.decode("utf-32", errors="replace")
    elif head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", errors="replace")
    else:
        zeros = head[:4096].count(0) > 0.3 * len(head[:4096])  # UTF-16 without a mark: one byte in two is zero
        text = (head.replace(b"\x00", b"") if zeros else head).decode("utf-8", errors="replace")
    text = text.removeprefix("\ufeff")
    return None if len(_CONTROL.findall(text)) > 0.001 * len(text) + 1 else text


def _name_binary(head: bytes) -> str:
    """Name binary data for the message, as far as its first bytes are known."""
    import puremagic

    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return "binary data of no known kind"
    best = found[0]
    known = len(best.byte_match) >= 3 and best.offset == 0 and best.name
    return f"binary data ({best.name})" if known else "binary data of no known kind"


def _tell_text(sample: str, extension: str, name: str) -> Kind:
    start = _PREAMBLE.sub("", sample, count=1)
    if _PAGE.match(start) or (extension in _HTML and not _JSON.match(sample) and _FRAGMENT.search(sample)):
        return "html"
    if extension in _JSONL:
        return "jsonl"
    if extension == ".json" or (extension not in _MARKDOWN and _JSON.match(sample)):
        return "jsonl" if _is_record(sample) else "export"
    if extension in _MARKDOWN:
        return "markdown"
    if sample.lstrip().startswith("<?xml"):
        raise UnreadableDocumentError(name, "it is XML; give a sitemap's address to `backline fetch`, or save as HTML")
    if _FRAGMENT.match(start):
        return "html"
    if extension not in _TEXT:
        hint = (
            f"its content is not what {extension} promises"
            if extension in {".pdf", ".docx"} | _HTML
            else f"{extension[:12]} is not a kind that is read"
        )
        raise UnreadableDocumentError(name, f"{hint}; bring {READABLE}")
    marked = _HEADING.findall(sample)
    return "markdown" if len(marked) > 1 else "text"


def _is_record(sample: str) -> bool:
    """Whether the first line is a document on its own: JSON Lines in a file that is not called so."""
    line = sample.strip().split("\n", 1)[0]
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return "\n" not in sample and '"articles"' not in sample and bool(re.match(r'\{\s*"_id"\s*:', line))
    return isinstance(record, dict) and isinstance(record.get("text"), str)
