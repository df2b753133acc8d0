"""Triage: is every red flag seen, at the right level, without crying wolf?

Definition: an alarm is level soon, today or emergency. Recall is the share of texts that need an alarm and get one
(of any level); "emergencies seen as such" the share of emergency texts that get level emergency; "level right" the
share with exactly the right level; "too mild" the share whose level is below the right one, a miss included; "right
rule" the share on which one of the acceptable rules fired. False alarms are the share of near misses, and of the
ordinary answerable questions, that get an alarm. A note of level info on a text that needs none is counted apart:
it sends nobody to a doctor.

Trap: recall over all flags hides a rule that never fires: read it by rule. And near misses are written to be hard,
so their false-alarm share says nothing about how often an ordinary visitor is alarmed; that is the other share.
A question that failed raised nothing: a missed alarm.

Paper: sensitivity and specificity of symptom checkers as in H. L. Semigran et al. (2015), Evaluation of symptom
checkers for self diagnosis and triage, BMJ 351, doi:10.1136/bmj.h3480.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.figures import Heading, share_of
from eval.records import LEVELS, AnswerItem, Exchange, Measured, TriageItem

GROUP = "Red flags"

CAUGHT = Heading("flags_caught", "Red flags caught", "of the texts with a danger sign, the share warned at all", GROUP)
EMERGENCIES = Heading(
    "emergencies_caught", "Emergencies seen as such", "of the emergencies, the share told to go now", GROUP
)
LEVEL = Heading("flags_level", "Level right", "neither too mild nor too strong", GROUP)
TOO_MILD = Heading(
    "flags_too_mild", "Too mild", "warned less than it should, or not at all: the dangerous side", GROUP, better="lower"
)
RULE = Heading("flags_rule", "Right rule", "the warning is about the right danger", GROUP)
LONG = Heading("flags_caught_long", "Red flags caught in long texts", "the sign stands amid much else", GROUP)
FALSE = Heading(
    "false_alarms", "False alarms on near misses", "harmless texts that look dangerous, the share alarmed", GROUP,
    better="lower",
)  # fmt: skip
ORDINARY = Heading(
    "false_alarms_ordinary", "False alarms on ordinary questions", "of plain questions, the share alarmed", GROUP,
    better="lower",
)  # fmt: skip
INFO_RIGHT = Heading(
    "info_right", "General questions noted", "general questions about a danger that get a note, not an alarm", GROUP
)
INFO_EXTRA = Heading(
    "info_extra", "Notes that were not needed", "harmless texts with a general note: no alarm, but in the way", GROUP,
    better="lower",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleRow:
    """How one rule fared.

    Attributes:
        rule: Id of the rule.
        asked: Texts whose first acceptable rule it is.
        caught: Those that got an alarm.
        level_right: Those with exactly the right level.
        rule_right: Those on which an acceptable rule fired.
        false_alarms: Near misses on which this rule raised an alarm.
        notes: Near misses on which it left a note of level info.
        missed: Ids of the texts that got no alarm.
    """

    rule: str
    asked: int
    caught: int
    level_right: int
    rule_right: int
    false_alarms: int
    notes: int
    missed: tuple[str, ...]


def measure_triage(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure a triage set, and ordinary questions where an answers set was asked as well."""
    flags = [(ex.item, ex) for ex in exchanges if isinstance(ex.item, TriageItem)]
    alarms = {item.id: (item, ex) for item, ex in flags if item.is_alarm}
    harmless = {item.id: (item, ex) for item, ex in flags if not item.is_alarm}
    ordinary = {ex.item.id: ex for ex in exchanges if isinstance(ex.item, AnswerItem)}
    figures = [
        share_of(CAUGHT, {name: ex.reply.is_alarm for name, (_, ex) in alarms.items()}),
        share_of(
            EMERGENCIES,
            {name: ex.reply.level == "emergency" for name, (item, ex) in alarms.items() if item.level == "emergency"},
        ),
        share_of(LEVEL, {name: ex.reply.level == item.level for name, (item, ex) in alarms.items()}),
        share_of(TOO_MILD, {name: _is_milder(ex, item) for name, (item, ex) in alarms.items()}),
        share_of(RULE, {name: bool(set(item.rules) & set(ex.reply.rules)) for name, (item, ex) in alarms.items()}),
        share_of(LONG, {name: ex.reply.is_alarm for name, (item, ex) in alarms.items() if item.kind == "long"}),
        share_of(FALSE, {name: ex.reply.is_alarm for name, (_, ex) in harmless.items()}),
        share_of(
            INFO_RIGHT, {n: ex.reply.level == "info" for n, (item, ex) in harmless.items() if item.level == "info"}
        ),
        share_of(
            INFO_EXTRA, {n: ex.reply.level == "info" for n, (item, ex) in harmless.items() if item.level == "none"}
        ),
    ]
    if ordinary:
        figures.append(share_of(ORDINARY, {name: ex.reply.is_alarm for name, ex in ordinary.items()}))
    return figures if flags else figures[-1:] if ordinary else []


def rows_by_rule(exchanges: Sequence[Exchange]) -> list[RuleRow]:
    """Return one row a rule that is asked for or that fired, in the order of the ids."""
    flags = [(ex.item, ex) for ex in exchanges if isinstance(ex.item, TriageItem)]
    names = {rule for item, ex in flags for rule in (*item.rules[:1], *ex.reply.rules)}
    return [_row(rule, flags) for rule in sorted(names)]


def _row(rule: str, flags: Sequence[tuple[TriageItem, Exchange]]) -> RuleRow:
    asked = [(item, ex) for item, ex in flags if item.rules[:1] == (rule,)]
    fired = [ex for item, ex in flags if not item.is_alarm and rule in ex.reply.rules]
    return RuleRow(
        rule=rule,
        asked=len(asked),
        caught=sum(ex.reply.is_alarm for _, ex in asked),
        level_right=sum(ex.reply.level == item.level for item, ex in asked),
        rule_right=sum(bool(set(item.rules) & set(ex.reply.rules)) for item, ex in asked),
        false_alarms=sum(ex.reply.is_alarm for ex in fired),
        notes=sum(ex.reply.level == "info" for ex in fired),
        missed=tuple(item.id for item, ex in asked if not ex.reply.is_alarm),
    )


def _is_milder(exchange: Exchange, item: TriageItem) -> bool:
    return LEVELS.index(exchange.reply.level) < LEVELS.index(item.level)
