"""A run as plain text for a terminal: one table, then what went wrong."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby

from eval.benchmarks.trec import Judged
from eval.comparing import Changed, Comparison
from eval.failures import TITLES
from eval.gates import Verdict
from eval.records import Better, Figure
from eval.replies import Told
from eval.reporting.wording import interval_text, value_text
from eval.runs import Run

_WIDEST_TITLE = 40
_WANTED: Mapping[Better, str] = {"higher": "more", "lower": "less", "neither": ""}


def render_run(run: Run, width: int = 120) -> str:
    """Render the headline table, the misses and the flags by rule.

    Args:
        run: The run.
        width: Columns of the terminal; meanings wrap to fit, at least 90 are used.
    """
    lines = [*_about(run), ""]
    lines += _header(width)
    for group, figures in groupby((*run.figures, *run.speed), key=lambda figure: figure.group):
        lines.append(group)
        for figure in figures:
            lines += _row(figure, max(width, 90))
    lines += ["", *_misses(run), *_rules(run), *_categories(run)]
    return "\n".join(lines)


def render_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Render one line a gate, failures marked in words."""
    lines = []
    for verdict in verdicts:
        value = value_text(verdict.value, verdict.figure.unit) if verdict.figure else "–"
        mark = "✓ pass" if verdict.passed else "✗ FAIL"
        lines.append(f"{mark}  {verdict.title:<{_WIDEST_TITLE}} {value:>9}  {verdict.reason}")
    return "\n".join(lines)


def render_comparison(comparisons: Sequence[Comparison], shown: int = 5) -> str:
    """Render one line a figure, and the first questions won and lost where the difference is no chance."""
    lines = [f"{'measure':<{_WIDEST_TITLE}} {'first':>9} {'second':>9}  {'p':>6}  won/lost"]
    for one in comparisons:
        unit = one.figure.unit
        mark = "  differs" if one.test.p_value <= 0.05 else ""
        lines.append(
            f"{one.figure.title:<{_WIDEST_TITLE}} {value_text(one.before, unit):>9} {value_text(one.after, unit):>9}"
            f"  {one.test.p_value:>6.4f}  {len(one.won)}/{len(one.lost)}{mark}"
        )
        if mark:
            lines += [
                f"    won: {', '.join(one.won[:shown]) or 'none'}",
                f"    lost: {', '.join(one.lost[:shown]) or 'none'}",
            ]
    return "\n".join(lines)


def render_side_by_side(
    changed: Sequence[Changed], before: Mapping[str, Told], after: Mapping[str, Told], shown: int
) -> str:
    """Render the first changed questions with what either run said.

    Args:
        changed: Losses first.
        before: What the first run said, by question; empty where only its figures were kept.
        after: What the second said.
        shown: Questions to show.
    """
    if not changed:
        return "\nNo question changed."
    worse = sum(len(one.lost) > 0 for one in changed)
    lines = ["", f"{len(changed)} questions changed, {worse} of them for the worse on some measure"]
    for one in changed[:shown]:
        told = after.get(one.id) or before.get(one.id)
        lines += ["", f"{one.id}  {told.question if told else ''}".rstrip()]
        lines += [f"  lost    {', '.join(one.lost)}"] if one.lost else []
        lines += [f"  won     {', '.join(one.won)}"] if one.won else []
        for name, replies in (("before", before), ("after", after)):
            if one.id in replies:
                lines += _told(name, replies[one.id])
    if not before or not after:
        lines += ["", "One run was kept without replies.jsonl: what it said cannot be shown."]
    if len(changed) > shown:
        lines += ["", f"{len(changed) - shown} more: --show {len(changed)}"]
    return "\n".join(lines)


def _told(name: str, told: Told) -> list[str]:
    source = f" [{', '.join(told.sources)}]" if told.sources else ""
    start = f"  {name:<7} "
    parts = textwrap.wrap(f"{told.got}{source}", 100) or ["nothing"]
    return [start + parts[0], *(" " * len(start) + part for part in parts[1:])]


def render_judged(name: str, judged: Judged) -> str:
    """Render the measures of a judged run, with what was left out or found nothing."""
    lines = [name]
    for one in judged.figures:
        figure = one.figure
        value = value_text(figure.value, "score")
        ends = "" if figure.low is None or figure.high is None else f"{figure.low:.3f} to {figure.high:.3f}"
        lines.append(f"  {figure.title:<14} {value}  {ends:<16} n {figure.n}")
    if judged.empty or judged.unjudged:
        lines.append(f"  {judged.empty} queries without a hit count as 0; {judged.unjudged} unjudged queries left out")
    if judged.barren:
        lines.append(f"  {judged.barren} queries without anything relevant count as 0")
    return "\n".join(lines)


def _about(run: Run) -> list[str]:
    about = run.about
    sets = ", ".join(f"{part['name']} ({part['asked']} of {part['items']})" for part in about.get("sets", ()))
    return [
        f"Run {about.get('created', '')} on {about.get('target', '')}: {sets}",
        f"snapshot {about.get('snapshot_id') or 'not stated'}, model {about.get('model') or 'not stated'}",
    ]


def _header(width: int) -> list[str]:
    head = f"  {'measure':<{_WIDEST_TITLE}} {'value':>9}  {'95 % interval':<15} {'n':>5}  want  what it means"
    return [head, "-" * min(width, 120)]


def _row(figure: Figure, width: int) -> list[str]:
    start = (
        f"  {figure.title:<{_WIDEST_TITLE}} {value_text(figure.value, figure.unit):>9}"
        f"  {interval_text(figure):<15} {figure.n:>5}  {_WANTED[figure.better]:<4}  "
    )
    parts = textwrap.wrap(figure.meaning, max(width - len(start), 30))
    return [start + parts[0], *(" " * len(start) + part for part in parts[1:])]


def _misses(run: Run) -> list[str]:
    if not run.misses:
        return ["Nothing went wrong."]
    counted = [(kind, run.misses[kind]) for kind in TITLES if kind in run.misses]
    return ["What went wrong, each question counted once, worst first", *(f"  {n:>5}  {TITLES[k]}" for k, n in counted)]


def _rules(run: Run) -> list[str]:
    rows = run.tables.get("rule") or ()
    if not rows:
        return []
    lines = ["", "Red flags by rule (caught/asked, level right, false alarms, notes on harmless texts)"]
    cells = [
        f"{row['rule']} {row['caught']:>2}/{row['asked']:<2} {row['level_right']:>2}"
        f" {row['false_alarms']:>2} {row['notes']:>2}"
        for row in rows
    ]
    return lines + ["  " + "   |   ".join(cells[start : start + 4]) for start in range(0, len(cells), 4)]


def _categories(run: Run) -> list[str]:
    rows = run.tables.get("category") or {}
    if not rows:
        return []
    return [
        "",
        "Declined, by kind of question",
        *(f"  {name:<20} {row[0]:>3} of {row[1]}" for name, row in rows.items()),
    ]
