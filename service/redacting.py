"""Takes out what names a person or opens a door before a text leaves where it was written."""

import re
from typing import Final

_RULES: Final = (
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\b(?:bl|sk|pk|ghp|gho|whsec|xox[abps]|AKIA|eyJ)[_A-Z-]?[\w.+/=-]{12,}"), "[key]"),
    (re.compile(r"\b(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[\w-]{20,}\b"), "[key]"),
    (re.compile(r"\b(?=(?:[A-Z-]*\d){4})[A-Z]{1,4}[ -]?[\dA-Z-]{5,}\b"), "[number]"),
    (re.compile(r"(?<![\w.])\+?\(?\d(?:[\s().\-/]{0,2}\d){6,}(?!\w)"), "[number]"),
)


def redact(text: str) -> str:
    """Replace e-mail addresses, keys, telephone and member numbers by what they were."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text
