"""Finding concepts in the tokens of a text.

Each word is looked up once; a phrase is tried only where all of its elements were seen. Cost grows with the number
of tokens and of places where a phrase can start, never with their product.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from service.triage.errors import RulesError
from service.triage.normalising import Words
from service.triage.phrases import Element, parse_phrase, words_of
from service.triage.rows import Marks, Places, Row, bits_of, match_row

MatchSpan = tuple[int, int]
"""First token and end (exclusive) of a match."""

_MAX_ENDS = 4
_MAX_NEAR = 4
_LOOK_BACK = 12


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


@dataclass(slots=True)
class _Depth:
    """What is found at one depth: what it needs lies at lesser ones.

    Attributes:
        by_concept: Rows that name no word, by their rarest element.
        nears: Concepts with neighbours that say them.
    """

    by_concept: dict[str, list[Row]] = field(default_factory=dict)
    nears: list[tuple[str, Near, frozenset[str]]] = field(default_factory=list)


@dataclass(slots=True)
class Chart:
    """What was found in one text.

    Attributes:
        words: The tokens.
        found: Concept or quantity to first token to the ends of its matches.
        parts: Concept, first token and end of a match of neighbours, to the places of its parts.
    """

    words: Words
    found: dict[str, Places] = field(default_factory=dict)
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
        self._by_word: dict[str, list[tuple[int, Row]]] = {}
        self._depths: list[_Depth] = []
        self._quantities = {f"@{name}" for name in quantities}
        self._compile({concept.name: concept for concept in concepts})
        self._direct = frozenset(
            symbol for table in (self._exact, self._starts) for named in table.values() for symbol in named
            if symbol[0] == "<"
        )  # fmt: skip
        self.vocabulary = frozenset(self._exact)
        self.prefixes = frozenset(self._starts)
        self._shortest = min((len(start) for start in self._starts), default=1)
        self._longest = max((len(start) for start in self._starts), default=0)

    def knows(self, word: str) -> bool:
        """Whether some phrase names the word or its beginning."""
        return word in self._exact or any(
            word[:length] in self._starts for length in range(self._shortest, min(self._longest, len(word)) + 1)
        )

    def symbols_of(self, word: str) -> frozenset[str]:
        """The concepts and alternatives that one word stands for."""
        found = set(self._exact.get(word, ()))
        for length in range(self._shortest, min(self._longest, len(word)) + 1):
            found.update(self._starts.get(word[:length], ()))
        return frozenset(found)

    def chart(
        self,
        words: Words,
        symbols: Mapping[str, frozenset[str]],
        quantities: Mapping[str, Sequence[MatchSpan]],
        plain: Sequence[str],
    ) -> Chart:
        """Find every concept.

        Args:
            words: The text.
            symbols: For each word of the text what :meth:`symbols_of` says of it.
            quantities: Places of the quantities, by name.
            plain: The words of the text with slips of the pen repaired.
        """
        chart = Chart(words)
        found, marks = chart.found, Marks(words, symbols, plain)
        waiting = self._rows_in(marks)
        direct = self._direct & marks.present
        marks.note(direct.union(*(row.words for rows in waiting for row in rows)))
        for symbol in sorted(direct):
            found[symbol] = {place: (place + 1,) for place in bits_of(marks.starts[symbol])}
        for name, spans in quantities.items():
            for start, end in spans:
                chart.add(f"@{name}", start, end)
        for depth, ready in zip(self._depths, waiting, strict=True):
            named = [row for symbol in found.keys() & depth.by_concept.keys() for row in depth.by_concept[symbol]]
            seen = set(found)  # what this depth adds is needed by greater ones only
            for row in sorted([*ready, *named], key=lambda row: row.number):
                if row.concepts <= seen:
                    for symbol in row.concepts:
                        marks.close(symbol, found[symbol])
                    _add_row(row, marks, chart)
            for concept, near, needs in depth.nears:
                if needs <= seen:
                    for symbol in needs:
                        marks.close(symbol, found[symbol])
                    _match_near(concept, near, marks, chart)
        return chart

    def _rows_in(self, marks: Marks) -> list[list[Row]]:
        """By depth, the rows whose words all stand somewhere."""
        waiting: list[list[Row]] = [[] for _ in self._depths]
        present = marks.present
        for symbol in self._by_word.keys() & present:
            for depth, row in self._by_word[symbol]:
                if row.words <= present:
                    waiting[depth].append(row)
        return waiting

    def _compile(self, concepts: Mapping[str, Concept]) -> None:
        depth: dict[str, int] = {}
        rows: list[Row] = []
        below: dict[str, set[str]] = {}
        for concept in concepts.values():
            below[concept.name] = {part for near in concept.near for part in near.of}
            for phrase in concept.phrases:
                for elements in parse_phrase(phrase, f"concept {concept.name}"):
                    self._add_row(concept.name, elements, rows)
                    below[concept.name] |= self._named_in(elements, concept.name)
        for concept in concepts.values():
            self._depth(concept.name, below, depth, ())
        self._depths = [_Depth() for _ in range(max(depth.values(), default=0) + 1)]
        for row in rows:
            anchor = min(sorted(row.words or row.concepts), key=self._commonness)
            if row.words:
                self._by_word.setdefault(anchor, []).append((depth[row.concept], row))
            else:
                self._depths[depth[row.concept]].by_concept.setdefault(anchor, []).append(row)
        for concept in concepts.values():
            nears = self._depths[depth[concept.name]].nears
            nears += [(concept.name, near, frozenset(f"<{part}>" for part in near.of)) for near in concept.near]

    def _add_row(self, concept: str, elements: tuple[Element, ...], rows: list[Row]) -> None:
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
            needs = frozenset(element.symbol for element in elements)
            spoken = frozenset(need for need in needs if need[0] not in "<@")
            rows.append(Row(len(rows), concept, elements, spoken, needs - spoken))

    def _commonness(self, symbol: str) -> float:
        """How often a symbol is likely to stand in a text: short words that many phrases name are everywhere."""
        return sum(
            len((self._starts if word.endswith("*") else self._exact)[word.removesuffix("*")]) / len(word)
            for word in words_of(symbol)
        )

    def _depth(self, name: str, below: Mapping[str, set[str]], depth: dict[str, int], above: tuple[str, ...]) -> int:
        if name in depth:
            return depth[name]
        if name in above:
            raise RulesError(f"concept {name}", "refers to itself: " + " > ".join((*above, name)))
        if name not in below:
            raise RulesError(f"concept {above[-1] if above else name}", f"there is no concept {name!r}")
        depths = (1 + self._depth(part, below, depth, (*above, name)) for part in below[name])
        depth[name] = max(depths, default=0)
        return depth[name]

    def _named_in(self, elements: Iterable[Element], concept: str) -> set[str]:
        """Return the concepts that one phrase of a concept names."""
        for element in elements:
            if element.symbol[0] == "@" and element.symbol not in self._quantities:
                raise RulesError(f"concept {concept}", f"there is no quantity {element.symbol!r}")
        return {element.symbol[1:-1] for element in elements if element.symbol[0] == "<"}


def _add_row(row: Row, marks: Marks, chart: Chart) -> None:
    """Note every place of a row; what another name of neighbours means has the same parts."""
    symbol, other = f"<{row.concept}>", row.elements[0].symbol[1:-1] if len(row.elements) == 1 else ""
    for start, end in match_row(row, marks, chart.words, chart.found):
        chart.add(symbol, start, end)
        parts = chart.parts.get((other, start, end)) if other else None
        if parts is not None:
            chart.parts.setdefault((row.concept, start, end), parts)


def _match_near(concept: str, near: Near, marks: Marks, chart: Chart) -> None:
    symbols = [f"<{part}>" for part in near.of]
    anchor = min(symbols, key=lambda symbol: len(chart.found[symbol]))
    symbols.remove(anchor)
    others = [(marks.starts[symbol], chart.found[symbol]) for symbol in symbols]
    for start, ends in chart.found[anchor].items():
        groups: list[tuple[MatchSpan, ...]] = [((start, ends[0]),)]
        for starts, places in others:
            groups = [
                (*group, part)
                for group in groups
                for part in _neighbours(_hull(group), starts, places, near.within, chart.words.sentence)
            ][:_MAX_NEAR]
        for group in groups:
            first, last = _hull(group)
            chart.add(f"<{concept}>", first, last)
            chart.parts.setdefault((concept, first, last), group)


def _hull(group: Sequence[MatchSpan]) -> MatchSpan:
    return min(start for start, _ in group), max(end for _, end in group)


def _neighbours(span: MatchSpan, starts: int, places: Places, within: int, sentence: Sequence[int]) -> list[MatchSpan]:
    """The nearest match in or behind the span, and the nearest one before it; ``starts`` holds the places as bits."""
    start, end = span
    near = []
    ahead = starts >> start & ((1 << (end + within + 1 - start)) - 1)
    if ahead:
        place = start + (ahead & -ahead).bit_length() - 1
        if sentence[place] == sentence[start]:
            near.append((place, places[place][0]))
    furthest = max(start - within - _LOOK_BACK + 1, 0)
    before = starts >> furthest & ((1 << (start - furthest)) - 1)
    while before:
        place = furthest + before.bit_length() - 1
        if sentence[place] != sentence[start]:
            break
        if places[place][0] + within >= start:
            near.append((place, places[place][0]))
            break
        before ^= 1 << (place - furthest)
    return near
