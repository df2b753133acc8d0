"""The phrase language of the rules file, and its compiled form.

A phrase is a row of elements with blanks between them:

- ``pee`` a word, as it stands after spelling has been evened out; ``swell*`` any word that starts so;
- ``pee|wee`` either word; ``my?`` may be missing;
- ``_3`` up to three other words may stand here;
- ``<urinate>`` any match of the concept of that name; ``@weeks`` a quantity worked out by the program.
"""

import re
from typing import NamedTuple

from service.triage.errors import RulesError

_WORD = re.compile(r"[^\W_]+\*?")
_GAP = re.compile(r"_(\d{1,2})")
_CONCEPT = re.compile(r"<[a-z][a-z0-9_]*>|@[a-z][a-z0-9_]*")
_MAX_OPTIONAL = 4


class Element(NamedTuple):
    """One element of a phrase.

    Attributes:
        symbol: A concept (``<name>``), a quantity (``@name``) or an alternative of words (``a|b*``).
        gap: How many other words may stand before it.
    """

    symbol: str
    gap: int


def parse_phrase(phrase: str, place: str) -> list[tuple[Element, ...]]:
    """Read one phrase; a phrase with optional elements gives one row for each way to read it.

    Args:
        phrase: The phrase as written in the rules file.
        place: Where it stands, for the error.

    Raises:
        RulesError: the phrase cannot be read.
    """
    rows: list[tuple[Element, ...]] = [()]
    gap, optional = 0, 0
    for part in phrase.split():
        jump = _GAP.fullmatch(part)
        if jump is not None:
            gap = int(jump[1])
            continue
        bare = part.removesuffix("?")
        if not _readable(bare):
            raise RulesError(place, f"cannot read {part!r} in the phrase {phrase!r}")
        longer = [(*row, Element(symbol, gap)) for row in rows for symbol in _alternatives(bare)]
        if bare != part:
            optional += 1
            rows = [*rows, *longer]
        else:
            rows = longer
        gap = 0
    if optional > _MAX_OPTIONAL or any(not row for row in rows):
        raise RulesError(place, f"the phrase {phrase!r} needs at least one fixed word and at most four optional ones")
    return rows


def _readable(part: str) -> bool:
    return all((_CONCEPT if one[:1] in {"<", "@"} else _WORD).fullmatch(one) for one in part.split("|"))


def _alternatives(part: str) -> list[str]:
    """The words of a part as one alternative, and each concept or quantity by itself."""
    ones = part.split("|")
    words = "|".join(one for one in ones if one[0] not in "<@")
    return [*([words] if words else []), *(one for one in ones if one[0] in "<@")]


def words_of(symbol: str) -> tuple[str, ...]:
    """The words of an alternative; none for concepts and quantities."""
    return () if symbol[0] in "<@" else tuple(symbol.split("|"))
