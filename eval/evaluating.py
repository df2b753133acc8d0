"""One evaluation from sets to files, top to bottom."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from eval.comparing import check_same_sets
from eval.datasets import DATA, Split, check_distinct, load_set, shipped_names, shipped_path
from eval.failures import list_failures
from eval.gates import Verdict, judge, load_gates
from eval.measures.robustness import measure_robustness
from eval.measures.speed import measure_process
from eval.naming import exchange_in_titles, set_in_titles, source_titles
from eval.perturbing import CHANGES, load_paraphrases
from eval.records import Exchange, Item, QuestionSet
from eval.replies import FILE, Told, load_replies, tell, write_replies
from eval.reporting.markdown import render_markdown
from eval.reporting.page import Earlier, render_page
from eval.running import (
    DEFAULT_COLLECTION,
    Closes,
    InProcessTarget,
    Target,
    ask_all,
    document_reader,
    open_target,
    search_apart,
)
from eval.runs import Run, describe, load_run, measure_all, write_run

REPORT_LOG = DATA / "report-log.jsonl"


@dataclass(frozen=True, slots=True)
class Request:
    """What to evaluate.

    Attributes:
        split: ``dev``, ``report``, or ``own`` for a user's files.
        sets: Shipped sets by name, where no files are given; empty for all that are shipped.
        files: A user's own sets.
        url: Address of a running service; None opens one in this process.
        headers: Sent with each request.
        mode: How answers are made.
        out: Folder for the results.
        limit: Questions of each set, None for all.
        baseline: An earlier run to show beside this one.
        robustness: Ask every question again in each of its changed forms.
        collection: What is asked about.
        mapping: How to speak to the system at ``url``, where it is not ours.
    """

    split: str
    out: Path
    sets: Sequence[str] = ()
    files: Sequence[Path] = ()
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    mode: str = "extractive"
    limit: int | None = None
    baseline: Path | None = None
    robustness: bool = False
    collection: str = DEFAULT_COLLECTION
    mapping: Path | None = None


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
        MappingError: the mapping cannot be used.
        RunError: the baseline cannot be read, or is of other questions.
    """
    sets = load_sets(request)
    baseline = load_run(request.baseline) if request.baseline is not None else None
    told = load_replies(request.baseline) if request.baseline is not None else {}
    if baseline is not None:
        before = {part["name"]: part["sha256"] for part in baseline.about.get("sets", ())}
        check_same_sets(before, {part.name: part.sha256 for part in sets})
    if target is not None:
        return _evaluate(request, target, sets, (baseline, told), watch, log)
    opened = open_target(request.url, request.headers, request.mode, request.collection, request.mapping)
    try:
        return _evaluate(request, opened, sets, (baseline, told), watch, log)
    finally:
        if isinstance(opened, Closes):
            opened.close()


def _evaluate(
    request: Request,
    target: Target,
    sets: list[QuestionSet],
    earlier: tuple[Run | None, Mapping[str, Told]],
    watch: Callable[[int, int], None] | None,
    log: Path,
) -> Run:
    titles = source_titles(target) if request.files else {}
    sets = [set_in_titles(part, titles) for part in sets]
    picked = [(part, spread(part.items, request.limit)) for part in sets]
    items = [item for _, chosen in picked for item in chosen]
    exchanges, bodies = ask_all(target, items, _counter(watch, len(items)))
    exchanges = [search_apart(target, exchange, body) for exchange, body in zip(exchanges, bodies, strict=True)]
    exchanges = [exchange_in_titles(exchange, titles) for exchange in exchanges]
    counted = [(part, len(chosen)) for part, chosen in picked]
    about = describe(counted, request.split, target.name, bodies, request.mode)
    run = measure_all(exchanges, document_reader(target), about)
    if isinstance(target, InProcessTarget) and target.start_ms is not None:
        run = replace(run, speed=(*run.speed, *(one.figure for one in measure_process(target.start_ms))))
    if request.robustness:
        run = with_robustness(run, exchanges, target, titles)
    verdicts = judge(run, load_gates(), skip_absent=True) if request.split != "own" else []
    write_results(request.out, run, exchanges, verdicts, *earlier)
    if request.split == "report":
        append_log(run, log)
    return run


def with_robustness(
    run: Run, exchanges: Sequence[Exchange], target: Target, titles: Mapping[str, str] | None = None
) -> Run:
    """Ask every question in each of its changed forms, and add the share of unchanged outcomes to the run."""
    asked = [exchange.item for exchange in exchanges]
    wordings = {name: {item.id: change(item.question) for item in asked} for name, change in CHANGES.items()}
    reworded = load_paraphrases()
    wordings["paraphrased"] = {item.id: reworded[item.id] for item in asked if item.id in reworded}
    changed = {}
    for name, wording in wordings.items():
        items = [replace(item, question=wording[item.id]) for item in asked if item.id in wording]
        changed[name] = [exchange_in_titles(one, titles or {}) for one in ask_all(target, items)[0]]
    measured = [one for one in measure_robustness(exchanges, changed) if one.figure.n]
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
    split: Split = "report" if request.split == "report" else "dev"
    names = request.sets or shipped_names(split)
    sets = [load_set(path) for path in request.files or [shipped_path(name, split) for name in names]]
    check_distinct(sets)
    return sets


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Return at most ``limit`` items, evenly spread over the file, so that each kind stays in."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[place * len(items) // limit] for place in range(limit)]


def write_results(
    folder: Path,
    run: Run,
    exchanges: Sequence[Exchange],
    verdicts: Sequence[Verdict],
    baseline: Run | None = None,
    told: Mapping[str, Told] | None = None,
) -> None:
    """Write ``run.json``, ``replies.jsonl``, ``failures.jsonl`` and the reports into ``folder``.

    Args:
        folder: Made where it is missing.
        run: The run.
        exchanges: What it was made of.
        verdicts: Its gates.
        baseline: An earlier run to show beside it.
        told: What was said in that run, by id of the question.
    """
    failures = list_failures(exchanges)
    write_run(run, folder / "run.json")
    write_replies(exchanges, folder / FILE)
    lines = (json.dumps(asdict(failure), ensure_ascii=False) for failure in failures)
    (folder / "failures.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "report.md").write_text(render_markdown(run, failures, verdicts), encoding="utf-8")
    earlier = Earlier(baseline, told or {}) if baseline is not None else None
    page = render_page(run, failures, verdicts, {ex.item.id: tell(ex) for ex in exchanges}, earlier)
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
