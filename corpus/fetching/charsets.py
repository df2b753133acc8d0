"""Tells in which encoding a page is written, from its bytes, its server and its own word, in that order of trust.

Servers often name an encoding for all their pages at once, wrongly. Text that holds letters beyond ASCII and is valid
UTF-8 is UTF-8 whatever is said about it: another encoding hits its pattern by accident almost never.
"""

import codecs
import re
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_:.-]{1,40})[\"']")
_META_BYTES: Final = 4_096
_SAME: Final = {
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "us-ascii": "cp1252",  # browsers read these three so
    "ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "x-cp1252": "cp1252",
    "macintosh": "mac_roman",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
}
_WIDE: Final = frozenset({"cp932", "gb18030", "big5hkscs", "cp949", "euc-jp", "iso-2022-jp"})
_KNOWN = re.compile(
    r"utf-8|utf-16(?:le|be)?|iso-8859-(?:[2-9]|1[0134567])|cp874|cp125[0-8]|koi8-[ru]|euc-jp"
    r"|iso-2022-jp|gb18030"
)


def tell_charset(content: bytes, header: str, *, markup: bool) -> str | None:
    """Return the name of an encoding in which the whole content decodes strictly; None if none can be told.

    Args:
        content: The page.
        header: Encoding that the server names; empty if it names none.
        markup: Whether the page may name its encoding itself (HTML, XML).
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding if _decodes(content, encoding) else None
    declared = [known for known in (_known(header), _own_word(content) if markup else None) if known]
    if _decodes(content, "utf-8") and not content.isascii() and not (declared and declared[0] in _WIDE):
        return "utf-8"
    for encoding in declared:
        if _fits(content, encoding):
            return encoding
    if content.isascii():
        return "utf-8"
    return "cp1252" if not _nearly_utf8(content) and _decodes(content, "cp1252") else None


def _own_word(content: bytes) -> str | None:
    match = _DECLARATION.match(content) or _META.search(content, 0, _META_BYTES)
    known = _known(match[1].decode("ascii")) if match else None
    return "utf-8" if known and known.startswith("utf-16") else known  # its word could not be read in UTF-16


def _known(label: str) -> str | None:
    """Return the codec for a label of the web; Python knows more codecs than are safe or meant for text."""
    name = label.strip().strip("\"'").lower()
    name = _SAME.get(name, name)
    name = name.replace("windows-", "cp")
    return name if name in _SAME.values() or _KNOWN.fullmatch(name) else None


def _fits(content: bytes, encoding: str) -> bool:
    if encoding.startswith("utf-16") and b"\x00" not in content:
        return False  # markup and Western text have zeros there; without any it is a wrong word of the server
    if not encoding.startswith("utf-") and encoding not in _WIDE and _nearly_utf8(content):
        return False
    return _decodes(content, encoding)


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeError:
        return False
    return True


def _nearly_utf8(content: bytes) -> bool:
    """Say whether most of what is not ASCII is good UTF-8: read in another way, good letters would turn to bad."""
    text = content.decode("utf-8", errors="replace")
    bad = text.count("�")
    good = sum(letter > "\x7f" for letter in text) - bad
    return good > bad
