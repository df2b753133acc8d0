"""One evaluation from sets to files, top to bottom."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from eval.datasets import DATA, Split, load_set, shipped_path
from eval.failures import list_failures
from eval.gates import Verdict, judge, load_gates
from eval.measures.robustness import measure_robustness
from eval.perturbing import CHANGES
from eval.records import Exchange, Item, QuestionSet
from eval.reporting.markdown import render_markdown
from eval.reporting.page import render_page
from eval.running import Target, ask_all, document_reader, open_target
from eval.runs import Run, describe, load_run, measure_all, write_run

REPORT_LOG = DATA / "report-log.jsonl"


@dataclass(frozen=True, slots=True)
class Request:
    """What to evaluate.

    Attributes:
        split: ``dev``, ``report``, or ``own`` for a user's files.
        sets: Shipped sets by name, where no files are given.
        files: A user's own sets.
        url: Address of a running service; None opens one in this process.
        headers: Sent with each request.
        mode: How answers are made.
        out: Folder for the results.
        limit: Questions of each set, None for all.
        baseline: An earlier run to show beside this one.
        robustness: Ask every question again in each of its changed forms.
    """

    split: str
    out: Path
    sets: Sequence[str] = ("answers", "triage")
    files: Sequence[Path] = ()
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    mode: str = "extractive"
    limit: int | None = None
    baseline: Path | None = None
    robustness: bool = False


def evaluate(
    request: Request,
    target: Target | None = None,
    watch: Callable[[int, int], None] | None = None,
    log: Path = REPORT_LOG,
) -> Run:
    """Run an evaluation and write its files.

    Sets and the baseline are read before the first question is asked: a fault shows at once. The report half's
    figures go into the log however the run went, since a look at that half is a look.

    Args:
        request: What to evaluate.
        target: Asked in place of what the request names.
        watch: Called with questions asked and in all.
        log: The log of the report half.

    Raises:
        SetError: a set holds faults.
        TargetError: the target cannot be reached.
        RunError: the baseline cannot be read.
    """
    sets = load_sets(request)
    baseline = load_run(request.baseline) if request.baseline is not None else None
    picked = [(part, spread(part.items, request.limit)) for part in sets]
    items = [item for _, chosen in picked for item in chosen]
    asked_target = target or open_target(request.url, request.headers, request.mode)
    exchanges, bodies = ask_all(asked_target, items, _counter(watch, len(items)))
    counted = [(part, len(chosen)) for part, chosen in picked]
    about = describe(counted, request.split, asked_target.name, bodies)
    run = measure_all(exchanges, document_reader(asked_target), about)
    if request.robustness:
        run = with_robustness(run, exchanges, asked_target)
    verdicts = judge(run, load_gates(), skip_absent=True) if request.split != "own" else []
    write_results(request.out, run, exchanges, verdicts, baseline)
    if request.split == "report":
        append_log(run, log)
    return run


def with_robustness(run: Run, exchanges: Sequence[Exchange], target: Target) -> Run:
    """Ask every question in each of its changed forms, and add the share of unchanged outcomes to the run."""
    changed = {}
    for name, change in CHANGES.items():
        items = [replace(ex.item, question=change(ex.item.question)) for ex in exchanges]
        changed[name] = ask_all(target, items)[0]
    measured = measure_robustness(exchanges, changed)
    return replace(
        run,
        figures=(*run.figures, *(one.figure for one in measured)),
        scores={**run.scores, **{one.figure.name: one.scores for one in measured}},
    )


def load_sets(request: Request) -> list[QuestionSet]:
    """Read the sets of a request.

    Raises:
        SetError: a set holds faults.
    """
    if request.files:
        return [load_set(path) for path in request.files]
    split: Split = "report" if request.split == "report" else "dev"
    return [load_set(shipped_path(name, split)) for name in request.sets]


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Return at most ``limit`` items, evenly spread over the file, so that each kind stays in."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[place * len(items) // limit] for place in range(limit)]


def write_results(
    folder: Path, run: Run, exchanges: Sequence[Exchange], verdicts: Sequence[Verdict], baseline: Run | None
) -> None:
    """Write ``run.json``, ``failures.jsonl`` and the reports into ``folder``."""
    failures = list_failures(exchanges)
    failed_before = frozenset(baseline.failed) if baseline is not None else frozenset()
    write_run(run, folder / "run.json")
    lines = (json.dumps(asdict(failure), ensure_ascii=False) for failure in failures)
    (folder / "failures.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "report.md").write_text(render_markdown(run, failures, verdicts), encoding="utf-8")
    page = render_page(run, failures, verdicts, baseline, failed_before)
    (folder / "report.html").write_text(page, encoding="utf-8")


def append_log(run: Run, log: Path) -> None:
    """Add one line with date, sets, hashes and figures to the log of the report half."""
    row: dict[str, Any] = {
        "created": run.about["created"],
        "sets": run.about["sets"],
        "snapshot_id": run.about["snapshot_id"],
        "model": run.about["model"],
        "target": "over HTTP" if str(run.about["target"]).startswith("http") else run.about["target"],
        "figures": {f.name: {"value": f.value, "low": f.low, "high": f.high, "n": f.n} for f in run.figures},
        "misses": dict(run.misses),
    }
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _counter(watch: Callable[[int, int], None] | None, total: int) -> Callable[[Exchange], None] | None:
    if watch is None:
        return None
    done = 0

    def count(_: Exchange) -> None:
        nonlocal done
        done += 1
        watch(done, total)

    return count
