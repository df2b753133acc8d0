"""Screening a question for signs that need care now, today or soon.

Deterministic and quick: tokens, concepts, how each sign is meant, then the rules. Nothing is learnt from
what people write; the memories of :class:`~service.triage.loading.Rules` hold single words and are
emptied when they grow large.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.triage.loading import Condition, Modifier, ReadingSets, Rule, Rules, Variant, read_rules
from service.triage.matching import Chart, MatchSpan
from service.triage.negation import Assertions, Reading
from service.triage.normalising import split_words
from service.triage.quantities import find_quantities
from service.triage.records import Level, MatchedRule, Notice

_MEMORY = 50_000
_LONGEST_WORD = 40


@dataclass(slots=True)
class _Turn:
    """One text with its reading."""

    number: int
    chart: Chart
    assertions: Assertions
    sets: ReadingSets
    known: dict[str, list[tuple[MatchSpan, Reading]]] = field(default_factory=dict)

    def readings(self, concept: str) -> list[tuple[MatchSpan, Reading]]:
        """All matches of a concept with how they are meant."""
        found = self.known.get(concept)
        if found is None:
            sets = self.sets
            found = self.known[concept] = [
                (
                    span,
                    self.assertions.read(
                        concept,
                        span,
                        lasting=concept in sets.lasting,
                        scene=concept in sets.scene,
                        meant=concept in sets.meant,
                    ),
                )
                for span in self.chart.spans(concept)
            ]
        return found


@dataclass(frozen=True, slots=True)
class _Hit:
    """Where a condition was met, and how it is meant."""

    turn: _Turn
    span: MatchSpan
    general: bool
    recent: bool


def load_rules(path: Path | None = None) -> Rules:
    """Read the rules once; the caller keeps them.

    Args:
        path: Another rules file with its companions beside it; without it, the shipped one.

    Raises:
        RulesError: a file cannot be read or contradicts itself.
    """
    return read_rules(path)


def screen(question: str, rules: Rules, history: Sequence[str] = ()) -> Notice | None:
    """Look for signs that need care.

    Cost grows with the length of the texts: about 1 ms for a question of 40 words.

    Args:
        question: What the person wrote now.
        rules: See :func:`load_rules`.
        history: Earlier turns of the same person, oldest first. They complete what the question says;
            an emergency or a sign for today that was told in them still counts.

    Returns:
        The notice of the strictest rule, with all rules that fired; None when none did, which is never
        a statement that all is well.
    """
    turns = [_read(text, number - len(history), rules) for number, text in enumerate([*history, question])]
    turns.reverse()
    fired = [match for rule in rules.rules if (match := _fire(rule, rules, turns)) is not None]
    if not fired:
        return None
    fired.sort(key=lambda match: (match[1].rank, not match[0].self_harm, not match[0].withhold))
    return _notice(fired, rules)


def _read(text: str, number: int, rules: Rules) -> _Turn:
    if len(rules.forms) > _MEMORY or len(rules.symbols) > _MEMORY:
        rules.forms.clear()
        rules.symbols.clear()
    words = split_words(text, rules.spelling, rules.forms)
    known = rules.symbols
    symbols = []
    for word in words.canon:
        named = known.get(word)
        if named is None:
            named = _symbols(word, rules)
            known[word] = named
        symbols.append(named)
    chart = rules.lexicon.chart(words, symbols, find_quantities(words))
    return _Turn(number, chart, Assertions(chart, rules.signs), rules.reading)


def _symbols(word: str, rules: Rules) -> tuple[str, ...]:
    named = rules.lexicon.symbols_of(word)
    if word in rules.lexicon.vocabulary or len(word) > _LONGEST_WORD:
        return named
    return tuple(dict.fromkeys((*named, *rules.lexicon.symbols_of(rules.speller.correct(word)))))


def _fire(rule: Rule, rules: Rules, turns: Sequence[_Turn]) -> tuple[Rule, Level, Variant, MatchedRule] | None:
    """The strictest variant that is met, or general information, or nothing."""
    general: tuple[_Hit, Variant] | None = None
    for variant in rule.variants:
        for condition in variant.when:
            hit = _meet(condition, turns)
            if hit is None:
                continue
            if hit.general:
                if variant.level is Level.EMERGENCY and general is None:
                    general = (hit, variant)
                continue
            level = _raise(variant.level, rule, rules, turns)
            if hit.recent or level.urgent:
                return rule, level, variant, _matched(rule, level, hit)
    topic = next((hit for name in rule.topics if (hit := _topic(name, turns[0])) is not None), None)
    if topic is not None:
        return rule, Level.INFO, rule.variants[0], _matched(rule, Level.INFO, topic)
    if general is not None and general[0].recent:
        hit, variant = general
        return rule, Level.INFO, variant, _matched(rule, Level.INFO, hit)
    return None


def _meet(condition: Condition, turns: Sequence[_Turn]) -> _Hit | None:
    """The first place where all groups are said, newest turn first."""
    hits: list[_Hit] = []
    for group in condition.groups:
        best: _Hit | None = None
        for hit in _group_hits(group, turns):
            if not hit.general:
                best = hit
                break
            best = best or hit
        if best is None:
            return None
        hits.append(best)
    for name in condition.absent:
        if any(reading is Reading.ASSERTED for turn in turns for _, reading in turn.readings(name)):
            return None
    newest = max(hits, key=lambda hit: hit.turn.number)
    start, end = newest.span
    for hit in hits:
        if hit.turn is newest.turn and abs(hit.span[0] - start) <= 12:
            start, end = min(start, hit.span[0]), max(end, hit.span[1])
    return _Hit(newest.turn, (start, end), any(hit.general for hit in hits), any(hit.recent for hit in hits))


def _group_hits(group: Sequence[str], turns: Sequence[_Turn]) -> Iterator[_Hit]:
    for turn in turns:
        recent = turn.number == 0
        if len(group) == 1:
            for span, reading in turn.readings(group[0]):
                if reading in {Reading.ASSERTED, Reading.GENERAL}:
                    yield _Hit(turn, span, reading is Reading.GENERAL, recent)
            continue
        yield from _same_sentence(group, turn, recent=recent)


def _same_sentence(group: Sequence[str], turn: _Turn, *, recent: bool) -> Iterator[_Hit]:
    sentence = turn.chart.words.sentence
    by_sentence: list[dict[int, tuple[MatchSpan, Reading]]] = []
    for concept in group:
        first: dict[int, tuple[MatchSpan, Reading]] = {}
        for span, reading in turn.readings(concept):
            if reading is Reading.ASSERTED or (reading is Reading.GENERAL and sentence[span[0]] not in first):
                first.setdefault(sentence[span[0]], (span, reading))
        by_sentence.append(first)
    for number, (span, _) in by_sentence[0].items():
        if all(number in others for others in by_sentence):
            spans = [others[number] for others in by_sentence]
            general = any(reading is Reading.GENERAL for _, reading in spans)
            start, end = min(s[0] for s, _ in spans), max(s[1] for s, _ in spans)
            if end - start > 30:
                start, end = span
            yield _Hit(turn, (start, end), general, recent)


def _topic(name: str, turn: _Turn) -> _Hit | None:
    for span, reading in turn.readings(name):
        if reading is Reading.GENERAL:
            return _Hit(turn, span, general=True, recent=True)
    return None


def _raise(level: Level, rule: Rule, rules: Rules, turns: Sequence[_Turn]) -> Level:
    for name, modifier in rules.modifiers.items():
        if name in rule.raised_by and _at_risk(modifier, turns):
            return level.raised()
    return level


def _at_risk(modifier: Modifier, turns: Sequence[_Turn]) -> bool:
    if modifier.always and _said(modifier.always, turns):
        return True
    return _said(modifier.said, turns) and not (modifier.unless and _said(modifier.unless, turns))


def _said(concept: str, turns: Sequence[_Turn]) -> bool:
    return any(reading is Reading.ASSERTED for turn in turns for _, reading in turn.readings(concept))


def _matched(rule: Rule, level: Level, hit: _Hit) -> MatchedRule:
    words = hit.turn.chart.words
    start, end = words.starts[hit.span[0]], words.ends[hit.span[1] - 1]
    return MatchedRule(rule.id, words.text[start:end], start, end, level, hit.turn.number)


def _notice(fired: Sequence[tuple[Rule, Level, Variant, MatchedRule]], rules: Rules) -> Notice:
    rule, level, variant, _ = fired[0]
    around = rules.levels[level]
    calm = level in {Level.TODAY, Level.SOON}
    return Notice(
        level=level,
        urgent=level.urgent,
        rules=tuple(match for _, _, _, match in fired),
        key=variant.text,
        title=around.title,
        label=around.label,
        how=around.how,
        message=rules.texts[variant.text],
        conditional=rule.go_now_if if calm else (),
        sources=rule.sources if variant.basis == "sources" else (),
        basis=variant.basis,
        withhold=rule.withhold and level is Level.EMERGENCY,
        self_harm=rule.self_harm and level is not Level.INFO,
    )
