"""Telling an age from any other number."""

from service.triage.normalising import Words

CHILD_BELOW, OLDER_FROM, VERY_OLD_FROM = 18, 55, 75
_OLDEST = 110
_ALONE_FROM = 12

DECADES = {
    "sixties": 60, "60s": 60, "seventies": 70, "70s": 70, "eighties": 80, "80s": 80, "nineties": 90, "90s": 90,
    "fifties": 50, "50s": 50, "forties": 40, "40s": 40, "thirties": 30, "30s": 30, "twenties": 20, "20s": 20,
}  # fmt: skip
_DECADE_BEFORE = frozenset("my his her their early mid late".split())
_AGE_UNITS = frozenset({"yo", "yearold", "yrold", "y"})
_PEOPLE = frozenset(
    "mum dad father mother husband wife partner boyfriend girlfriend son daughter brother sister nan nana nanna nanny "
    "gran granny grandma grandmother grandad granddad grandpa grandfather uncle aunt auntie cousin nephew niece "
    "grandson granddaughter friend mate colleague coworker neighbour lad lass boy girl lady man woman male female "
    "child kid toddler teenager stepson stepdaughter patient client guy bloke roommate flatmate law he she "
    "twins kids children boys girls "
    "youngest eldest fiance fiancee boss pensioner builder teacher nurse smoker footballer runner".split()
)
_NO_AGE_AFTER = frozenset(
    "weeks week w wk months month days day hours hour minutes min kg st stone lb lbs pounds ft feet foot inch inches "
    "cm mm m miles mile km percent mg ml g degrees c f times tablets pills mph reps sets litres pints sessions and "
    "points out to on of or am pm x o clock th nd rd hr".split()
)
_AGE_ANYWAY = frozenset("and on f m or to".split())
_DESCRIBED = frozenset("with here f m male female fit".split())


def is_age(words: Words, start: int, end: int, value: float) -> bool:
    """Whether the number at ``[start, end)`` is somebody's age: "I'm 71", "my son, 12", "a 40-year-old".

    Args:
        words: The text.
        start: First token of the number.
        end: End of the number, exclusive.
        value: The number.
    """
    canon = words.canon
    if not 1 <= value <= _OLDEST or value != int(value):
        return False
    before, after = canon[max(0, start - 3) : start], canon[end : end + 3]
    in_years = _in_years(before, after)
    if in_years is not None:
        return in_years
    last = before[-1] if before else ""
    if last in {"aged", "age", "turned", "turning"}:
        return True
    told = before[-2:] == ["i", "am"] or (
        last in {"is", "are"} and before[-2:-1] != [] and before[-2] in _PEOPLE | {"who"}
    )
    joined = bool(after) and not words.comma[end]
    if joined and after[0] in _NO_AGE_AFTER:
        return told and after[0] in _AGE_ANYWAY
    if told or (last in {"just", "only", "nearly", "almost", "now"} and before[-3:-1] == ["i", "am"]):
        return True
    if last in _PEOPLE and value > 1:
        return True
    if start == 0 or words.sentence[start - 1] != words.sentence[start]:
        return value >= _ALONE_FROM and (not joined or after[0] in _DESCRIBED)
    return joined and after[0] in _DESCRIBED - {"with", "fit"} and value >= _ALONE_FROM


def _in_years(before: list[str], after: list[str]) -> bool | None:
    """Read years: "a 40 year old" and "a boy of 10 years" tell an age; "for 10 years" does not; None without years."""
    if after[:1] and after[0] in _AGE_UNITS:
        return True
    if after[:1] and after[0] in {"yer", "yers"} and "old" in after[1:2]:
        return True
    if after[:1] not in (["year"], ["years"]):
        return None
    if "old" in after[1:2]:
        return before[-2:] not in (["it", "is"], ["it", "was"])
    last = before[-1] if before else ""
    return "ago" not in after and (last in {"of", "aged", "my", "our"} or (last == "a" and after[0] == "year"))


def decade_age(canon: list[str], place: int) -> int | None:
    """The age behind "in her late fifties", counted as 57; None where the word is no age."""
    decade = DECADES.get(canon[place])
    if decade is None or not place or canon[place - 1] not in _DECADE_BEFORE:
        return None
    return decade + 7 if canon[place - 1] == "late" else decade


def age_names(age: float) -> tuple[str, ...]:
    """The quantities that an age stands for."""
    if age < CHILD_BELOW:
        return ("child",)
    if age < OLDER_FROM:
        return ("adult",)
    return ("older", "very_old") if age >= VERY_OLD_FROM else ("older",)
