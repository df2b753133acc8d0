"""A run as one self-contained HTML page: no network, readable without scripts, light and dark, printable."""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eval.comparing import Comparison, changed_questions, compare_runs
from eval.failures import TITLES, Failure
from eval.gates import Verdict
from eval.measures.robustness import GROUP as ROBUSTNESS
from eval.records import Figure
from eval.replies import Told
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
_MOST_SIDE_BY_SIDE = 200


@dataclass(frozen=True, slots=True)
class Earlier:
    """The run that a page compares with.

    Attributes:
        run: Its figures; it must be of the same sets.
        told: What it said, by id of the question; empty where only the figures were kept.
    """

    run: Run
    told: Mapping[str, Told] = field(default_factory=dict)


def render_page(
    run: Run,
    failures: Sequence[Failure],
    verdicts: Sequence[Verdict],
    told: Mapping[str, Told] | None = None,
    earlier: Earlier | None = None,
) -> str:
    """Render the page.

    Args:
        run: The run.
        failures: Its failures, worst first.
        verdicts: Its gates.
        told: What was said, by id of the question; only a comparison shows it.
        earlier: The run to compare with.

    Raises:
        RunError: ``earlier`` was made on other sets.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    css, js = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    before = earlier.run if earlier is not None else None
    rows = [_failure(one, earlier) for one in failures]
    changes = compare_runs(before, run) if before is not None else []
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
        changes=_changes(changes),
        questions=_side_by_side(changes, told or {}, earlier.told if earlier is not None else {}),
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
    blank = dict.fromkeys(("created", "target", "snapshot_id", "model", "mode", "machine", "seed"), "")
    return {**blank, "sets": [], "versions": {}, **run.about}


def _gate(verdict: Verdict) -> Mapping[str, Any]:
    text = value_text(verdict.value, verdict.figure.unit) if verdict.figure else "–"
    return {"title": verdict.title, "text": text, "passed": verdict.passed, "reason": verdict.reason}


def _failure(failure: Failure, earlier: Earlier | None) -> dict[str, Any]:
    then = earlier.told.get(failure.id) if earlier is not None else None
    return {
        **asdict(failure),
        "title": TITLES[failure.kind],
        "fresh": earlier is not None and failure.id not in earlier.run.failed,
        "rank_words": _rank_words(failure.ranks),
        "before": then.got if then is not None else "",
        "rank_before": _rank_words(then.ranks) if then is not None else "",
    }


def _rank_words(ranks: Mapping[str, int | None]) -> str:
    return ", ".join(f"{name} {'not found' if rank is None else rank}" for name, rank in ranks.items())


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
    recall = run.curves.get("recall") or ()
    found = {"fused": ranks, **(run.tables.get("searcher") or {})} if asked else {}
    shares = [
        {
            "passages": k,
            **{name: f"{counts[k - 1]} of {asked}" for name, counts in found.items()},
            "recall": f"{recall[k - 1]:.3f}" if recall else "–",
        }
        for k, _ in enumerate(ranks, 1)
    ]
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
            "Steps: share of questions with a right source among the first passages, for the whole engine (fused) and "
            "each searcher alone. Recall: of all right sources, the share that the engine found there.",
            rank_chart({name: [count / asked for count in counts] for name, counts in found.items()}, recall),
            numbers_of(shares),
        ),
        _plot(
            "Time",
            "Share of questions answered within a time, on a logarithmic axis, one question at a time.",
            time_chart(run.tables.get("latency") or ()),
            numbers_of(times),
        ),
    ]
    return [
        *plots,
        _slices(run, "turn", "First questions and follow-ups"),
        _firmness(run),
        _slices(run, "source", "By source"),
        _slices(run, "phrasing", "By phrasing"),
        _kinds(run),
    ]


def _kinds(run: Run) -> Mapping[str, Any]:
    rows = {name: (row[0], row[0], row[1]) for name, row in (run.tables.get("category") or {}).items()}
    table = [["kind", "declined", "asked"], *([name, str(row[0]), str(row[2])] for name, row in rows.items())]
    title = "Declined, by kind"
    return _plot(title, "Questions that must be declined: declined, of those asked.", slices_chart(rows, title), table)


def _firmness(run: Run) -> Mapping[str, Any]:
    """Show the share of unchanged outcomes, where questions were asked in changed forms too."""
    found = [figure for figure in run.figures if figure.group == ROBUSTNESS and figure.value is not None]
    rows = {
        figure.name.removeprefix("robust_"): (round((figure.value or 0) * figure.n),) * 2 + (figure.n,)
        for figure in found
    }
    table = [
        ["asked otherwise", "same outcome", "asked"],
        *([name, str(row[0]), str(row[2])] for name, row in rows.items()),
    ]
    title = "Asked otherwise"
    return _plot(title, "Answer, verdict and warning all stay.", slices_chart(rows, title), table)


def _slices(run: Run, name: str, title: str) -> Mapping[str, Any]:
    rows = run.tables.get(name) or {}
    table = [[name, "right", "answered", "asked"], *([key, *map(str, row)] for key, row in rows.items())]
    return _plot(
        title, "Questions answered rightly, of those asked.", slices_chart(rows, title), table, wide=name == "source"
    )


def _plot(
    title: str, meaning: str, svg: str, numbers: Sequence[Sequence[str]], *, wide: bool = False
) -> Mapping[str, Any]:
    return {"title": title, "meaning": meaning, "svg": svg, "numbers": numbers, "css": "wide" if wide else "narrow"}


def _changes(comparisons: Sequence[Comparison]) -> list[Mapping[str, Any]]:
    return [
        {
            "title": one.figure.title,
            "before": value_text(one.before, one.figure.unit),
            "after": value_text(one.after, one.figure.unit),
            "p": f"{one.test.p_value:.4f}",
            "won": one.won,
            "lost": one.lost,
        }
        for one in comparisons
        if one.won or one.lost
    ]


def _side_by_side(
    comparisons: Sequence[Comparison], told: Mapping[str, Told], before: Mapping[str, Told]
) -> Sequence[Mapping[str, Any]]:
    """Return each changed question with what either run said, losses first."""
    return [
        {"lost": one.lost, "won": one.won, "now": told[one.id], "before": before.get(one.id)}
        for one in changed_questions(comparisons)
        if one.id in told
    ][:_MOST_SIDE_BY_SIDE]
