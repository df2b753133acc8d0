"""A run as Markdown, for a pull request or a wiki."""

from collections.abc import Sequence
from itertools import groupby

from eval.failures import TITLES, Failure
from eval.gates import Verdict
from eval.reporting.wording import better_text, interval_text, value_text
from eval.runs import Run

_SHOWN = 10


def render_markdown(run: Run, failures: Sequence[Failure], verdicts: Sequence[Verdict]) -> str:
    """Render headline, gates, slices and the first failures of each kind."""
    lines = [*_about(run, verdicts), *_gates(verdicts), *_figures(run), *_slices(run), *_failures(failures)]
    return "\n".join(lines) + "\n"


def verdict_words(verdicts: Sequence[Verdict]) -> str:
    """Say in words how the gates went."""
    failed = sum(not verdict.passed for verdict in verdicts)
    if not verdicts:
        return "no gates"
    return "all gates passed" if not failed else f"{failed} gate{'s' if failed > 1 else ''} failed"


def _about(run: Run, verdicts: Sequence[Verdict]) -> list[str]:
    about = run.about
    versions = ", ".join(f"{name} {value}" for name, value in about.get("versions", {}).items())
    parts = [
        f"Run {about.get('created', '')} on {about.get('target', '')}",
        f"snapshot {about.get('snapshot_id') or 'not stated'}",
        f"model {about.get('model') or 'not stated'}",
        f"{about.get('machine', '')}, {versions}",
        f"seed {about.get('seed', '')}",
    ]
    lines = [
        f"# Evaluation report: {verdict_words(verdicts)}",
        "",
        "; ".join(parts) + ".",
        "",
        "| set | questions asked | sha256 |",
        "|---|---|---|",
    ]
    rows = [
        f"| {part['name']} | {part['asked']} of {part['items']} | `{part['sha256']}` |"
        for part in about.get("sets", ())
    ]
    return [*lines, *rows, ""]


def _gates(verdicts: Sequence[Verdict]) -> list[str]:
    if not verdicts:
        return []
    lines = ["## Gates", "", "| gate | value | | |", "|---|---|---|---|"]
    for verdict in verdicts:
        value = value_text(verdict.value, verdict.figure.unit) if verdict.figure else "–"
        mark = "✓ Pass" if verdict.passed else "✗ Fail"
        lines.append(f"| {_cell(verdict.title)} | {value} | {mark} | {_cell(verdict.reason)} |")
    return [*lines, ""]


def _figures(run: Run) -> list[str]:
    lines = ["## Measures", "", "| measure | value | 95 % interval | n | what it means |", "|---|---|---|---|---|"]
    for group, figures in groupby((*run.figures, *run.speed), key=lambda figure: figure.group):
        lines.append(f"| **{group}** | | | | |")
        for figure in figures:
            hint = f" ({better_text(figure)})" if figure.better == "lower" else ""
            value, interval = value_text(figure.value, figure.unit), interval_text(figure)
            lines.append(
                f"| {_cell(figure.title)} | {value} | {interval} | {figure.n} | {_cell(figure.meaning)}{hint} |"
            )
    return [*lines, "", "Intervals: Wilson for shares, BCa bootstrap for means, percentile bootstrap for the rest.", ""]


def _slices(run: Run) -> list[str]:
    lines: list[str] = []
    for name, title in (("phrasing", "By phrasing"), ("source", "By right source")):
        rows = run.tables.get(name) or {}
        if rows:
            lines += [f"## {title}", "", f"| {name} | right | answered | asked |", "|---|---|---|---|"]
            lines += [f"| {key} | {row[0]} | {row[1]} | {row[2]} |" for key, row in rows.items()] + [""]
    rows = run.tables.get("category") or {}
    if rows:
        lines += ["## Declined, by kind of question", "", "| kind | declined | asked |", "|---|---|---|"]
        lines += [f"| {key} | {row[0]} | {row[1]} |" for key, row in rows.items()] + [""]
    rules = run.tables.get("rule") or ()
    if rules:
        lines += [
            "## Red flags by rule",
            "",
            "| rule | caught | level right | rule right | asked | false alarms | notes |",
        ]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [
            f"| {row['rule']} | {row['caught']} | {row['level_right']} | {row['rule_right']} | {row['asked']} "
            f"| {row['false_alarms']} | {row['notes']} |"
            for row in rules
        ] + [""]
    return lines


def _failures(failures: Sequence[Failure]) -> list[str]:
    lines = [f"## Failures: {len(failures)}", ""]
    for kind, title in TITLES.items():
        own = [failure for failure in failures if failure.kind == kind]
        if not own:
            continue
        lines += [f"### {title}: {len(own)}", "", "| id | question | expected | got |", "|---|---|---|---|"]
        lines += [
            f"| {one.id} | {_cell(one.question)} | {_cell(one.expected)} | {_cell(one.got)} |" for one in own[:_SHOWN]
        ]
        lines += [f"\n{len(own) - _SHOWN} more in failures.jsonl."] if len(own) > _SHOWN else []
        lines.append("")
    return lines


def _cell(text: str) -> str:
    flat = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return flat if len(flat) <= 300 else flat[:299] + "…"
