"""``backline-eval run``, ``compare`` and ``gate``."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.cli.entry import EXIT_FAILURE, EXIT_USAGE, app, read_headers, stop

if TYPE_CHECKING:
    from eval.evaluating import Request
    from eval.runs import Run

_SPLITS = ("dev", "report")


@app.command()
def run(
    split: Annotated[
        str, typer.Option(help="dev, or report: that half is for the final figures and is logged")
    ] = "dev",
    which: Annotated[str, typer.Option("--set", help="answers, dialogues, triage or all that are shipped")] = "all",
    file: Annotated[list[Path] | None, typer.Option(help="your own set instead; may be given several times")] = None,
    url: Annotated[
        str | None, typer.Option(help="a running service; without it, one is opened in this process")
    ] = None,
    target: Annotated[
        Path | None, typer.Option(help="a mapping to another system at --url: a file, or langchain, txtai, openai-chat")
    ] = None,
    collection: Annotated[str, typer.Option(help="what is asked about")] = "default",
    header: Annotated[list[str] | None, typer.Option(help="sent with each request, as 'Name: value'")] = None,
    mode: Annotated[str, typer.Option(help="extractive, generative or auto")] = "extractive",
    out: Annotated[Path | None, typer.Option(help="folder for the report (default var/eval/SPLIT)")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="ask only this many of each set, evenly spread")] = None,
    robustness: Annotated[  # noqa: FBT002 (a command-line flag)
        bool, typer.Option("--robustness", help="ask each question in four changed forms too")
    ] = False,
    compare_with: Annotated[Path | None, typer.Option("--against", help="an earlier run to show beside it")] = None,
) -> None:
    """Ask a set and print what came of it; writes its figures, replies, failures and reports."""
    from eval.datasets import SHIPPED
    from eval.errors import EvaluationError
    from eval.evaluating import Request, evaluate
    from eval.reporting.table import render_run

    if split not in _SPLITS or which not in {*SHIPPED, "all"}:
        stop(f"--split is {' or '.join(_SPLITS)}, --set is one of {', '.join(SHIPPED)}, all", EXIT_USAGE)
    request = Request(
        split=split if not file else "own",
        sets=() if which == "all" else (which,),
        files=tuple(file or ()),
        url=url,
        headers=read_headers(header or []),
        mode=mode,
        out=out or Path("var/eval") / (split if not file else "own"),
        limit=limit,
        baseline=compare_with,
        robustness=robustness,
        collection=collection,
        mapping=target,
    )
    try:
        finished = _with_progress(request) if sys.stderr.isatty() else evaluate(request)
    except EvaluationError as fault:
        stop(str(fault))
    typer.echo(render_run(finished, shutil.get_terminal_size((120, 24)).columns))
    typer.echo(f"\nReport and failures: {request.out / 'report.html'}, {request.out / 'failures.jsonl'}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="run.json or its folder")],
    second: Annotated[Path, typer.Argument(help="run.json or its folder")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,  # noqa: FBT002 (a command-line flag)
    show: Annotated[int, typer.Option(min=0, help="changed questions to show with both replies, losses first")] = 5,
) -> None:
    """Pair two runs question by question, test each figure by randomisation, show wins and losses side by side."""
    from dataclasses import asdict

    from eval.comparing import changed_questions, compare_runs
    from eval.errors import EvaluationError
    from eval.replies import load_replies
    from eval.reporting.table import render_comparison, render_side_by_side
    from eval.runs import load_run

    try:
        found = compare_runs(load_run(first), load_run(second))
        replies = load_replies(first), load_replies(second)
    except EvaluationError as fault:
        stop(str(fault))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    typer.echo(render_comparison(found))
    typer.echo(render_side_by_side(changed_questions(found), *replies, shown=show))


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
        stop(str(fault))
    typer.echo(render_verdicts(verdicts))
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(EXIT_FAILURE)


def _with_progress(request: "Request") -> "Run":
    from rich.console import Console
    from rich.progress import Progress

    from eval.evaluating import evaluate

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("asking", total=None)
        return evaluate(request, watch=lambda done, total: progress.update(task, completed=done, total=total))
