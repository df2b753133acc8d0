"""Finding the rows of elements that phrases are made of.

The places of a symbol are the bits of one whole number: bit ``n`` stands for token ``n``. Whether the elements of a
row can follow each other anywhere is a handful of shifts, whatever the length of the text; only the places that are
left are looked at one by one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from service.triage.normalising import Words
from service.triage.phrases import Element

Places = dict[int, tuple[int, ...]]
"""First token of each match to its ends."""

_NEGATIVE = frozenset({"no", "not", "never", "nothing", "without", "none"})
_DENYING = frozenset({"no", "not", "never", "without"})
_TROUBLE = frozenset({"trouble", "troubles", "problem", "problems", "difficulty", "difficulties", "issue", "issues"})
_MAX_ENDS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One way to say a concept.

    Attributes:
        number: Its place among all rows; rows are tried in this order.
        concept: What it says.
        elements: The elements in their order.
        words: Those that are alternatives of words.
        concepts: Those that are concepts or quantities.
    """

    number: int
    concept: str
    elements: tuple[Element, ...]
    words: frozenset[str]
    concepts: frozenset[str]


class Marks:
    """The places of one text as bits.

    Args:
        words: The text.
        symbols: For each of its words the symbols that it stands for.
        plain: Its words with slips of the pen repaired.

    Attributes:
        present: The symbols that stand somewhere.
        starts: Symbol to the tokens where it starts; of those that :meth:`note` was asked for.
    """

    __slots__ = ("_barrier", "_by_word", "_ends", "_longest", "_size", "_symbols", "_trouble", "present", "starts")

    def __init__(self, words: Words, symbols: Mapping[str, frozenset[str]], plain: Sequence[str]) -> None:
        by_word: dict[str, int] = {}
        for place, word in enumerate(words.canon):
            by_word[word] = by_word.get(word, 0) | 1 << place
        self._by_word = by_word
        self._size = len(words.canon) // 8 + 1
        self._symbols = symbols
        self.present: set[str] = set().union(*(symbols[word] for word in by_word))
        self.starts: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._longest: dict[str, int] = {}
        apart = (comma or word in _NEGATIVE for comma, word in zip(words.comma, plain, strict=True))
        self._barrier = self._bits(place for place, keeps in enumerate(apart) if keeps)
        self._trouble = self._bits(place for place, word in enumerate(plain) if word in _TROUBLE)

    def note(self, wanted: Set[str]) -> None:
        """Mark the places of what single words stand for."""
        starts, symbols = self.starts, self._symbols
        for word, bits in self._by_word.items():
            for symbol in symbols[word] & wanted:
                starts[symbol] = starts.get(symbol, 0) | bits

    def close(self, symbol: str, places: Mapping[int, Sequence[int]]) -> None:
        """Take over the places of a concept to which none will be added."""
        if symbol not in self._ends:
            self.starts[symbol] = self._bits(places)
            self._ends[symbol] = self._bits({end for ends in places.values() for end in ends})
            self._longest[symbol] = max(end - start for start, ends in places.items() for end in ends)

    def _bits(self, places: Iterable[int]) -> int:
        row = bytearray(self._size)
        for place in places:
            row[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(row, "little")

    def ends(self, symbol: str) -> int:
        """The ends of a symbol, exclusive; a word ends one token after its start."""
        return self._ends[symbol] if symbol[0] in "<@" else self.starts[symbol] << 1

    def longest(self, symbol: str) -> int:
        """Most tokens of one match of a symbol."""
        return self._longest[symbol] if symbol[0] in "<@" else 1

    def is_open(self, start: int, end: int, *, denies: bool) -> bool:
        """Whether nothing between two places keeps apart what stands around them.

        Args:
            start: First token between.
            end: End of what is between, exclusive.
            denies: Whether a "no" stands before: "no trouble peeing" is not "no ... peeing".
        """
        barrier = self._barrier | self._trouble if denies else self._barrier
        return not barrier >> start & ((1 << (end - start)) - 1)


def match_row(row: Row, marks: Marks, words: Words, found: Mapping[str, Places]) -> list[tuple[int, int]]:
    """Every place where a row stands, each once, from the first start on; at most four ends of one start."""
    openings = _openings(row, marks)
    if not openings:
        return []
    sentence, comma, canon = words.sentence, words.comma, words.canon
    first, *rest = row.elements
    opening = found.get(first.symbol)
    tables = [(marks.starts[symbol], gap, found.get(symbol)) for symbol, gap in rest]
    matches = []
    for start in bits_of(openings):
        denies = canon[start] in _DENYING
        reached: Sequence[int] = opening[start] if opening is not None else (start + 1,)
        for starts, gap, places in tables:
            onward: list[int] = []
            for end in reached:
                ahead = starts >> end & ((2 << gap) - 1)
                if not ahead:
                    continue
                place = end + (ahead & -ahead).bit_length() - 1
                if sentence[place] != sentence[start]:
                    continue
                if place == end or (not comma[place] and marks.is_open(end, place, denies=denies)):
                    onward += places[place] if places is not None else (place + 1,)
            reached = onward[:_MAX_ENDS]
        matches += [(start, end) for end in reached]
    return matches


def bits_of(bits: int) -> Iterator[int]:
    """The places whose bits are set, in order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _openings(row: Row, marks: Marks) -> int:
    """Where the row may begin, gaps alone considered; none where some element follows nowhere."""
    starts, elements = marks.starts, row.elements
    steps: list[int] = []
    ends = 0
    for symbol, gap in elements:
        here = starts[symbol]
        if steps:
            here &= _spread(ends, gap) if gap else ends
            if not here:
                return 0
        ends = marks.ends(symbol) if symbol[0] in "<@" else here << 1
        steps.append(here)
    back = steps.pop()
    for place in range(len(steps), 0, -1):
        reach = elements[place].gap + marks.longest(elements[place - 1].symbol) - 1
        back = steps[place - 1] & (_spread_back(back, reach) if reach else back) >> 1
    return back


def _spread(bits: int, gap: int) -> int:
    """Each place, and up to ``gap`` places behind it."""
    reach = 1
    while reach <= gap:
        step = min(reach, gap + 1 - reach)
        bits |= bits << step
        reach += step
    return bits


def _spread_back(bits: int, gap: int) -> int:
    """Each place, and up to ``gap`` places before it."""
    reach = 1
    while reach <= gap:
        step = min(reach, gap + 1 - reach)
        bits |= bits >> step
        reach += step
    return bits
