"""The second reader: does a message resemble those that needed care?

It stands beside the rules: it adds alarms, and says where a rule found its words in a text that resembles none of
those. A message is cut into windows of whole sentences; the features of a window are its words, pairs of neighbouring
words, pieces of words and the concepts of the rules, each marked with how it is meant (supposed, past, general,
harmless). What is denied is left out, so that a denied sign changes nothing. The weights come from
:mod:`service.triage.weights`; a window's sum is divided by the root of its number of words, so that a long harmless
story does not add up to an alarm.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import ceil, exp, sqrt

from service.triage.loading import LANGUAGE_CONCEPTS
from service.triage.matching import MatchSpan
from service.triage.negation import Reading
from service.triage.records import Level
from service.triage.turns import Turn
from service.triage.weights import BIAS, Weights

WINDOW = 60
"""Most words of a window; a window never cuts a sentence of up to ``_SENTENCE`` words."""

PIECE = "~"
"""First letter of a feature that is a piece of a word."""

_SENTENCE = 40
_SEGMENT = 20
_SHORTEST_PIECE, _LONGEST_PIECE = 3, 5
_SMOOTHING = 8
_LONGEST_MATCH = 12
_MEMORY = 50_000
_LEVELS = (Level.EMERGENCY, Level.TODAY, Level.SOON)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a message resembles.

    Attributes:
        score: Sum of the weights of the window that resembles most. The rest is told of alarms alone.
        rules: Rules, the likeliest first.
        levels: Share of each level, adding up to 1.
        span: First and last token (exclusive) of the words that weighed most.
    """

    score: float
    rules: Sequence[str] = ()
    levels: Mapping[Level, float] = field(default_factory=dict)
    span: MatchSpan = (0, 0)


class Features:
    """The features of one turn, ready to be taken window by window.

    Attributes:
        words: For each token its word with its mark, "" where it is left out.
        pairs: For each token the pair with the token before it, "" where there is none.
        concepts: First token, end and name with mark, in the order of the text.
    """

    __slots__ = ("_bounds", "_starts", "concepts", "pairs", "words")

    def __init__(self, turn: Turn) -> None:
        chart, plain = turn.chart, turn.plain
        marks = turn.assertions.of_words()
        left_out = [mark is Reading.DENIED for mark in marks]
        for start, end in chart.spans("courtesy"):
            left_out[start:end] = [True] * (end - start)
        for start, end in chart.spans("denial"):
            if end < len(left_out) and left_out[end]:
                left_out[start:end] = [True] * (end - start)
        self.words = [
            "" if out else _marked(_number(word), mark) for word, mark, out in zip(plain, marks, left_out, strict=True)
        ]
        self.pairs = ["", *(f"{a} {b}" if a and b else "" for a, b in zip(self.words, self.words[1:], strict=False))]
        self.concepts = sorted(
            (start, end, _marked(symbol, reading))
            for symbol, spans in _found(turn)
            for (start, end), reading in spans
            if reading is not Reading.DENIED and self.words[start]
        )
        self._starts = [start for start, _, _ in self.concepts]
        kept = [0, *accumulate(map(bool, self.words))]
        self._bounds = [(a, b, kept[b] - kept[a]) for a, b in _segments(chart.words.bounds) if kept[b] > kept[a]]

    def leave_out_small_talk(self, sums: "_Sums") -> None:
        """Leave out sentences that name nothing that the rules know and that alone resemble no alarm at all.

        What somebody tells beside the matter must not decide over it. A message of nothing else stays as it is.
        """
        talk = [
            (start, end, kept)
            for start, end, kept in self._bounds
            if not self.concepts_in(start, end) and sums.of(start, end) < 0
        ]
        if not talk or len(talk) == len(self._bounds):
            return
        for start, end, _ in talk:
            self.words[start:end] = [""] * (end - start)
            self.pairs[start : end + 1] = [""] * len(self.pairs[start : end + 1])
        self._bounds = [bound for bound in self._bounds if bound not in talk]

    def windows(self) -> Iterator[MatchSpan]:
        """Rows of whole sentences with at most ``WINDOW`` words, each as long as can be."""
        furthest, last, held = -1, -1, 0
        for first, (start, _, kept) in enumerate(self._bounds):
            if last < first:
                last, held = first, kept
            while last + 1 < len(self._bounds) and held + self._bounds[last + 1][2] <= WINDOW:
                last += 1
                held += self._bounds[last][2]
            if last > furthest:
                furthest = last
                yield start, self._bounds[last][1]
            held -= kept

    def words_in(self, start: int, end: int) -> set[str]:
        """The marked words of a window, each once."""
        words = set(self.words[start:end])
        words.discard("")
        return words

    def named_in(self, start: int, end: int) -> set[str]:
        """Words, pairs and concepts of a window, each once."""
        named = self.words_in(start, end) | set(self.pairs[start + 1 : end])
        named.discard("")
        return named.union(self.concepts_in(start, end))

    def concepts_in(self, start: int, end: int) -> set[str]:
        """The concepts that lie wholly in a window."""
        low, high = bisect_left(self._starts, start), bisect_left(self._starts, end)
        return {name for _, last, name in self.concepts[low:high] if last <= end}

    def size(self, start: int, end: int) -> float:
        """What the sum of a window is divided by."""
        return sqrt(len(self.words_in(start, end)) + _SMOOTHING)


def find_likeness(turn: Turn, weights: Weights) -> Likeness | None:
    """Find the window that resembles an alarm most; its sum says whether it is one.

    Cost grows with the length of the text: a fifth of a millisecond for 40 words.

    Returns:
        What it resembles; None when there are no words to go by.
    """
    if len(weights.seen) > _MEMORY:
        weights.seen.clear()
    features = Features(turn)
    sums = _Sums(features, weights)
    features.leave_out_small_talk(sums)
    best, place = float("-inf"), None
    for start, end in features.windows():
        score = sums.of(start, end)
        if score >= best:
            best, place = score, (start, end)
    if place is None:
        return None
    if best < weights.alarm_from:
        return Likeness(best)
    ranked, levels = _choose(features.named_in(*place), features.size(*place), weights)
    return Likeness(best, ranked, levels, _heaviest(features, *place, sums.values, weights.alarm))


def weigh_word(word: str, weights: Weights) -> float:
    """How much a marked word and its pieces speak for an alarm."""
    known = weights.seen.get(word)
    if known is None:
        table = weights.alarm
        known = table.get(word, 0.0) + sum(table.get(piece, 0.0) for piece in pieces_of(word))
        weights.seen[word] = known
    return known


def pieces_of(word: str) -> list[str]:
    """Rows of three to five letters of a word without its mark, where ``^`` and ``$`` stand for its ends."""
    whole = f"^{word.rpartition(':')[2]}$"
    return [
        PIECE + whole[at : at + length]
        for length in range(_SHORTEST_PIECE, _LONGEST_PIECE + 1)
        for at in range(len(whole) - length + 1)
    ]


class _Sums:
    """How much stretches of one turn resemble an alarm; what the table does not know is set aside beforehand.

    Attributes:
        values: Each word with its weight, pieces included.
    """

    __slots__ = ("_bias", "_features", "_known", "_weight", "values")

    def __init__(self, features: Features, weights: Weights) -> None:
        table = weights.alarm
        self.values = {word: weigh_word(word, weights) for word in set(features.words) if word}
        self._features = features
        self._weight = table.__getitem__
        self._known = {name for name in (*features.pairs, *(name for _, _, name in features.concepts)) if name in table}
        self._bias = table[BIAS]

    def of(self, start: int, end: int) -> float:
        """The sum of one stretch; below 0 it rather resembles no alarm."""
        features, known = self._features, self._known
        words = features.words_in(start, end)
        named = known.intersection(features.pairs[start + 1 : end])
        named |= known & features.concepts_in(start, end)
        total = sum(map(self.values.__getitem__, words)) + sum(map(self._weight, named))
        return total / sqrt(len(words) + _SMOOTHING) + self._bias


def _choose(named: set[str], size: float, weights: Weights) -> tuple[list[str], dict[Level, float]]:
    """Rules from the likeliest on, and the share of each level."""
    constants = weights.choice_of(BIAS)
    totals = dict.fromkeys(constants, 0.0)
    for feature in sorted(named):
        for name, weight in weights.choice_of(feature).items():
            totals[name] += weight
    for name, constant in constants.items():
        totals[name] = totals[name] / size + constant
    chances = {level: 1 / (1 + exp(-totals[level.value])) for level in _LEVELS}
    whole = sum(chances.values())
    levels = {level: chance / whole for level, chance in chances.items()}
    names = {level.value for level in _LEVELS}
    return sorted(totals.keys() - names, key=lambda name: (-totals[name], name)), levels


def _heaviest(
    features: Features, start: int, end: int, values: Mapping[str, float], table: Mapping[str, float]
) -> MatchSpan:
    """The row of words in a window that weighs most; at most ``_LONGEST_MATCH`` of them."""
    weight = [
        values.get(features.words[place], 0.0) + table.get(features.pairs[place], 0.0) for place in range(start, end)
    ]
    best, span = float("-inf"), (start, end)
    for first in reversed(range(len(weight))):
        total = 0.0
        for last in range(first, min(first + _LONGEST_MATCH, len(weight))):
            total += weight[last]
            if total > best:
                best, span = total, (start + first, start + last + 1)
    return span


def _segments(bounds: Sequence[MatchSpan]) -> Iterator[MatchSpan]:
    """Sentences; what runs on without a stop is cut into stretches of about ``_SEGMENT`` words."""
    for start, end in bounds:
        if end - start <= _SENTENCE:
            yield start, end
            continue
        count = ceil((end - start) / _SEGMENT)
        cuts = [start + (end - start) * number // count for number in range(count + 1)]
        yield from pairwise(cuts)


def _found(turn: Turn) -> Iterator[tuple[str, list[tuple[MatchSpan, Reading]]]]:
    for symbol, places in turn.chart.found.items():
        if symbol[0] == "@":
            yield symbol, [((start, end), Reading.ASSERTED) for start, ends in places.items() for end in ends]
        elif symbol[0] == "<" and symbol[1:-1] not in LANGUAGE_CONCEPTS:
            yield symbol, turn.readings(symbol[1:-1])


def _marked(name: str, reading: Reading) -> str:
    return name if reading is Reading.ASSERTED else f"{reading.value}:{name}"


def _number(word: str) -> str:
    return "0" * min(len(word), 3) if word.isdigit() else word
