"""Ages, times, temperatures and pulses: what a list of words cannot hold.

Every finder looks a fixed number of tokens to either side, so the cost grows with the text alone.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from service.triage.normalising import Words

QUANTITIES = frozenset(
    {
        "child", "adult", "older", "very_old", "days", "weeks", "hours", "years_ago", "past_year", "hot",
        "fast_pulse", "number", "many", "clock",
    }
)  # fmt: skip

_SMALL = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split(),
        start=1,
    )
}
_NUMBERS = {
    **_SMALL, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "couple": 2, "few": 3, "several": 4, "dozen": 12, "half": 0,
}  # fmt: skip
_DAY, _WEEK, _MONTH, _YEAR = 1.0, 7.0, 30.0, 365.0
_UNITS = {
    "day": _DAY, "days": _DAY, "d": _DAY, "nights": _DAY, "week": _WEEK, "weeks": _WEEK, "month": _MONTH,
    "months": _MONTH, "year": _YEAR, "years": _YEAR, "weekends": _WEEK, "decades": 10 * _YEAR, "decade": 10 * _YEAR,
}  # fmt: skip
_HOURS = frozenset({"hours", "hour", "h", "hr"})
_AGE_UNITS = frozenset({"yo", "yearold", "yrold", "y"})
_KIN = frozenset(
    "mum dad father mother husband wife partner boyfriend girlfriend son daughter brother sister nan nana nanna nanny "
    "gran granny grandma grandmother grandad granddad grandpa grandfather uncle aunt auntie cousin nephew niece "
    "grandson granddaughter friend mate colleague coworker neighbour lad lass boy girl lady man woman male female "
    "child kid toddler teenager stepson stepdaughter brother patient client guy bloke roommate flatmate inlaw law "
    "he she who youngest eldest fiance fiancee boss pensioner builder teacher nurse smoker footballer runner".split()
)
_NO_AGE = frozenset(
    "weeks week w wk months month days day hours hour minutes min kg st stone lb lbs pounds ft feet foot inch inches "
    "cm mm m miles mile km percent mg ml g degrees c f times tablets pills mph reps sets litres pints sessions and "
    "points out to on of or am pm x o clock th st nd rd hr".split()
)
_NOT_COUNTED = frozenset("mg g ml years year months month weeks week days day hours hour minutes am pm times percent".split())
_AGE_BEFORE = frozenset("aged age turned turning".split())
_DECADES = {
    "sixties": 60, "60s": 60, "seventies": 70, "70s": 70, "eighties": 80, "80s": 80, "nineties": 90, "90s": 90,
    "fifties": 50, "50s": 50, "forties": 40, "40s": 40, "thirties": 30, "30s": 30, "twenties": 20, "20s": 20,
}  # fmt: skip
_DECADE_BEFORE = frozenset("my his her their early mid late".split())
_HOT_WORDS = frozenset("temperature fever degrees c f feverish thermometer hot".split())
_PULSE_WORDS = frozenset("hr pulse heart heartbeat bpm rate beats".split())
_CHILD, _OLDER, _VERY_OLD = 18, 55, 75


def find_quantities(words: Words) -> dict[str, list[tuple[int, int]]]:
    """Find every quantity of a text, by name; see ``QUANTITIES``."""
    found: dict[str, list[tuple[int, int]]] = {}
    canon = words.canon
    year = datetime.now(UTC).year
    for place, token in enumerate(canon):
        value = number_of(token)
        if value is None:
            _loose_time(words, place, found)
            decade = _DECADES.get(token)
            if decade is not None and place and canon[place - 1] in _DECADE_BEFORE:
                _note_age(
                    found,
                    decade if decade >= 60 or "late" not in canon[max(0, place - 2) : place] else decade + 7,
                    place,
                )
            continue
        found.setdefault("number", []).append((place, place + 1))
        if 5 <= value < 200 and (place + 1 == len(canon) or canon[place + 1] not in _NOT_COUNTED):
            found.setdefault("many", []).append((place, place + 1))
        if 1900 <= value < year:
            found.setdefault("past_year", []).append((place, place + 1))
        if _is_age(words, place, value):
            _note_age(found, value, place)
        _time(words, place, value, found)
        _body(canon, place, value, found)
    return found


def number_of(token: str) -> float | None:
    """The number a token stands for, in figures or in words up to twenty and the tens."""
    if token.isdigit():
        return float(token) if len(token) < 6 else None
    if token[0].isdigit():
        figures = token.replace(",", ".")
        whole, _, part = figures.partition(".")
        return float(figures) if whole.isdigit() and part.isdigit() and len(token) < 8 else None
    number = _NUMBERS.get(token)
    return None if number is None else float(number)


def _note_age(found: dict[str, list[tuple[int, int]]], age: float, place: int) -> None:
    name = "child" if age < _CHILD else "older" if age >= _OLDER else "adult"
    found.setdefault(name, []).append((place, place + 1))
    if age >= _VERY_OLD:
        found.setdefault("very_old", []).append((place, place + 1))


def _is_age(words: Words, place: int, value: float) -> bool:
    canon = words.canon
    if not 1 <= value <= 110 or value != int(value):
        return False
    after = canon[place + 1 : place + 4]
    if after[:1] and (after[0] in _AGE_UNITS or (after[0] in {"year", "years"} and "old" in after[1:2])):
        return True
    before = canon[max(0, place - 3) : place]
    if after[:1] in (["year"], ["years"]):
        return (
            bool(before)
            and before[-1] in {"of", "aged", "a", "is", "my", "our", "the"}
            and "ago" not in after
            and (before[-1] != "a" or after[0] == "year")
            and not (after[0] == "years" and before[-1] in {"the", "is", "a"})
        )
    if before and before[-1] in _AGE_BEFORE:
        return True
    joined = not words.comma[place + 1] if place + 1 < len(canon) else False
    told = before[-2:] == ["i", "am"] or (len(before) >= 2 and before[-1] == "is" and before[-2] in _KIN)
    if after and joined and after[0] in _NO_AGE:
        return told and after[0] in {"and", "on", "f", "m", "or", "to"}
    if told:
        return value >= 1
    if before and before[-1] in {"just", "only", "nearly", "almost", "now", "about"} and before[-3:-1] == ["i", "am"]:
        return value >= 3
    if before and before[-1] in _KIN and before[-1] not in {"who", "law"} and value >= 2:
        return True
    if place == 0 or words.sentence[place - 1] != words.sentence[place]:
        return value >= 12 and (
            not after or words.comma[place + 1] or after[0] in {"with", "here", "f", "m", "male", "female", "fit"}
        )
    return bool(after) and after[0] in {"f", "m", "male", "female", "here"} and value >= 12


def _span_time(days: float, place: int, end: int, found: dict[str, list[tuple[int, int]]]) -> None:
    if days >= 14:
        found.setdefault("weeks", []).append((place, end))
    elif days >= 3:
        found.setdefault("days", []).append((place, end))


def _time(words: Words, place: int, value: float, found: dict[str, list[tuple[int, int]]]) -> None:
    canon = words.canon
    here = place + 1
    while (
        here < len(canon)
        and here < place + 4
        and canon[here]
        in {"of", "or", "long", "whole", "full", "odd", "solid", "more", "good", "and", "a", "half"} | _NUMBERS.keys()
    ):
        here += 1
    if here >= len(canon) or words.sentence[here] != words.sentence[place]:
        return
    unit = canon[here]
    if unit in _HOURS and value >= 5:
        found.setdefault("hours", []).append((place, here + 1))
    if unit in {"am", "pm"}:
        found.setdefault("clock", []).append((place, here + 1))
    length = _UNITS.get(unit)
    if length is None:
        return
    following = canon[here + 1 : here + 3]
    if following[:1] and following[0] in {"old", "pregnant", "along", "gone", "time"}:
        return
    if (
        following[:1] == ["ago"]
        or following[:2] == ["or", "ago"]
        or following[:1] == ["back"]
        and unit.startswith("year")
    ):
        if length * value >= _YEAR:
            found.setdefault("years_ago", []).append((place, here + 2))
        return
    if (
        place
        and canon[place - 1] in {"in", "next", "every", "within", "until", "under", "aged", "after"}
        and unit != "decades"
    ):
        if canon[place - 1] in {"after"}:
            _span_time(length * value, place, here + 1, found)
        return
    _span_time(length * value, place, here + 1, found)


def _loose_time(words: Words, place: int, found: dict[str, list[tuple[int, int]]]) -> None:
    """Times without a number: "a fortnight", "for weeks", "half a year"."""
    canon = words.canon
    token = canon[place]
    before = canon[place - 1] if place else ""
    ago = canon[place + 1 : place + 2] == ["ago"]
    if token == "fortnight":
        found.setdefault("weeks", []).append((place, place + 1))
    elif (
        token in {"months", "years", "weeks", "yonks", "decades"}
        and before in {"for", "of", "many", "been"}
        and not ago
    ):
        found.setdefault("weeks", []).append((place, place + 1))
    elif token in {"month", "year"} and before in {"a", "whole", "last", "past", "over"} and not ago:
        if before != "last":
            found.setdefault("weeks", []).append((place, place + 1))
    elif (token == "week" and before in {"a", "whole", "full"} and not ago) or (token == "days" and before == "for"):
        found.setdefault("days", []).append((place, place + 1))
    elif token == "year" and before == "a" and ago:
        found.setdefault("years_ago", []).append((place, place + 2))


def _body(canon: Sequence[str], place: int, value: float, found: dict[str, list[tuple[int, int]]]) -> None:
    """Fever on the thermometer in Celsius or Fahrenheit, and a pulse of 110 or more."""
    near = canon[max(0, place - 5) : place + 4]
    fever = 37.8 <= value < 43 or 100.4 <= value < 108 or value in {100, 101}
    if fever and (value != int(value) or value >= 38) and (value != int(value) or not _HOT_WORDS.isdisjoint(near)):
        found.setdefault("hot", []).append((place, place + 1))
    if 110 <= value <= 230 and not _PULSE_WORDS.isdisjoint(near):
        found.setdefault("fast_pulse", []).append((place, place + 1))
