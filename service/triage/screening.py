"""Screening a question for signs that need care now, today or soon.

Deterministic and quick: tokens, concepts, how each sign is meant, then the rules. Nothing is learnt from
what people write; the memories of :class:`~service.triage.loading.Rules` hold single words and are
emptied when they grow large.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from service.triage.likeness import Likeness, find_likeness
from service.triage.loading import Condition, Modifier, Rule, Rules, Variant, read_rules
from service.triage.matching import MatchSpan
from service.triage.negation import Reading
from service.triage.records import Level, MatchedRule, Notice, Reader
from service.triage.turns import Turn, read_turn

SHORT = 8
"""A message of up to so many words is never doubted: there is nothing else that they could belong to."""

_STRICTER_FROM = 0.4
_LIKELY_STRICTER_FROM = 0.5

_Fired = tuple[Rule, Level, Variant, MatchedRule]


@dataclass(frozen=True, slots=True)
class _Hit:
    """Where a condition was met, how it is meant, and whether one turn says all of it."""

    turn: Turn
    span: MatchSpan
    general: bool
    recent: bool
    alone: bool = True


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
    turns = [read_turn(text, number - len(history), rules) for number, text in enumerate([*history, question])]
    turns.reverse()
    found: list[tuple[Turn, Likeness]] = []
    doubted: frozenset[int] = frozenset()
    if rules.weights is not None:
        found = [(turn, like) for turn in turns if (like := find_likeness(turn, rules.weights)) is not None]
        doubted = frozenset(
            turn.number for turn, like in found if like.score < rules.weights.doubt_below and len(turn.plain) > SHORT
        )
        found = [(turn, like) for turn, like in found if like.score >= rules.weights.alarm_from]
    said = frozenset().union(*(turn.chart.found for turn in turns))
    fired = [match for rule in rules.rules if (match := _fire(rule, rules, turns, doubted, said)) is not None]
    fired = _with_likeness(fired, rules, turns, found)
    if not fired:
        return None
    fired.sort(key=lambda match: (match[1].rank, not match[0].self_harm, not match[0].withhold))
    return _notice(fired, rules)


def _fire(
    rule: Rule, rules: Rules, turns: Sequence[Turn], doubted: frozenset[int], said: frozenset[str]
) -> _Fired | None:
    """The strictest variant that is met, or general information, or nothing.

    What a doubted turn says alone counts for nothing below an emergency; an emergency is never doubted.
    """
    general: tuple[_Hit, Variant] | None = None
    for variant in rule.variants:
        for condition in variant.when:
            hit = _meet(condition, turns) if condition.needs <= said else None
            if hit is None:
                continue
            if hit.general:
                if variant.level is Level.EMERGENCY and general is None:
                    general = (hit, variant)
                continue
            if variant.level is not Level.EMERGENCY and hit.alone and hit.turn.number in doubted:
                continue
            level = _raise(variant.level, rule, rules, turns)
            if hit.recent or level.urgent:
                return rule, level, variant, _matched(rule, level, hit.turn, hit.span)
    topic = next((hit for name in rule.topics if (hit := _topic(name, turns[0])) is not None), None)
    if topic is not None:
        return rule, Level.INFO, rule.variants[0], _matched(rule, Level.INFO, topic.turn, topic.span)
    if general is not None and general[0].recent:
        hit, variant = general
        return rule, Level.INFO, variant, _matched(rule, Level.INFO, hit.turn, hit.span)
    return None


def _with_likeness(
    fired: list[_Fired], rules: Rules, turns: Sequence[Turn], found: Sequence[tuple[Turn, Likeness]]
) -> list[_Fired]:
    """What the second reader adds: an alarm where no rule raised one, or that of another rule that is stricter."""
    raised = [match for match in fired if match[1] is not Level.INFO]
    strictest = min((level for _, level, _, _ in raised), key=lambda level: level.rank, default=Level.INFO)
    added: dict[str, _Fired] = {}
    for turn, like in found:
        rule = next(rule for name in like.rules for rule in rules.rules if rule.id == name)
        level, variant = _likely_variant(rule, like, rules, turns)
        if level.rank >= strictest.rank or (turn.number != 0 and not level.urgent):
            continue
        if raised and (
            rule.id in {one.id for one, _, _, _ in raised} or _share_above(strictest, like) < _LIKELY_STRICTER_FROM
        ):
            continue
        known = added.get(rule.id)
        if known is None or level.rank < known[1].rank:
            added[rule.id] = rule, level, variant, _matched(rule, level, turn, like.span, by="likeness")
    return [*added.values(), *(one for one in fired if one[0].id not in added)]


def _share_above(level: Level, like: Likeness) -> float:
    """How likely it is that the right level is stricter."""
    return sum(share for other, share in like.levels.items() if other.rank < level.rank)


def _likely_variant(rule: Rule, found: Likeness, rules: Rules, turns: Sequence[Turn]) -> tuple[Level, Variant]:
    """The likeliest level among those that the rule can have here; the stricter one when in doubt."""
    levels = [(_raise(variant.level, rule, rules, turns), variant) for variant in rule.variants]
    whole = sum(found.levels[level] for level in {level for level, _ in levels})
    for level, variant in levels:
        if found.levels[level] >= _STRICTER_FROM * whole:
            return level, variant
    return levels[0]


def _meet(condition: Condition, turns: Sequence[Turn]) -> _Hit | None:
    """The first place where all groups are said, newest turn first."""
    hits: list[_Hit] = []
    for number, group in enumerate(condition.groups):
        best: _Hit | None = None
        for hit in _group_hits(group, turns):
            if not hit.general:
                best = hit
                break
            best = best or hit
        if best is None:
            return None
        hits.append(replace(best, general=False) if number in condition.context else best)
    for name in condition.absent:
        if any(reading is Reading.ASSERTED for turn in turns for _, reading in turn.readings(name)):
            return None
    newest = max(hits, key=lambda hit: hit.turn.number)
    alone = all(hit.turn is newest.turn for hit in hits)
    start, end = newest.span
    for hit in hits:
        if hit.turn is newest.turn and abs(hit.span[0] - start) <= 12:
            start, end = min(start, hit.span[0]), max(end, hit.span[1])
    general, recent = any(hit.general for hit in hits), any(hit.recent for hit in hits)
    return _Hit(newest.turn, (start, end), general, recent, alone)


def _group_hits(group: Sequence[str], turns: Sequence[Turn]) -> Iterator[_Hit]:
    for turn in turns:
        recent = turn.number == 0
        if len(group) == 1:
            for span, reading in turn.readings(group[0]):
                if reading in {Reading.ASSERTED, Reading.GENERAL}:
                    yield _Hit(turn, span, reading is Reading.GENERAL, recent)
            continue
        yield from _same_sentence(group, turn, recent=recent)


def _same_sentence(group: Sequence[str], turn: Turn, *, recent: bool) -> Iterator[_Hit]:
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


def _topic(name: str, turn: Turn) -> _Hit | None:
    for span, reading in turn.readings(name):
        if reading is Reading.GENERAL:
            return _Hit(turn, span, general=True, recent=True)
    return None


def _raise(level: Level, rule: Rule, rules: Rules, turns: Sequence[Turn]) -> Level:
    for name, modifier in rules.modifiers.items():
        if name in rule.raised_by and _at_risk(modifier, turns):
            return level.raised()
    return level


def _at_risk(modifier: Modifier, turns: Sequence[Turn]) -> bool:
    if modifier.always and _said(modifier.always, turns):
        return True
    return _said(modifier.said, turns) and not (modifier.unless and _said(modifier.unless, turns))


def _said(concept: str, turns: Sequence[Turn]) -> bool:
    return any(reading is Reading.ASSERTED for turn in turns for _, reading in turn.readings(concept))


def _matched(rule: Rule, level: Level, turn: Turn, span: MatchSpan, by: Reader = "rule") -> MatchedRule:
    words = turn.chart.words
    start, end = words.starts[span[0]], words.ends[span[1] - 1]
    return MatchedRule(rule.id, words.text[start:end], start, end, level, turn.number, by)


def _notice(fired: Sequence[_Fired], rules: Rules) -> Notice:
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
