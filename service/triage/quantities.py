"""Ages, times, temperatures and pulses: what a list of words cannot hold.

Every finder looks a fixed number of tokens to either side, so the cost grows with the text alone.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from service.triage.ages import DECADES, age_names, decade_age, is_age
from service.triage.normalising import Words

QUANTITIES = frozenset(
    "child adult older very_old days week weeks hours years_ago past_year hot fast_pulse number many clock "
    "gestation".split()
)
"""Names that a phrase may use behind ``@``; concepts.toml explains them."""

Quantities = dict[str, list[tuple[int, int]]]
"""Places of each quantity, as first token and end."""

_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBERS = {
    **{word: float(number) for number, word in enumerate([*_ONES, *_TEENS], start=1)},
    **{word: 10.0 * number for number, word in enumerate(_TENS, start=2)},
    "couple": 2.0, "few": 3.0, "several": 4.0, "dozen": 12.0,
}  # fmt: skip
_DAY, _WEEK, _MONTH, _YEAR = 1.0, 7.0, 30.0, 365.0
_UNITS = {
    "day": _DAY, "days": _DAY, "d": _DAY, "nights": _DAY, "week": _WEEK, "weeks": _WEEK, "month": _MONTH,
    "months": _MONTH, "year": _YEAR, "years": _YEAR, "weekends": _WEEK, "decades": 10 * _YEAR, "decade": 10 * _YEAR,
}  # fmt: skip
_HOUR_UNITS = frozenset({"hours", "hour", "h", "hr"})
_NOT_COUNTED = frozenset(
    "mg g ml years year months month weeks week days day hours hour minutes am pm times percent".split()
)
_BETWEEN = frozenset("of or long whole full odd solid more good and a half".split()) | _NUMBERS.keys()
_NO_TIME_AFTER = frozenset("old pregnant along gone time".split())
_NO_TIME_BEFORE = frozenset("in next every within until under aged".split())
_SOMEBODY_IS = frozenset("am is at".split())
_NO_GESTATION_AFTER = frozenset("post after into since out in on of from sober clean old away late ago off".split())
_LOOSE = frozenset("fortnight month months week weeks year years days yonks decades".split())
_TELLING = _NUMBERS.keys() | DECADES.keys() | _LOOSE
_HEATED = frozenset("pad pads pack packs bottle blanket sauna set setting".split())
_HOT_WORDS = frozenset("temperature fever degrees c f feverish thermometer hot".split())
_PULSE_WORDS = frozenset("hr pulse heart heartbeat bpm rate beats".split())
_LONGEST_NUMBER = 7


def find_quantities(words: Words) -> Quantities:
    """Find every quantity of a text, by name; see ``QUANTITIES``."""
    found: Quantities = {}
    canon = words.canon
    past = 0
    for place, token in enumerate(canon):
        if place < past or (token not in _TELLING and not token[0].isdecimal()):
            continue
        value = number_of(token)
        if value is None:
            _note(found, _loose_names(canon, place), place, place + 1)
            age = decade_age(canon, place)
            if age is not None:
                _note(found, age_names(age), place, place + 1)
            continue
        past = place + 1
        if token in _TENS and canon[past : past + 1] and canon[past] in _ONES:
            value, past = value + _NUMBERS[canon[past]], past + 1
        _note(found, _number_names(words, place, past, value), place, past)
        for name, end in _time_names(words, past, value, canon[place - 1] if place else ""):
            _note(found, (name,), place, end)
    return found


def number_of(token: str) -> float | None:
    """The number a token stands for, in figures or in words; None for anything else."""
    if not token[0].isdecimal():
        return _NUMBERS.get(token)
    whole, _, part = token.replace(",", ".").partition(".")
    if len(token) > _LONGEST_NUMBER or not whole.isdecimal() or (part and not part.isdecimal()):
        return None
    return float(f"{whole}.{part or 0}")


def _note(found: Quantities, names: tuple[str, ...], start: int, end: int) -> None:
    for name in names:
        found.setdefault(name, []).append((start, end))


def _number_names(words: Words, start: int, end: int, value: float) -> tuple[str, ...]:
    canon = words.canon
    names = ["number"]
    if 5 <= value < 200 and (end == len(canon) or canon[end] not in _NOT_COUNTED):
        names.append("many")
    if 1900 <= value < datetime.now(UTC).year:
        names.append("past_year")
    near = canon[max(0, start - 5) : end + 3]
    if is_age(words, start, end, value):
        names += age_names(value)
    elif _HEATED.isdisjoint(canon[max(0, start - 8) : start]) and _is_fever(
        value, said=not _HOT_WORDS.isdisjoint(near)
    ):
        names.append("hot")
    if 110 <= value <= 230 and not _PULSE_WORDS.isdisjoint(near):
        names.append("fast_pulse")
    return tuple(names)


def _is_fever(value: float, *, said: bool) -> bool:
    """A decimal of a fever's size speaks for itself; a whole number only beside a word of heat."""
    if value != int(value):
        return 37.8 <= value < 43 or 100.4 <= value < 108
    return said and (38 <= value < 43 or 100 <= value < 108)


def _time_names(words: Words, end: int, value: float, before: str) -> Iterator[tuple[str, int]]:
    """The times that begin with a number which ends at ``end``, each with its own end."""
    canon, here = words.canon, end
    while here < len(canon) and here < end + 3 and canon[here] in _BETWEEN:
        here += 1
    if here >= len(canon) or words.sentence[here] != words.sentence[end - 1]:
        return
    unit, after = canon[here], canon[here + 1 : here + 3]
    if unit in _HOUR_UNITS and value >= 5:
        yield "hours", here + 1
    if unit in {"am", "pm"}:
        yield "clock", here + 1
    if (
        unit in {"weeks", "w"}
        and 4 <= value <= 42
        and before in _SOMEBODY_IS
        and _NO_GESTATION_AFTER.isdisjoint(after[:1])
    ):
        yield "gestation", here + 1
    length = _UNITS.get(unit, 0.0) * value
    if not length or (after and after[0] in _NO_TIME_AFTER):
        return
    if after[:1] == ["ago"] or after == ["or", "ago"] or (after[:1] == ["back"] and length >= _YEAR):
        if length >= _YEAR:
            yield "years_ago", here + 2
    elif before not in _NO_TIME_BEFORE or unit == "decades":
        yield from ((name, here + 1) for name in _length_names(length))


def _length_names(days: float) -> tuple[str, ...]:
    if days >= 2 * _WEEK:
        return ("weeks", "week")
    if days >= _WEEK:
        return ("days", "week")
    return ("days",) if days >= 3 * _DAY else ()


def _loose_names(canon: list[str], place: int) -> tuple[str, ...]:
    """Times without a number: "a fortnight", "for weeks", "a year ago"."""
    token, before = canon[place], canon[place - 1] if place else ""
    if canon[place + 1 : place + 2] == ["ago"]:
        return ("years_ago",) if token == "year" and before == "a" else ()
    asked = before == "many" and canon[place - 2 : place - 1] == ["how"]
    plural = token in {"months", "years", "weeks", "yonks", "decades"} and before in {"for", "of", "many", "been"}
    single = token in {"month", "year"} and before in {"a", "whole", "past", "over"}
    if (plural and not asked) or single or token == "fortnight":
        return ("weeks",)
    if (token == "week" and before in {"a", "whole", "full"}) or (token == "days" and before == "for"):
        return ("days", "week") if token == "week" else ("days",)
    return ()
