"""Clean-up that happens once, before any offset exists."""

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Soft hyphens, zero-width characters, bidirectional controls and tag characters: they hide text from readers."""

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SPACES = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def normalise(text: str) -> str:
    r"""Return ``text`` in the one form that is stored, hashed and cited.

    NFC; every kind of line end becomes ``\n``; control, zero-width and bidirectional characters go; a lone surrogate,
    which UTF-8 cannot store, becomes ``?``; runs of blanks become one space; at most one empty line in a row; no
    blanks at the ends of lines or of the text. Applying it twice changes nothing.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = _INVISIBLE.sub("", _CONTROLS.sub("", text))
    text = unicodedata.normalize("NFC", text)
    lines = [_SPACES.sub(" ", line).strip() for line in text.split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
