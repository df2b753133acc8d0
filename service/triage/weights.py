"""What the second reader has learnt: one small table, readable and the same on every machine.

The file is written by ``backline-eval teach-triage`` from ``eval/data/triage.examples.jsonl``. Its first lines say
from which examples and how; then each line is a feature with its weights, divided by tabs: how much it speaks for an
alarm, and after that ``RF07:1.25`` how much it speaks for a rule or a level.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.triage.errors import RulesError

SHIPPED = Path(__file__).with_name("likeness.tsv")

BIAS = "(bias)"
"""Name of the line with the constants."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The table, ready to be summed.

    Attributes:
        about: The first lines: version, examples, their sha256, seed, date.
        alarm: Feature to its weight for an alarm.
        choice: Feature to its weights for rules and levels, by name.
        alarm_from: Sums from here on are an alarm.
        doubt_below: With a sum below, what a rule finds in that text alone is doubted.
        seen: Words met before with the sum of their weights and of those of their pieces.
    """

    about: Mapping[str, str]
    alarm: Mapping[str, float]
    choice: Mapping[str, Mapping[str, float]]
    alarm_from: float
    doubt_below: float = float("-inf")
    seen: dict[str, float] = field(default_factory=dict)


def read_weights(path: Path) -> Weights:
    """Read the table.

    Raises:
        RulesError: the file cannot be read, or a line of it cannot.
    """
    about: dict[str, str] = {}
    alarm: dict[str, float] = {}
    choice: dict[str, Mapping[str, float]] = {}
    line = ""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in lines:
            if line.startswith("# "):
                name, _, value = line[2:].partition(": ")
                about[name] = value
                continue
            feature, weight, *named = line.split("\t")
            alarm[feature] = float(weight)
            if named:
                pairs = (pair.rsplit(":", 1) for pair in named[0].split(" "))
                choice[feature] = {name: float(value) for name, value in pairs}
        return Weights(about, alarm, choice, float(about["alarm_from"]), float(about["doubt_below"]))
    except OSError as error:
        raise RulesError(path.name, str(error)) from error
    except (KeyError, ValueError) as error:
        raise RulesError(f"{path.name}, line {line[:40]!r}", "cannot be read; teach it again") from error
