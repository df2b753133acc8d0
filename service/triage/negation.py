"""Whether a sign is there, denied, supposed, long past, or only asked about.

After ConText: a cue opens a scope, words that end a scope close it, and words that merely look like a
cue ("not only", "no wonder") open none. A sign that carries its own "not" ("cannot pee") is read whole:
only what stands before the whole match can deny it.

Source: Harkema H, Dowling JN, Thornblade T, Chapman WW. ConText. J Biomed Inform 2009;42(5):839-851.
doi:10.1016/j.jbi.2009.05.002.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from enum import StrEnum
from itertools import accumulate, pairwise

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
_NO_SUPPOSITION = frozenset({("as", "if"), ("i", "suppose"), ("not", "imagine"), ("to", "imagine"), ("even", "if")})
_LEADING = frozenset("if when with after in for".split())
_UNSPOKEN = frozenset("not cannot want wish feel rather tired".split())
_PRONOUNS = frozenset("i my me he she his her".split())
_ASKING = frozenset("is are do does can could will would should".split())
_SUBJECTS = frozenset(
    "a an the it there people someone anyone women men you they back this that sciatica cauda low lower".split()
)
_JUDGEMENTS = frozenset(
    "dangerous serious normal bad harmful safe common rare fatal deadly permanent reversible always ever".split()
)
_NO_QUESTION = frozenset("not barely hardly scarcely only just no feel see".split())
_ORDER = list(Reading)
_REACH = 4
_FARTHEST = 14
_PAST_REACH = 18
_LONG_AGO_REACH = 22
_LIST_ITEM = 3
_BUT_REACH = 4
_OTHERWISE = frozenset("otherwise else apart besides except".split())
_SOMEBODY = frozenset("i my we our he she his her".split())
_TURNS = frozenset("but however though although because".split())
_PAST_TENSE = frozenset(
    "was were had could did went lost got fell came gave took felt became broke woke would used".split()
)
_MODALS = frozenset("would could will might may can should what how why which who when".split())
_RECENT = frozenset("today yesterday tonight still since keeps keep".split())


class Assertions:
    """Reads the signs of one text. Building it is one pass; each reading looks at a bounded stretch."""

    def __init__(self, chart: Chart, signs: Collection[str], scene: Collection[str] = ()) -> None:
        words = chart.words
        self._parts = chart.parts
        self._words = words
        size = len(words.canon)
        spared = _covered(chart.spans("no_denial"), size)
        spans = [(sign, *span) for sign in map(_name_of, chart.found) if sign in signs for span in chart.spans(sign)]
        following = {start for sign, start, _ in spans if sign not in scene}
        for sign, start, end in spans:
            # "not gone" before "numb" is no sign of its own: the "not" denies the numbness.
            if (sign, start, end) not in chart.parts and not (end in following and not words.comma[end]):
                spared[start:end] = [True] * (end - start)
        self._denies = [False] * size
        for start, end in chart.spans("denial"):
            if True not in spared[start:end] and not self._after_modal(start):
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
            if (True in self._person[first:last] or self._leaves_out_who(number))
            and (True not in self._generic[first:last] or not _PRONOUNS.isdisjoint(words.canon[first:last]))
        }
        self._supposed = self._supposed_places(chart)
        self._general = self._general_places(chart)
        reached = self._in_question()
        self._reached = [place for place in range(size) if place in reached]
        self._cues_before = [0, *accumulate(place in reached for place in range(size))]

    def read(
        self,
        concept: str,
        spans: Iterable[MatchSpan],
        *,
        lasting: bool = False,
        scene: bool = False,
        meant: bool = False,
    ) -> list[tuple[MatchSpan, Reading]]:
        """How each match is meant; of neighbours that mean a sign together, each must be meant.

        Args:
            concept: What was found.
            spans: Where.
            lasting: True for what stays true for ever, such as having had cancer: it is never past.
            scene: True for words that only set the scene, such as a part of the body.
            meant: True for what is never merely supposed, such as thoughts of self-harm.
        """
        cues = self._cues_before
        return [
            (span, Reading.ASSERTED)
            if cues[span[0]] == cues[span[1]]
            else (span, self._read_parts(concept, span, lasting=lasting, scene=scene, meant=meant))
            for span in spans
        ]

    def _read_parts(self, concept: str, span: MatchSpan, *, lasting: bool, scene: bool, meant: bool) -> Reading:
        whole = self._read(span, lasting=lasting, scene=scene, meant=meant)
        if whole in {Reading.HARMLESS, Reading.DENIED} or scene:
            return whole
        for start, end in self._parts.get((concept, *span), ()):
            if True in self._harmless[start:end]:
                return Reading.HARMLESS
            if self._is_denied(start, end):
                return Reading.DENIED
            if self._supposed[start] and not meant:
                return Reading.SUPPOSED
        return whole

    def of_words(self) -> list[Reading]:
        """How each single word is meant, whatever concept it belongs to."""
        meant = [Reading.ASSERTED] * len(self._words.canon)
        for place in self._reached:
            meant[place] = self._read((place, place + 1), lasting=False, scene=False, meant=False)
        return meant

    def _in_question(self) -> set[int]:
        """Every place that some cue can reach; whatever lies elsewhere is asserted."""
        spoken = zip(self._harmless, self._supposed, self._general, strict=True)
        reached = {place for place, marks in enumerate(spoken) if any(marks)}
        for place, denies in enumerate(self._denies):
            if denies:
                reached.update(range(place + 1, place + _FARTHEST + 1))
        reached.update(start - 1 for start in self._denied_after)
        reached.update(end - 1 for _, end in self._words.bounds)
        reached.update(end + behind for end in self._animals for behind in range(3))
        for start, _ in self._long_ago:
            reached.update(range(start - _LONG_AGO_REACH - 1, start + _LONG_AGO_REACH + 1))
        for start, _ in self._settled:
            reached.update(range(start - _PAST_REACH, start))
        return reached

    def _read(self, span: MatchSpan, *, lasting: bool, scene: bool, meant: bool) -> Reading:
        start, end = span
        if True in self._harmless[start:end] or self._of_an_animal(start):
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

    def _leaves_out_who(self, number: int) -> bool:
        """Whether a sentence is of the speaker without saying so: "just don't want to wake up"."""
        words = self._words
        first, last = words.bounds[number]
        opening = [word for word in words.canon[first:last] if word not in _OPENERS][:2]
        return number not in words.question and (opening == ["do", "not"] or not _UNSPOKEN.isdisjoint(opening[:1]))

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
        return bool(self._animals) and any(
            end in self._animals and True not in self._person[end:start] for end in (start, start - 1, start - 2)
        )

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
            return not (words.comma[end] and words.canon[end] == "fine")  # "chest fine", but not "numb, fine otherwise"
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
            if mark_end <= start and self._moves_on(mark_end, start, end):
                continue
            low, high = min(mark_end, end), max(start, mark_start)
            if not self._now_between(low, high) and not self._now_between(
                end, min(end + 6, len(words.canon)), sentence
            ):
                return True
        return self._is_settled(start, end)

    def _moves_on(self, mark: int, start: int, end: int) -> bool:
        """Whether the story is in the present again: "I had a fall last year and my legs are numb"."""
        words = self._words
        turn = next(
            (
                place
                for place in range(start, mark, -1)
                if words.canon[place - 1] == "and" or (words.comma[place] and words.canon[place] in _SOMEBODY)
            ),
            None,
        )
        if turn is None:
            return False
        told = words.canon[turn : end + 2]
        return _PAST_TENSE.isdisjoint(told) and not any(word.endswith("ed") for word in told)

    def _is_settled(self, start: int, end: int) -> bool:
        words = self._words
        sentence = words.sentence[start]
        for mark_start, _ in _around(self._settled, end, end + _PAST_REACH):
            between = words.canon[end:mark_start]
            if _turns_away(between) or not _RECENT.isdisjoint(between):
                continue
            first, last = words.bounds[words.sentence[mark_start]]
            if not _OTHERWISE.isdisjoint(words.canon[max(first, mark_start - 3) : min(last, mark_start + 4)]):
                continue
            if words.sentence[mark_start] == sentence:
                return not self._recent(start, sentence)
            told = words.canon[first] not in _SOMEBODY  # "I am fine." says nothing of the sign
            if words.sentence[mark_start] == sentence + 1 and mark_start - first <= 2 and told:
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
            if start and (words.canon[start - 1], words.canon[start]) in _NO_SUPPOSITION:
                continue
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
                if place > start and words.comma[place] and not self._asks_on(place):
                    break
                places[place] = True
                place += 1
            done = max(done, place)
        return places

    def _asks_on(self, place: int) -> bool:
        """Whether the sentence asks or supposes on from here: "if a disc slips, could the bladder fail"."""
        words = self._words
        last = words.bounds[words.sentence[place]][1]
        return words.sentence[place] in words.question or not _MODALS.isdisjoint(words.canon[place:last])

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
            return after[0] in _SUBJECTS or place + 1 in self._items or self._judges(place)
        return after[0] not in _NO_QUESTION

    def _judges(self, place: int) -> bool:
        """Whether what follows asks how bad a thing is: "is black stool always dangerous"."""
        last = self._words.bounds[self._words.sentence[place]][1]
        return not _JUDGEMENTS.isdisjoint(self._words.canon[place + 2 : last])

    def _general_places(self, chart: Chart) -> list[bool]:
        words = chart.words
        size = len(words.canon)
        general = [False] * size
        framed = _covered(chart.spans("frame"), size)
        asks = {start for start, _ in chart.spans("asks")}
        studied = {words.sentence[start]: end for start, end in chart.spans("study")}
        for number, (first, last) in enumerate(words.bounds):
            if number in studied:
                end = self._own_part(studied[number], last)
                general[first:end] = [True] * (end - first)
                continue
            opening = next((p for p in range(first, last) if p in asks and self._opens_question(p)), None)
            if opening is None or self._is_own_story(opening, last, framed):
                continue
            lead = words.canon[first:opening]
            if lead and lead[0] in _LEADING and (lead[0] == "if" or True not in self._person[first:opening]):
                opening = first if _PRONOUNS.isdisjoint(lead) else opening
            general[opening:last] = [True] * (last - opening)
        return general

    def _own_part(self, start: int, last: int) -> int:
        """Where, behind words of study, somebody's own story begins: "the leaflet says so, but my leg is numb"."""
        words = self._words
        for place in range(start, last):
            joined = words.comma[place] or words.canon[place - 1] == "and"
            if words.canon[place] in _TURNS or (joined and words.canon[place] in {"i", "my", "mine", "now"}):
                return place
        return last

    def _is_own_story(self, opening: int, last: int, framed: list[bool]) -> bool:
        """Whether the question is about somebody, and not about people in general."""
        own = [place for place in range(opening, last) if self._person[place] and not framed[place]]
        if True not in self._generic[opening:last]:
            return bool(own)
        return any(self._words.canon[place] in _PRONOUNS for place in own)


def _name_of(symbol: str) -> str:
    return symbol[1:-1]


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
