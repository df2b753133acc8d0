"""A run as one self-contained HTML page: no network, readable without scripts, light and dark, printable."""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.comparing import compare_runs
from eval.failures import TITLES, Failure
from eval.gates import Verdict
from eval.records import Figure
from eval.reporting.charts import (
    measures_chart,
    numbers_of,
    rank_chart,
    reliability_chart,
    risk_chart,
    slices_chart,
    time_chart,
)
from eval.reporting.markdown import verdict_words
from eval.reporting.wording import better_text, interval_text, value_text
from eval.runs import Run

HERE = Path(__file__).parent

_HEADLINE = (
    "success_at_10 ndcg_at_10 mrr_at_10 recall_at_10 key_facts_all right_source_any right_source_first "
    "sentences_verbatim silence_recall silence_precision silence_f1 flags_caught emergencies_caught flags_level"
).split()
_ANSWER_KINDS = frozenset({"unproven", "wrong_source", "fact_missing", "needless_refusal", "not_in_ten"})


def render_page(
    run: Run,
    failures: Sequence[Failure],
    verdicts: Sequence[Verdict],
    before: Run | None = None,
    failed_before: Set[str] = frozenset(),
) -> str:
    """Render the page.

    Args:
        run: The run.
        failures: Its failures, worst first.
        verdicts: Its gates.
        before: The run to compare with; it must be of the same sets.
        failed_before: Ids of the questions that failed in that run.

    Raises:
        RunError: ``before`` was made on other sets.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    css, js = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    rows = [_failure(one, is_fresh=before is not None and one.id not in failed_before) for one in failures]
    counts = Counter(one.kind for one in failures)
    return pages.get_template("page.html.j2").render(
        about=_about(run),
        before=before,
        verdict=verdict_words(verdicts),
        failed=any(not verdict.passed for verdict in verdicts),
        verdicts=[_gate(verdict) for verdict in verdicts],
        plots=[plot for plot in _plots(run, before) if plot["svg"]],
        rules=run.tables.get("rule") or (),
        failures=rows,
        kinds=[(kind, title, counts[kind]) for kind, title in TITLES.items() if counts[kind]],
        fresh=sum(row["fresh"] for row in rows),
        slices=sorted({name for one in failures for name in one.slices}),
        changes=_changes(run, before),
        figures=[_figure(figure) for figure in (*run.figures, *run.speed)],
        css=css,
        js=js,
        css_hash=_hash_of(css),
        js_hash=_hash_of(js),
    )


def _hash_of(text: str) -> str:
    """Return the hash under which the page's own policy lets this one text through, and nothing else."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _about(run: Run) -> Mapping[str, Any]:
    blank = dict.fromkeys(("created", "target", "snapshot_id", "model", "machine", "seed"), "")
    return {**blank, "sets": [], "versions": {}, **run.about}


def _gate(verdict: Verdict) -> Mapping[str, Any]:
    text = value_text(verdict.value, verdict.figure.unit) if verdict.figure else "–"
    return {"title": verdict.title, "text": text, "passed": verdict.passed, "reason": verdict.reason}


def _failure(failure: Failure, *, is_fresh: bool) -> dict[str, Any]:
    return {
        **asdict(failure),
        "title": TITLES[failure.kind],
        "fresh": is_fresh,
        "is_answer": failure.kind in _ANSWER_KINDS,
    }


def _figure(figure: Figure) -> Mapping[str, Any]:
    hint = f" ({better_text(figure)})" if figure.better == "lower" else ""
    return {
        "title": figure.title,
        "value": value_text(figure.value, figure.unit),
        "interval": interval_text(figure),
        "n": figure.n,
        "meaning": figure.meaning + hint,
    }


def _plots(run: Run, before: Run | None) -> list[Mapping[str, Any]]:
    headline = [figure for name in _HEADLINE if (figure := run.figure(name)) is not None]
    earlier = {figure.name: figure.value for figure in before.figures if figure.value is not None} if before else {}
    bins, points = run.curves.get("reliability") or (), run.curves.get("risk_coverage") or ()
    ranks, asked = run.curves.get("rank") or (), run.curves.get("asked") or 0
    stages = run.tables.get("stage") or {}
    shares = [{"passages": k, "with a right source": count, "asked": asked} for k, count in enumerate(ranks, 1)]
    times = [{"stage": name, **row} for name, row in stages.items()]
    error = run.figure("calibration_error")
    honest = f" Error {error.value:.3f}." if error is not None and error.value is not None else ""
    plots = [
        _plot(
            "Measures",
            "A dot is this run with its 95 % interval, a diamond the run before. An interval that holds the diamond is "
            "no proof of change.",
            measures_chart(headline, earlier),
            [["measure", "value", "95 % interval"]]
            + [[f.title, value_text(f.value, f.unit), interval_text(f)] for f in headline],
            wide=True,
        ),
        _plot(
            "Is the probability honest?",
            f"Share of answers that were right at each stated probability. Dashes: perfect.{honest}",
            reliability_chart(bins),
            numbers_of(bins),
        ),
        _plot(
            "What abstaining buys",
            "Share of answers that are wrong as more questions are answered, the surest first. The curve ends where "
            "the service turns silent.",
            risk_chart(points, run.curves.get("threshold")),
            numbers_of(points),
        ),
        _plot(
            "Rank of the right source",
            "Share of questions with a right source among the first passages.",
            rank_chart(ranks, asked),
            numbers_of(shares),
        ),
        _plot(
            "Time",
            "From p50 (full dot) over p95 to p99 (ring), on a logarithmic axis, one question at a time.",
            time_chart(stages),
            numbers_of(times),
        ),
    ]
    return [
        *plots,
        *(_slices(run, name, title) for name, title in (("phrasing", "By phrasing"), ("source", "By source"))),
    ]


def _slices(run: Run, name: str, title: str) -> Mapping[str, Any]:
    rows = run.tables.get(name) or {}
    table = [[name, "right", "answered", "asked"], *([key, *map(str, row)] for key, row in rows.items())]
    return _plot(
        title, "Questions answered rightly, of those asked.", slices_chart(rows, title), table, wide=name == "source"
    )


def _plot(
    title: str, meaning: str, svg: str, numbers: Sequence[Sequence[str]], *, wide: bool = False
) -> Mapping[str, Any]:
    return {"title": title, "meaning": meaning, "svg": svg, "numbers": numbers, "wide": wide}


def _changes(run: Run, before: Run | None) -> list[Mapping[str, Any]]:
    if before is None:
        return []
    return [
        {
            "title": one.figure.title,
            "before": value_text(one.before, one.figure.unit),
            "after": value_text(one.after, one.figure.unit),
            "p": f"{one.test.p_value:.4f}",
            "won": one.won,
            "lost": one.lost,
        }
        for one in compare_runs(before, run)
        if one.won or one.lost
    ]
