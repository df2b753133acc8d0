"""Finding concepts in the tokens of a text.

Each token is looked up once; a phrase is tried only where its rarest element was seen. Cost grows
with the number of tokens and of places where a phrase can start, never with their product.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from service.triage.errors import RulesError
from service.triage.normalising import Words
from service.triage.phrases import Element, parse_phrase, words_of

MatchSpan = tuple[int, int]
"""First token and end (exclusive) of a match."""

_Places = dict[int, tuple[int, ...]]
"""First token of each match to its ends."""

_NEGATIVE = frozenset({"no", "not", "never", "nothing", "without", "none"})
_MAX_ENDS = 4
_MAX_NEAR = 4
_LOOK_BACK = 12
_LONGEST_PART = 10


@dataclass(frozen=True, slots=True)
class Near:
    """Concepts that mean something when they stand near each other, in any order.

    Attributes:
        of: The concepts.
        within: How many other words may stand between neighbours.
    """

    of: tuple[str, ...]
    within: int


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing that people say in many ways.

    Attributes:
        name: Its name in the rules file.
        phrases: The ways to say it.
        near: Pairs or triples of other concepts that say it together.
    """

    name: str
    phrases: tuple[str, ...]
    near: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    concept: str
    elements: tuple[Element, ...]
    needs: tuple[str, ...]


@dataclass(slots=True)
class Chart:
    """What was found in one text.

    Attributes:
        words: The tokens.
        found: Symbol to first token to the ends of its matches.
        parts: Concept, first token and end of a match of neighbours, to the places of its parts.
    """

    words: Words
    found: dict[str, dict[int, tuple[int, ...]]] = field(default_factory=dict)
    parts: dict[tuple[str, int, int], tuple[MatchSpan, ...]] = field(default_factory=dict)

    def add(self, symbol: str, start: int, end: int) -> None:
        """Note one match; beyond a few different ends at one place nothing new is kept."""
        places = self.found.setdefault(symbol, {})
        ends = places.get(start, ())
        if end not in ends and len(ends) < _MAX_ENDS:
            places[start] = (*ends, end)

    def spans(self, concept: str) -> list[MatchSpan]:
        """All matches of a concept in the order of the text."""
        places = self.found.get(f"<{concept}>")
        if not places:
            return []
        return [(start, end) for start in sorted(places) for end in places[start]]


class Lexicon:
    """All concepts, ready to be found.

    Attributes:
        vocabulary: Every full word that some phrase names.
        prefixes: Every word beginning that some phrase names.
    """

    def __init__(self, concepts: Iterable[Concept], quantities: Iterable[str]) -> None:
        self._exact: dict[str, list[str]] = {}
        self._starts: dict[str, list[str]] = {}
        self._levels: list[dict[str, list[_Row]]] = []
        self._nears: list[list[tuple[str, Near]]] = []
        self._quantities = {f"@{name}" for name in quantities}
        self._compile({concept.name: concept for concept in concepts})
        self.vocabulary = frozenset(self._exact)
        self.prefixes = frozenset(self._starts)
        self._shortest = min((len(start) for start in self._starts), default=1)
        self._longest = max((len(start) for start in self._starts), default=0)

    def knows(self, word: str) -> bool:
        """Whether some phrase names the word or its beginning."""
        return word in self._exact or any(
            word[:length] in self._starts for length in range(self._shortest, min(self._longest, len(word)) + 1)
        )

    def symbols_of(self, word: str) -> tuple[str, ...]:
        """The concepts and alternatives that one word stands for."""
        found = list(self._exact.get(word, ()))
        for length in range(self._shortest, min(self._longest, len(word)) + 1):
            found += self._starts.get(word[:length], ())
        return tuple(dict.fromkeys(found))

    def chart(
        self, words: Words, symbols: Sequence[tuple[str, ...]], quantities: Mapping[str, Sequence[MatchSpan]]
    ) -> Chart:
        """Find every concept.

        Args:
            words: The text.
            symbols: For each token what :meth:`symbols_of` says of it.
            quantities: Places of the quantities, by name.
        """
        chart = Chart(words)
        found = chart.found
        same: dict[tuple[str, ...], dict[int, tuple[int, ...]]] = {}
        for place, named in enumerate(symbols):
            if named:
                same.setdefault(named, {})[place] = (place + 1,)
        waiting: dict[str, list[_Places]] = {}
        for named, places in same.items():
            for symbol in named:
                waiting.setdefault(symbol, []).append(places)
        for symbol in [symbol for symbol in waiting if symbol[0] == "<"]:
            found[symbol] = _merged(waiting.pop(symbol))
        for name, spans in quantities.items():
            for start, end in spans:
                chart.add(f"@{name}", start, end)
        for rows, nears in zip(self._levels, self._nears, strict=True):
            _match_rows(rows, waiting, chart)
            for concept, near in nears:
                _match_near(concept, near, chart)
        return chart

    def _compile(self, concepts: Mapping[str, Concept]) -> None:
        depth: dict[str, int] = {}
        rows: list[_Row] = []
        for concept in concepts.values():
            for phrase in concept.phrases:
                for elements in parse_phrase(phrase, f"concept {concept.name}"):
                    self._add_row(concept.name, elements, rows)
            self._depth(concept.name, concepts, depth, ())
        common = self._commonness(rows)
        for _ in range(max(depth.values(), default=0) + 1):
            self._levels.append({})
            self._nears.append([])
        for row in rows:
            anchor = min(row.needs, key=lambda need: common.get(need, 0))
            self._levels[depth[row.concept]].setdefault(anchor, []).append(row)
        for concept in concepts.values():
            self._nears[depth[concept.name]] += [(concept.name, near) for near in concept.near]

    def _add_row(self, concept: str, elements: tuple[Element, ...], rows: list[_Row]) -> None:
        symbol = f"<{concept}>"
        alone = len(elements) == 1 and elements[0].symbol[0] not in "<@"
        for element in elements:
            for word in words_of(element.symbol):
                table = self._starts if word.endswith("*") else self._exact
                named = table.setdefault(word.removesuffix("*"), [])
                target = symbol if alone else element.symbol
                if target not in named:
                    named.append(target)
        if not alone:
            rows.append(_Row(concept, elements, tuple(dict.fromkeys(e.symbol for e in elements))))

    def _commonness(self, rows: Iterable[_Row]) -> dict[str, int]:
        common: dict[str, int] = {}
        for row in rows:
            for need in row.needs:
                common[need] = common.get(need, 0) + 1
        return common

    def _depth(self, name: str, concepts: Mapping[str, Concept], depth: dict[str, int], above: tuple[str, ...]) -> int:
        if name in depth:
            return depth[name]
        if name in above:
            raise RulesError(f"concept {name}", "refers to itself: " + " > ".join((*above, name)))
        if name not in concepts:
            raise RulesError(f"concept {above[-1] if above else name}", f"there is no concept {name!r}")
        deepest = 0
        for below in self._below(concepts[name]):
            deepest = max(deepest, 1 + self._depth(below, concepts, depth, (*above, name)))
        depth[name] = deepest
        return deepest

    def _below(self, concept: Concept) -> set[str]:
        below = {part for near in concept.near for part in near.of}
        for phrase in concept.phrases:
            for elements in parse_phrase(phrase, f"concept {concept.name}"):
                for element in elements:
                    if element.symbol[0] == "<":
                        below.add(element.symbol[1:-1])
                    elif element.symbol[0] == "@" and element.symbol not in self._quantities:
                        raise RulesError(f"concept {concept.name}", f"there is no quantity {element.symbol!r}")
        return below


def _merged(tables: list[_Places]) -> _Places:
    """One table of the places of an alternative; put off until some row has all that it needs."""
    if len(tables) == 1:
        return dict(tables[0])
    return {place: ends for table in tables for place, ends in table.items()}


def _match_rows(rows: Mapping[str, Sequence[_Row]], waiting: dict[str, list[_Places]], chart: Chart) -> None:
    """Try every row whose elements have all been seen somewhere."""
    found = chart.found
    for symbol in [symbol for symbol in (*found, *waiting) if symbol in rows]:
        for row in rows[symbol]:
            if all(need in found or need in waiting for need in row.needs):
                for need in row.needs:
                    if need in waiting:
                        found[need] = _merged(waiting.pop(need))
                _match_row(row, chart)


def _match_row(row: _Row, chart: Chart) -> None:
    found, sentence, comma, canon = chart.found, chart.words.sentence, chart.words.comma, chart.words.canon
    first, *rest = row.elements
    symbol = f"<{row.concept}>"
    tables = [(found[element.symbol], element.gap + 1) for element in rest]
    size = len(sentence)
    for start, ends in _openings(row, found):
        here = sentence[start]
        reached: Sequence[int] = ends
        for table, gap in tables:
            onward: list[int] = []
            for end in reached:
                last = min(size, end + gap)
                for place in range(end, last):
                    if sentence[place] != here:
                        break
                    if place in table and (place == end or not comma[place]):
                        onward += table[place]
                        break
                    if comma[place] or canon[place] in _NEGATIVE:
                        break
            if not onward:
                reached = ()
                break
            reached = onward[:_MAX_ENDS]
        for end in reached:
            chart.add(symbol, start, end)
            if not rest and (first.symbol[1:-1], start, end) in chart.parts:
                chart.parts.setdefault((row.concept, start, end), chart.parts[first.symbol[1:-1], start, end])


def _openings(row: _Row, found: Mapping[str, Mapping[int, tuple[int, ...]]]) -> list[tuple[int, tuple[int, ...]]]:
    """Where the row may begin; near its rarest element only, when its first one is everywhere."""
    firsts = found[row.elements[0].symbol]
    fewest, reach, walked = len(firsts), 0, 0
    rarest: Mapping[int, tuple[int, ...]] = firsts
    part = 1 if row.elements[0].symbol[0] not in "<@" else _LONGEST_PART
    for element in row.elements[1:]:
        walked += element.gap + part
        part = 1 if element.symbol[0] not in "<@" else _LONGEST_PART
        if len(found[element.symbol]) * walked < fewest:
            rarest, reach = found[element.symbol], walked
            fewest = len(rarest) * reach
    if rarest is firsts:
        return list(firsts.items())
    places = {place for at in rarest for place in range(max(0, at - reach), at) if place in firsts}
    return [(place, firsts[place]) for place in sorted(places)]


def _match_near(concept: str, near: Near, chart: Chart) -> None:
    tables = [chart.found.get(f"<{part}>") for part in near.of]
    if not all(tables):
        return
    sentence = chart.words.sentence
    symbol = f"<{concept}>"
    present = [table for table in tables if table]
    anchor = min(range(len(present)), key=lambda number: len(present[number]))
    others = [table for number, table in enumerate(present) if number != anchor]
    for start, ends in list(present[anchor].items()):
        groups: list[tuple[MatchSpan, ...]] = [((start, end),) for end in ends[:1]]
        for table in others:
            groups = [
                (*group, part) for group in groups for part in _neighbours(_hull(group), table, near.within, sentence)
            ][:_MAX_NEAR]
        for group in groups:
            first, last = _hull(group)
            chart.add(symbol, first, last)
            chart.parts.setdefault((concept, first, last), group)


def _hull(group: Sequence[MatchSpan]) -> MatchSpan:
    return min(start for start, _ in group), max(end for _, end in group)


def _neighbours(
    span: MatchSpan, table: Mapping[int, tuple[int, ...]], within: int, sentence: Sequence[int]
) -> list[MatchSpan]:
    """The nearest match of ``table`` in or behind the span, and the nearest one before it."""
    start, end = span
    near = []
    for place in range(start, min(end + within + 1, len(sentence))):
        if sentence[place] != sentence[start]:
            break
        if place in table:
            near.append((place, table[place][0]))
            break
    for place in range(start - 1, max(start - within - _LOOK_BACK, -1), -1):
        if sentence[place] != sentence[start]:
            break
        if place in table and table[place][0] + within >= start:
            near.append((place, table[place][0]))
            break
    return near
