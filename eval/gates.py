"""Gates: limits that a run must keep, and a baseline that it must not fall behind."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

from eval.errors import RunError
from eval.records import Figure, Unit
from eval.runs import Run

SHIPPED_GATES = Path(__file__).parent / "data" / "gates.toml"


@dataclass(frozen=True, slots=True)
class Gate:
    """One limit.

    Attributes:
        measure: Name of the figure.
        at_least: Lowest value that passes, -inf where there is none.
        at_most: Highest value that passes, inf where there is none.
        why: One sentence: what breaks for a reader below the limit.
    """

    measure: str
    at_least: float
    at_most: float
    why: str

    def needs(self, unit: Unit) -> str:
        """Return the limit in signs, such as ``≥ 95 %``; a space in it does not break."""
        parts = [f"≥ {_limit(self.at_least, unit)}"] if math.isfinite(self.at_least) else []
        parts += [f"≤ {_limit(self.at_most, unit)}"] if math.isfinite(self.at_most) else []
        return " and ".join(parts).replace(" ", "\N{NO-BREAK SPACE}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one gate.

    Attributes:
        measure: Name of the figure.
        title: Its title.
        value: Its value, None where the run has none.
        passed: Whether it holds.
        reason: What it needs, or what went wrong.
        figure: The figure, None where the run has none.
    """

    measure: str
    title: str
    value: float | None
    passed: bool
    reason: str
    figure: Figure | None = None


def load_gates(path: Path = SHIPPED_GATES) -> tuple[Gate, ...]:
    """Read the gates of a file.

    Raises:
        RunError: the file is missing, is no TOML, or a gate lacks a measure or a limit.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))["gate"]
        gates = tuple(
            Gate(
                measure=str(table["measure"]),
                at_least=float(table.get("at_least", -math.inf)),
                at_most=float(table.get("at_most", math.inf)),
                why=str(table["why"]),
            )
            for table in tables
        )
    except OSError as fault:
        raise RunError(str(path), f"cannot be read: {fault.strerror}") from fault
    except (KeyError, ValueError, TypeError) as fault:
        raise RunError(str(path), f"is no file of gates: {fault!r}") from fault
    for gate in gates:
        if not (math.isfinite(gate.at_least) or math.isfinite(gate.at_most)):
            raise RunError(str(path), f"the gate of {gate.measure} has neither at_least nor at_most")
    return gates


def judge(run: Run, gates: tuple[Gate, ...], *, skip_absent: bool = False) -> list[Verdict]:
    """Hold a run against the limits.

    A figure that the run lacks fails its gate: what was not measured has not passed.

    Args:
        run: The run.
        gates: The limits.
        skip_absent: Leave absent figures out, for a report on a part of the sets.
    """
    verdicts = []
    for gate in gates:
        figure = run.figure(gate.measure)
        if figure is None or figure.value is None:
            if not skip_absent:
                verdicts.append(Verdict(gate.measure, gate.measure, None, passed=False, reason="was not measured"))
            continue
        passed = gate.at_least <= figure.value <= gate.at_most
        verdicts.append(
            Verdict(gate.measure, figure.title, figure.value, passed, f"needs {gate.needs(figure.unit)}", figure)
        )
    return verdicts


def falls(run: Run, baseline: Run) -> list[Verdict]:
    """Return a failed verdict for each figure that left the baseline's interval on the worse side.

    Only figures whose better side is known and that have an interval in the baseline are compared.
    """
    found = []
    for before in baseline.figures:
        now = run.figure(before.name)
        if now is None or now.value is None or before.low is None or before.high is None:
            continue
        below = before.better == "higher" and now.value < before.low
        above = before.better == "lower" and now.value > before.high
        if below or above:
            reason = f"left the baseline's interval {before.low:.3f} to {before.high:.3f}"
            found.append(Verdict(before.name, before.title, now.value, passed=False, reason=reason, figure=now))
    return found


def _limit(value: float, unit: Unit) -> str:
    if unit == "share":
        return f"{100 * value:g} %"
    return f"{value:g} ms" if unit == "ms" else f"{value:g}"
