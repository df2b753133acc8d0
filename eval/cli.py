"""The command line of the evaluation: run, validate, calibrate, compare, gate.

Heavy libraries are imported inside the commands, so that ``--help`` answers at once.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from eval.evaluating import Request
    from eval.runs import Run
    from index.embedding import Embedder

app = typer.Typer(
    help="Measure how well Backline answers, declines and warns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

benchmarks = typer.Typer(help="Measure the search on public test collections.", no_args_is_help=True)
app.add_typer(benchmarks, name="benchmark")

_SPLITS = ("dev", "report")
_SETS = ("answers", "triage", "all")
_FAILED = 1
_USAGE = 2


@app.command()
def run(
    split: Annotated[
        str, typer.Option(help="dev, or report: that half is for the final figures and is logged")
    ] = "dev",
    which: Annotated[str, typer.Option("--set", help="answers, triage or all")] = "all",
    file: Annotated[list[Path] | None, typer.Option(help="your own set instead; may be given several times")] = None,
    url: Annotated[
        str | None, typer.Option(help="a running service; without it, one is opened in this process")
    ] = None,
    header: Annotated[list[str] | None, typer.Option(help="sent with each request, as 'Name: value'")] = None,
    mode: Annotated[str, typer.Option(help="extractive, generative or auto")] = "extractive",
    out: Annotated[Path | None, typer.Option(help="folder for the report (default var/eval/SPLIT)")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="ask only this many of each set, evenly spread")] = None,
    robustness: Annotated[  # noqa: FBT002 (a command-line flag)
        bool, typer.Option("--robustness", help="ask each question in four changed forms too")
    ] = False,
    compare_with: Annotated[Path | None, typer.Option("--against", help="an earlier run to show beside it")] = None,
) -> None:
    """Ask a set and print what came of it; writes run.json, failures.jsonl, report.md and report.html."""
    from eval.errors import EvaluationError
    from eval.evaluating import Request, evaluate
    from eval.reporting.table import render_run

    if split not in _SPLITS or which not in _SETS:
        _stop(f"--split is {' or '.join(_SPLITS)}, --set is one of {', '.join(_SETS)}", _USAGE)
    names = ("answers", "triage") if which == "all" else (which,)
    request = Request(
        split=split if not file else "own",
        sets=names,
        files=tuple(file or ()),
        url=url,
        headers=_headers(header or []),
        mode=mode,
        out=out or Path("var/eval") / (split if not file else "own"),
        limit=limit,
        baseline=compare_with,
        robustness=robustness,
    )
    try:
        finished = _with_progress(request) if sys.stderr.isatty() else evaluate(request)
    except EvaluationError as fault:
        _stop(str(fault), _FAILED)
    typer.echo(render_run(finished, shutil.get_terminal_size((120, 24)).columns))
    typer.echo(f"\nReport and failures: {request.out / 'report.html'}, {request.out / 'failures.jsonl'}")


@app.command()
def validate(files: Annotated[list[Path], typer.Argument(help="sets in JSON Lines")]) -> None:
    """Check question sets and explain each fault by file and line."""
    from eval.datasets import load_set
    from eval.errors import SetError

    sound = True
    for path in files:
        try:
            found = load_set(path)
        except SetError as fault:
            sound = False
            typer.echo("\n".join(fault.faults))
        else:
            typer.echo(f"{path}: {len(found.items)} items, sha256 {found.sha256}")
    if not sound:
        raise typer.Exit(_FAILED)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="run.json or its folder")],
    second: Annotated[Path, typer.Argument(help="run.json or its folder")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,  # noqa: FBT002 (a command-line flag)
) -> None:
    """Pair two runs question by question and test each figure by randomisation."""
    from dataclasses import asdict

    from eval.comparing import compare_runs
    from eval.errors import EvaluationError
    from eval.reporting.table import render_comparison
    from eval.runs import load_run

    try:
        found = compare_runs(load_run(first), load_run(second))
    except EvaluationError as fault:
        _stop(str(fault), _FAILED)
    typer.echo(json.dumps([asdict(one) for one in found], indent=1) if as_json else render_comparison(found))


@app.command()
def gate(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="run.json or its folder")],
    limits: Annotated[Path | None, typer.Option(help="a file of gates (default: the shipped one)")] = None,
    baseline: Annotated[Path | None, typer.Option(help="an earlier run: fail where a figure left its interval")] = None,
) -> None:
    """Hold a run against its limits; exits 1 when one is broken, and says which."""
    from eval.errors import EvaluationError
    from eval.gates import SHIPPED_GATES, falls, judge, load_gates
    from eval.reporting.table import render_verdicts
    from eval.runs import load_run

    try:
        finished = load_run(path)
        verdicts = judge(finished, load_gates(limits or SHIPPED_GATES))
        if baseline is not None:
            verdicts += falls(finished, load_run(baseline))
    except EvaluationError as fault:
        _stop(str(fault), _FAILED)
    typer.echo(render_verdicts(verdicts))
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(_FAILED)


@app.command()
def calibrate(
    file: Annotated[
        Path | None, typer.Option(help="your own answers set (default: the shipped development half)")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="where the fit goes (default: the service's own file)")] = None,
    risk: Annotated[
        float | None, typer.Option(min=0.001, max=0.999, help="highest share of wrong answers wanted")
    ] = None,
    wrong_cost: Annotated[float, typer.Option(min=0.01, help="cost of a wrong answer; a needless refusal is 1")] = 1.0,
) -> None:
    """Fit the probability that an answer is right, and the threshold below which the service abstains."""
    from eval.calibrating import calibrate_service
    from eval.errors import EvaluationError

    try:
        for line in calibrate_service(file, out, risk, wrong_cost):
            typer.echo(line)
    except EvaluationError as fault:
        _stop(str(fault), _FAILED)


@benchmarks.command("beir")
def benchmark_beir(
    folder: Annotated[Path, typer.Argument(help="corpus.jsonl, queries.jsonl (either may end in .gz), qrels/test.tsv")],
    searcher: Annotated[list[str] | None, typer.Option(help="bm25, dense or fused; may be given several times")] = None,
    out: Annotated[Path, typer.Option(help="folder for the TREC runs")] = Path("var/eval/beir"),
) -> None:
    """Run a BEIR folder through the real index, splitting off, and print its measures."""
    from eval.benchmarks.beir import SEARCHERS, load_collection, search_collection
    from eval.benchmarks.trec import judge_run, write_trec_run
    from eval.errors import EvaluationError
    from eval.reporting.table import render_judged

    chosen = tuple(searcher or SEARCHERS)
    if set(chosen) - set(SEARCHERS):
        _stop(f"--searcher is one of {', '.join(SEARCHERS)}", _USAGE)
    try:
        collection = load_collection(folder)
    except EvaluationError as fault:
        _stop(str(fault), _FAILED)
    for name, rankings in search_collection(collection, chosen, _embedder(chosen)).items():
        write_trec_run(rankings, out / f"{folder.name}.{name}.run", name)
        typer.echo(render_judged(f"{folder.name}, {name}", judge_run(rankings, collection.grades)))


@benchmarks.command("trec")
def benchmark_trec(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="a TREC run of six columns")],
    qrels: Annotated[Path, typer.Argument(help="judgements, grades may go beyond 1")],
) -> None:
    """Measure any TREC run against judgements."""
    from eval.benchmarks.trec import judge_run, load_qrels, load_trec_run
    from eval.errors import EvaluationError
    from eval.reporting.table import render_judged

    try:
        judged = judge_run(load_trec_run(path), load_qrels(qrels))
    except EvaluationError as fault:
        _stop(str(fault), _FAILED)
    typer.echo(render_judged(path.name, judged))


def main() -> None:
    """Entry point of ``backline-eval``: an index that cannot be opened is a message, not a traceback."""
    try:
        app()
    except Exception as error:
        from index.errors import RetrievalError  # here, because the package loads numpy

        if not isinstance(error, RetrievalError):
            raise
        typer.echo(str(error), err=True)
        raise SystemExit(_FAILED) from None


def _with_progress(request: "Request") -> "Run":
    from rich.console import Console
    from rich.progress import Progress

    from eval.evaluating import evaluate

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("asking", total=None)
        return evaluate(request, watch=lambda done, total: progress.update(task, completed=done, total=total))


def _embedder(searchers: tuple[str, ...]) -> "Embedder | None":
    if searchers == ("bm25",):
        return None
    from index.model_files import check_model_files
    from service.application import load_embedder
    from service.settings import load_settings

    settings = load_settings()
    return load_embedder(check_model_files(settings.model), settings)[0]


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = [line.partition(":") for line in lines]
    if any(not colon or not name.strip() for name, colon, _ in pairs):
        _stop("--header wants 'Name: value'", _USAGE)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _stop(reason: str, code: int) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(code)
