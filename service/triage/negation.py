"""Whether a sign is there, denied, supposed, long past, or only asked about.

After ConText: a cue opens a scope, words that end a scope close it, and words that merely look like a
cue ("not only", "no wonder") open none. A sign that carries its own "not" ("cannot pee") is read whole:
only what stands before the whole match can deny it.

Source: Harkema H, Dowling JN, Thornblade T, Chapman WW. ConText. J Biomed Inform 2009;42(5):839-851.
doi:10.1016/j.jbi.2009.05.002.
"""

from bisect import bisect_left
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

from service.triage.matching import Chart, MatchSpan


class Reading(StrEnum):
    """How a sign is meant."""

    ASSERTED = "asserted"
    GENERAL = "general"
    SUPPOSED = "supposed"
    DENIED = "denied"
    PAST = "past"
    HARMLESS = "harmless"


_OPENERS = frozenset(
    "hi hello hey hiya so please and but or also ok okay just question quick dear sorry well morning evening afternoon "
    "honestly basically seriously actually good there all everyone folks um er oh anyway right then now a physio "
    "student nurse here".split()
)
_AUXILIARIES = frozenset("is are was were does do did can could will would should may might has have had".split())
_LEADING = frozenset("if when with after in for".split())
_PRONOUNS = frozenset("i my me he she his her".split())
_ASKING = frozenset("is are do does can could will would should".split())
_SUBJECTS = frozenset(
    "a an the it there people someone anyone women men you they back this that sciatica cauda low lower".split()
)
_NO_QUESTION = frozenset("not barely hardly scarcely only just no feel see".split())
_ORDER = list(Reading)
_REACH = 4
_FARTHEST = 14
_PAST_REACH = 18
_LONG_AGO_REACH = 22
_LIST_ITEM = 3
_BUT_REACH = 4
_RECENT = frozenset("today yesterday tonight still since keeps keep".split())


class Assertions:
    """Reads the signs of one text. Building it is one pass; each reading looks at a bounded stretch."""

    def __init__(self, chart: Chart, signs: Iterable[str]) -> None:
        words = chart.words
        self._parts = chart.parts
        self._words = words
        size = len(words.canon)
        spared = _covered(chart.spans("no_denial"), size)
        for sign in signs:
            for start, end in chart.spans(sign):
                if (sign, start, end) not in chart.parts:
                    spared[start:end] = [True] * (end - start)
        self._denies = [False] * size
        for start, end in chart.spans("denial"):
            if not any(spared[start:end]) and not self._after_modal(start):
                self._denies[end - 1] = True
        self._spared = spared
        self._stops = _covered(chart.spans("scope_end"), size)
        self._filler = _covered(chart.spans("filler"), size)
        self._items = {start for start, _ in chart.spans("denial_item")}
        self._denied_after = {start for start, _ in chart.spans("denial_after")}
        self._harmless = _covered(chart.spans("harmless"), size)
        self._animals = {end for start, end in chart.spans("not_a_person") if self._opens_clause(start)}
        self._person = _covered(chart.spans("person"), size)
        self._long_ago = chart.spans("long_ago")
        self._settled = chart.spans("settled")
        self._now = [start for start, _ in chart.spans("now")]
        self._generic = _covered(chart.spans("generic"), size)
        self._about_somebody = {
            number
            for number, (first, last) in enumerate(words.bounds)
            if any(self._person[first:last])
            and (not any(self._generic[first:last]) or not _PRONOUNS.isdisjoint(words.canon[first:last]))
        }
        self._supposed = self._supposed_places(chart)
        self._general = self._general_places(chart)

    def read(
        self, concept: str, span: MatchSpan, *, lasting: bool = False, scene: bool = False, meant: bool = False
    ) -> Reading:
        """How one match is meant; of neighbours that mean a sign together, each must be meant.

        Args:
            concept: What was found.
            span: Where.
            lasting: True for what stays true for ever, such as having had cancer: it is never past.
            scene: True for words that only set the scene, such as a part of the body.
            meant: True for what is never merely supposed, such as thoughts of self-harm.
        """
        whole = self._read(span, lasting=lasting, scene=scene, meant=meant)
        if whole in {Reading.HARMLESS, Reading.DENIED} or scene:
            return whole
        for start, end in self._parts.get((concept, *span), ()):
            if any(self._harmless[start:end]):
                return Reading.HARMLESS
            if self._is_denied(start, end):
                return Reading.DENIED
        return whole

    def _read(self, span: MatchSpan, *, lasting: bool, scene: bool, meant: bool) -> Reading:
        start, end = span
        if any(self._harmless[start:end]) or self._of_an_animal(start):
            return Reading.HARMLESS
        if scene:
            return Reading.ASSERTED
        if self._is_denied(start, end):
            return Reading.DENIED
        if self._supposed[start] and not (meant and self._words.sentence[start] in self._about_somebody):
            return Reading.SUPPOSED
        if not lasting and self._is_past(start, end):
            return Reading.PAST
        if self._general[start]:
            return Reading.GENERAL
        return Reading.ASSERTED

    def _after_modal(self, place: int) -> bool:
        """The "not" of "cannot sleep, fever": the "not" belongs to the verb and denies no sign."""
        canon = self._words.canon
        return canon[place] == "not" and place > 0 and canon[place - 1] in {"can", "could", "will", "would"}

    def _opens_clause(self, place: int) -> bool:
        words = self._words
        while place and words.canon[place - 1] in {"my", "the", "our", "a", "his", "her", "this", "old", "new"}:
            place -= 1
        return (
            place == 0 or words.sentence[place - 1] != words.sentence[place] or words.comma[place]
            or words.canon[place - 1] in {"and", "but", "because", "when", "then", "so", "while", "if", "anyway"}
        )  # fmt: skip

    def _of_an_animal(self, start: int) -> bool:
        return any(end in self._animals and not any(self._person[end:start]) for end in (start, start - 1, start - 2))

    def _is_denied(self, start: int, end: int) -> bool:
        return self._denied_before(start) or self._denied_behind(end)

    def _denied_before(self, start: int) -> bool:
        canon, comma = self._words.canon, self._words.comma
        sentence = self._words.sentence[start]
        place, used = start - 1, 0
        listed = not comma[start] or start in self._items or self._or_between(start)
        if not listed:
            return False
        while place >= 0 and start - place <= _FARTHEST and self._words.sentence[place] == sentence:
            if self._denies[place]:
                return True
            if self._stops[place] and not (self._filler[place] and used <= 2) and not self._joins_list(place, start):
                return False
            if not self._filler[place] and canon[place] not in {"and", "or", "nor"} and place not in self._items:
                used += 1
            if used > _REACH:
                return False
            if comma[place] and not (place in self._items or self._or_between(place)):
                return False
            place -= 1
        return False

    def _joins_list(self, place: int, start: int) -> bool:
        """Whether "and" leads on to the next item of a list of denials."""
        return self._words.canon[place] == "and" and start in self._items and start - place <= _LIST_ITEM

    def _or_between(self, place: int) -> bool:
        return any(word in {"or", "nor"} for word in self._words.canon[max(0, place - 2) : place + 1])

    def _denied_behind(self, end: int) -> bool:
        words = self._words
        if end >= len(words.canon):
            return False
        if end in self._denied_after and words.sentence[end] == words.sentence[end - 1]:
            return True
        answered = words.sentence[end] != words.sentence[end - 1] and words.sentence[end - 1] in words.question
        if not answered or words.canon[end] not in {"no", "nope", "none", "nah", "never", "not"}:
            return False
        return end + 1 >= len(words.canon) or words.sentence[end + 1] != words.sentence[end] or words.comma[end + 1]

    def _is_past(self, start: int, end: int) -> bool:
        words = self._words
        sentence = words.sentence[start]
        for mark_start, mark_end in _around(self._long_ago, start - _LONG_AGO_REACH, end + _LONG_AGO_REACH):
            if words.sentence[mark_start] != sentence or (mark_start and words.canon[mark_start - 1] == "since"):
                continue
            low, high = min(mark_end, end), max(start, mark_start)
            if not self._now_between(low, high) and not self._now_between(
                end, min(end + 6, len(words.canon)), sentence
            ):
                return True
        return self._is_settled(start, end)

    def _is_settled(self, start: int, end: int) -> bool:
        words = self._words
        sentence = words.sentence[start]
        for mark_start, _ in _around(self._settled, end, end + _PAST_REACH):
            between = words.canon[end:mark_start]
            if _turns_away(between) or not _RECENT.isdisjoint(between):
                continue
            if words.sentence[mark_start] == sentence:
                return not self._recent(start, sentence)
            first = words.bounds[words.sentence[mark_start]][0]
            if words.sentence[mark_start] == sentence + 1 and mark_start - first <= 2:
                return not self._recent(start, sentence)
        return False

    def _recent(self, start: int, sentence: int) -> bool:
        """Whether the sign itself is said to be of now or of these days."""
        low = max(self._words.bounds[sentence][0], start - 8)
        return any(
            self._words.canon[place] in {"today", "now", "yesterday", "still", "keeps", "keep", "since"}
            for place in range(low, start)
        )

    def _now_between(self, low: int, high: int, sentence: int | None = None) -> bool:
        at = bisect_left(self._now, low)
        while at < len(self._now) and self._now[at] < high:
            if sentence is None or self._words.sentence[self._now[at]] == sentence:
                return True
            at += 1
        return "but" in self._words.canon[low:high]

    def _supposed_places(self, chart: Chart) -> list[bool]:
        words = chart.words
        places = [False] * len(words.canon)
        done = 0
        for start, _ in chart.spans("supposing"):
            place, aside = max(start, done), start > 0 and words.comma[start]
            while place < len(places) and words.sentence[place] == words.sentence[start]:
                if (
                    place > start + 2
                    and words.comma[place]
                    and (self._person[place] or words.canon[place] in {"but", "and", "because"})
                ):
                    break
                if words.canon[place] == "but" or (aside and place > start and words.comma[place]):
                    break
                places[place] = True
                place += 1
            done = max(done, place)
        return places

    def _opens_question(self, place: int) -> bool:
        """Whether a question word stands where a question can begin, not in the middle of a story."""
        words = self._words
        first = words.bounds[words.sentence[place]][0]
        asked = words.sentence[place] in words.question
        if words.canon[place] in _AUXILIARIES and not asked:
            return place == first and self._asks_without_mark(place)
        if all(word in _OPENERS for word in words.canon[first:place]):
            return True
        return words.comma[place] and (asked or words.canon[place] in {"what", "how", "why", "which"})

    def _asks_without_mark(self, place: int) -> bool:
        """Whether it asks: "does sitting cause sciatica" does; "can barely stand" and "is numb" do not."""
        word, after = self._words.canon[place], self._words.canon[place + 1 : place + 2]
        if not after or word not in _ASKING:
            return False
        if word in {"is", "are"}:
            return after[0] in _SUBJECTS or place + 1 in self._items
        return after[0] not in _NO_QUESTION

    def _general_places(self, chart: Chart) -> list[bool]:
        words = chart.words
        size = len(words.canon)
        general = [False] * size
        framed = _covered(chart.spans("frame"), size)
        asks = {start for start, _ in chart.spans("asks")}
        studied = {words.sentence[start] for start, _ in chart.spans("study")}
        for number, (first, last) in enumerate(words.bounds):
            if number in studied:
                general[first:last] = [True] * (last - first)
                continue
            opening = next((p for p in range(first, last) if p in asks and self._opens_question(p)), None)
            if opening is None or self._is_own_story(opening, last, framed):
                continue
            lead = words.canon[first:opening]
            if lead and lead[0] in _LEADING and (lead[0] == "if" or not any(self._person[first:opening])):
                opening = first if _PRONOUNS.isdisjoint(lead) else opening
            general[opening:last] = [True] * (last - opening)
        return general

    def _is_own_story(self, opening: int, last: int, framed: list[bool]) -> bool:
        """Whether the question is about somebody, and not about people in general."""
        own = [place for place in range(opening, last) if self._person[place] and not framed[place]]
        if not any(self._generic[opening:last]):
            return bool(own)
        return any(self._words.canon[place] in _PRONOUNS for place in own)


def _turns_away(between: list[str]) -> bool:
    """Whether the story goes on with something else: "but" leads to the end only when it comes at once."""
    if "but" in between:
        return len(between) - between.index("but") > _BUT_REACH
    return any(pair == ("and", "i") for pair in pairwise(between))


def _covered(spans: Iterable[MatchSpan], size: int) -> list[bool]:
    """Which tokens lie in some span."""
    covered = [False] * size
    for start, end in spans:
        for place in range(start, end):
            covered[place] = True
    return covered


def _around(spans: list[MatchSpan], low: int, high: int) -> list[MatchSpan]:
    """The spans that start in ``[low, high)``; ``spans`` is sorted."""
    at = bisect_left(spans, (low, -1))
    found = []
    while at < len(spans) and spans[at][0] < high:
        found.append(spans[at])
        at += 1
    return found
