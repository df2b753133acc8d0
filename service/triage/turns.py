"""One text of a person, read: its words, the concepts in them, and how each is meant."""

from dataclasses import dataclass, field

from service.triage.loading import ReadingSets, Rules
from service.triage.matching import Chart, MatchSpan
from service.triage.negation import Assertions, Reading
from service.triage.normalising import split_words
from service.triage.quantities import find_quantities

_MEMORY = 50_000
_LONGEST_WORD = 40


@dataclass(slots=True)
class Turn:
    """One text with its reading.

    Attributes:
        number: 0 for the question, -1 for the turn before it, and so on.
        chart: What was found in it.
        plain: Its tokens with slips of the pen repaired.
        assertions: How each place is meant.
        sets: Concepts that are read in a special way.
        known: Concepts read before.
    """

    number: int
    chart: Chart
    plain: list[str]
    assertions: Assertions
    sets: ReadingSets
    known: dict[str, list[tuple[MatchSpan, Reading]]] = field(default_factory=dict)

    def readings(self, concept: str) -> list[tuple[MatchSpan, Reading]]:
        """All matches of a concept with how they are meant."""
        found = self.known.get(concept)
        if found is None:
            sets = self.sets
            found = self.known[concept] = self.assertions.read(
                concept,
                self.chart.spans(concept),
                lasting=concept in sets.lasting,
                scene=concept in sets.scene,
                meant=concept in sets.meant,
            )
        return found


def read_turn(text: str, number: int, rules: Rules) -> Turn:
    """Read one text; the cost grows with its length and nothing else."""
    if len(rules.forms) > _MEMORY or len(rules.symbols) > _MEMORY:
        rules.forms.clear()
        rules.symbols.clear()
    words = split_words(text, rules.spelling, rules.forms)
    known = rules.symbols
    for word in words.canon:
        if word not in known:
            known[word] = _look_up(word, rules)
    plain = [known[word][0] for word in words.canon]
    symbols = {word: known[word][1] for word in words.canon}
    chart = rules.lexicon.chart(words, symbols, find_quantities(words), plain)
    return Turn(number, chart, plain, Assertions(chart, rules.signs, rules.reading.scene), rules.reading)


def _look_up(word: str, rules: Rules) -> tuple[str, frozenset[str]]:
    named = rules.lexicon.symbols_of(word)
    if word in rules.lexicon.vocabulary or len(word) > _LONGEST_WORD:
        return word, named
    repaired = rules.speller.correct(word)
    return repaired, named | rules.lexicon.symbols_of(repaired)
