"""What the second reader has learnt: one small table, readable and the same on every machine.

The file is written by ``backline-eval teach-triage`` from ``eval/data/triage.examples.jsonl``. Its first lines say
from which examples and how; then each line is a feature with its weights, divided by tabs: how much it speaks for an
alarm, and after that ``RF07:1.25`` how much it speaks for a rule or a level.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.triage.errors import RulesError

SHIPPED = Path(__file__).with_name("likeness.tsv")

BIAS = "(bias)"
"""Name of the line with the constants."""


_NUMBER = r"-?\d+\.\d\d"
_TABLE = re.compile(rf"(?:# .*\n|[^\t\n]+\t{_NUMBER}(?:\t\w+:{_NUMBER}(?: \w+:{_NUMBER})*)?\n)*+")
"""Every line of a table: a row's weights for rules are read when they are asked for, and a fault must show before."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The table, ready to be summed.

    Attributes:
        about: The first lines: version, examples, their sha256, seed, date.
        alarm: Feature to its weight for an alarm.
        named: Feature to its weights for rules and levels as they stand in the file; few are ever asked for.
        alarm_from: Sums from here on are an alarm.
        doubt_below: With a sum below, what a rule finds in that text alone is doubted.
        seen: Words met before with the sum of their weights and of those of their pieces.
        chosen: Features of the table met before in an alarm with their weights for rules and levels.
    """

    about: Mapping[str, str]
    alarm: Mapping[str, float]
    named: Mapping[str, str]
    alarm_from: float
    doubt_below: float = float("-inf")
    seen: dict[str, float] = field(default_factory=dict)
    chosen: dict[str, dict[str, float]] = field(default_factory=dict)

    def choice_of(self, feature: str) -> dict[str, float]:
        """Return a feature's weights for rules and levels, by name."""
        pairs = self.named.get(feature)
        if pairs is None:  # what a person wrote and the table lacks is never kept
            return {}
        known = self.chosen.get(feature)
        if known is not None:
            return known
        choice: dict[str, float] = {}
        for pair in pairs.split():
            name, _, value = pair.rpartition(":")
            choice[name] = float(value)
        self.chosen[feature] = choice  # whole, so that nobody who reads beside sees half of it
        return choice


def read_weights(path: Path) -> Weights:
    """Read the table.

    Raises:
        RulesError: the file cannot be read, or a line of it cannot.
    """
    about: dict[str, str] = {}
    alarm: dict[str, float] = {}
    named: dict[str, str] = {}
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RulesError(path.name, str(error)) from error
    if (whole := _TABLE.match(content)) and whole.end() < len(content):
        line = content[whole.end() :].splitlines()[0]
        raise RulesError(f"{path.name}, line {line[:40]!r}", "cannot be read; teach it again")
    try:
        for line in content.splitlines():
            if line.startswith("# "):
                name, _, value = line[2:].partition(": ")
                about[name] = value
                continue
            feature, weight, *rest = line.split("\t")
            alarm[feature] = float(weight)
            if rest:
                named[feature] = rest[0]
        return Weights(about, alarm, named, float(about["alarm_from"]), float(about["doubt_below"]))
    except (KeyError, ValueError) as error:
        raise RulesError(path.name, f"lacks {error}; teach it again") from error
