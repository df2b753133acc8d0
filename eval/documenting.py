"""The project's own numbers in docs/evaluation.md, made from stored runs: nobody types a figure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.ablating import FIGURES, WHOLE, Ablated
from eval.datasets import load_set, shipped_names, shipped_path
from eval.errors import RunError
from eval.gates import Gate, load_gates
from eval.measures.robustness import GROUP as ROBUSTNESS
from eval.records import Figure
from eval.reporting.wording import interval_text, value_text
from eval.runs import Run

PAGE = Path("docs/evaluation.md")

_SHOWN = (
    "flags_caught emergencies_caught flags_level flags_too_mild false_alarms false_alarms_ordinary key_facts_all "
    "right_source_any right_source_first wrong_answers wrong_answers_upper coverage success_at_1 recall_at_10 "
    "ndcg_at_10 followups_first followups_found followups_right silence_f1 silence_precision silence_recall "
    "needless_refusals calibration_error sentences_cited sentences_verbatim quotes_exact citation_recall "
    "citation_precision words_median reading_grade redundancy"
).split()
_ABLATION_HEADS = ("nDCG@10", "key facts all present", "right source first", "abstention F1")
_CLEAR = 0.05


def write_numbers(page: Path, run: Run, log: Path, ablations: Path | None) -> None:
    """Put every generated table between its markers.

    Args:
        page: The page; it holds ``<!-- numbers NAME -->`` and ``<!-- end of numbers -->`` around each table.
        run: A run over the development halves.
        log: The log of the report halves; its last line is shown.
        ablations: What ``ablate`` stored, None leaves that table as it is.

    Raises:
        RunError: a file cannot be read, the run is of other sets than those that are shipped, or a marker is missing.
    """
    _check_sets(run)
    try:
        text = page.read_text(encoding="utf-8")
        report = json.loads(log.read_text(encoding="utf-8").strip().splitlines()[-1])
        rows = json.loads(ablations.read_text(encoding="utf-8")) if ablations is not None else None
    except (OSError, ValueError, IndexError) as fault:
        raise RunError(str(page), f"or a file behind it cannot be read: {fault}") from fault
    tables = {
        "halves": halves_table(run, report, load_gates()),
        "firmness": firmness_table(run),
        "speed": speed_table(run),
    }
    if rows is not None:
        tables["ablations"] = ablations_table(rows)
    for name, lines in tables.items():
        text = _between(text, name, lines, page)
    page.write_text(text, encoding="utf-8")


def halves_table(run: Run, report: Mapping[str, Any], gates: Sequence[Gate]) -> list[str]:
    """Return both halves side by side, each with its interval, and the limit that a release must keep."""
    limits = {gate.measure: gate for gate in gates}
    alone = _names(run.about) ^ _names(report)
    lines = [
        f"Development halves: {_provenance(run.about)}.",
        f"Report halves: {_provenance(report)}.",
        "In brackets 95 % intervals; a limit that the report half misses is set in bold.",
        *(
            [f"Only one of the two has {', '.join(sorted(alone))}: figures over all questions don't compare."]
            if alone
            else []
        ),
        "",
        "| measure | development half (tuned on) | report half | cases | limit |",
        "|---|---|---|---|---|",
    ]
    for name in _SHOWN:
        figure = run.figure(name)
        if figure is None:
            continue
        logged = report["figures"].get(name)
        there = _logged(figure, logged)
        limit = limits[name].needs(figure.unit) if name in limits else ""
        missed = logged is not None and name in limits and not _kept(limits[name], logged["value"])
        cases = str(logged["n"]) if logged is not None else "–"
        lines.append(
            f"| {figure.title} | {_with_interval(figure)} | {there} | {cases} | {f'**{limit}**' if missed else limit} |"
        )
    return lines


def firmness_table(run: Run) -> list[str]:
    """Return the share of unchanged outcomes, by change."""
    figures = [figure for figure in run.figures if figure.group == ROBUSTNESS]
    if not figures:
        raise RunError("the run", "was made without --robustness")
    lines = ["| asked | same answer, verdict and warning | questions |", "|---|---|---|"]
    return lines + [
        f"| {figure.name.removeprefix('robust_')} | {_with_interval(figure)} | {figure.n} |" for figure in figures
    ]


def speed_table(run: Run) -> list[str]:
    """Return the times by stage, and what start and memory came to."""
    stages = run.tables.get("stage") or {}
    lines = [
        f"One question after the other, in process, on {run.about.get('machine', 'an unnamed machine')}; milliseconds.",
        "",
        "| stage | p50 | p95 | p99 |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['p50']:.1f} | {row['p95']:.1f} | {row['p99']:.1f} |" for name, row in stages.items() if row
    ]
    extra = [
        f"{one.title}: {value_text(one.value, one.unit)}" for one in run.speed if one.name in {"start_ms", "memory_mb"}
    ]
    return [*lines, "", "; ".join(extra) + "."] if extra else lines


def ablations_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one line a part that was off; a difference that chance hardly makes is set in bold."""
    lines = [f"| off | {' | '.join(_ABLATION_HEADS)} |", "|---|" + "---|" * len(_ABLATION_HEADS)]
    whole = next(row for row in rows if row["name"] == WHOLE)
    for row in rows:
        cells = []
        for figure in FIGURES:
            value = f"{row['values'][figure]:.3f}"
            if row is not whole:
                value += f" ({row['values'][figure] - whole['values'][figure]:+.3f})"
            clear = row["p_values"].get(figure, 1.0) <= _CLEAR
            cells.append(f"**{value}**" if clear else value)
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    return lines


def write_ablations(rows: Sequence[Ablated], path: Path) -> None:
    """Store what ``ablate`` gave; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def _check_sets(run: Run) -> None:
    wanted = {load_set(shipped_path(name, "dev")).sha256 for name in shipped_names("dev")}
    whole = all(part["asked"] == part["items"] for part in run.about.get("sets", ()))
    if {part["sha256"] for part in run.about.get("sets", ())} != wanted or not whole:
        raise RunError("the run", "is not of the whole shipped development halves; make one with `backline-eval run`")


def _between(text: str, name: str, lines: Sequence[str], page: Path) -> str:
    pattern = re.compile(rf"(<!-- numbers {name} -->\n).*?(<!-- end of numbers -->)", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise RunError(str(page), f"needs the markers of the numbers {name} exactly once")
    body = "\n".join(lines)
    return pattern.sub(lambda match: f"{match[1]}\n{body}\n\n{match[2]}", text)


def _provenance(about: Mapping[str, Any]) -> str:
    hashes = ", ".join(f"{part['name']} `{part['sha256'][:12]}`" for part in about.get("sets", ()))
    return (
        f"{str(about.get('created', ''))[:10]}, snapshot `{about.get('snapshot_id')}`, {about.get('model')}, {hashes}"
    )


def _names(about: Mapping[str, Any]) -> set[str]:
    """Return what the sets of a half are about, without the half: ``answers``, ``triage``."""
    return {str(part["name"]).partition(".")[0] for part in about.get("sets", ())}


def _with_interval(figure: Figure) -> str:
    interval = interval_text(figure)
    return value_text(figure.value, figure.unit) + (f" ({interval})" if interval != "–" else "")


def _logged(figure: Figure, logged: Mapping[str, Any] | None) -> str:
    if logged is None:
        return "–"
    return _with_interval(
        Figure(
            name=figure.name,
            title=figure.title,
            value=logged["value"],
            low=logged["low"],
            high=logged["high"],
            n=logged["n"],
            meaning=figure.meaning,
            group=figure.group,
            unit=figure.unit,
            better=figure.better,
        )
    )


def _kept(gate: Gate, value: float | None) -> bool:
    return value is not None and gate.at_least <= value <= gate.at_most
