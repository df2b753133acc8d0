"""``backline-eval ablate``, ``document`` and ``draw``."""

from pathlib import Path
from typing import Annotated

import typer

from eval.cli.entry import app, stop


@app.command()
def ablate(
    out: Annotated[Path, typer.Option(help="where the figures go")] = Path("var/eval/ablations.json"),
    limit: Annotated[int | None, typer.Option(min=1, help="ask only this many, evenly spread")] = None,
) -> None:
    """Answer the development half with each part of the engine switched off in turn."""
    from eval.ablating import ablate as ablate_parts
    from eval.documenting import ablations_table, write_ablations

    rows = ablate_parts(lambda name: typer.echo(f"off: {name}", err=True), limit)
    write_ablations(rows, out)
    typer.echo("\n".join(ablations_table([{"name": r.name, "values": r.values, "p_values": r.p_values} for r in rows])))


@app.command()
def document(
    run: Annotated[Path, typer.Option(help="a run over the development halves, with --robustness")] = Path(
        "var/eval/dev"
    ),
    ablations: Annotated[Path | None, typer.Option(help="what ablate stored (default: that table stays)")] = None,
    page: Annotated[Path, typer.Option(help="the page with the markers")] = Path("docs/evaluation.md"),
) -> None:
    """Write the project's own numbers into the page: both halves, firmness, speed, ablations."""
    from eval.documenting import write_numbers
    from eval.errors import EvaluationError
    from eval.evaluating import REPORT_LOG
    from eval.runs import load_run

    try:
        write_numbers(page, load_run(run), REPORT_LOG, ablations)
    except EvaluationError as fault:
        stop(str(fault))
    typer.echo(f"{page} is up to date")


@app.command()
def draw(
    run: Annotated[Path, typer.Option(help="the folder of a run over an answers set")] = Path("var/eval/dev"),
    size: Annotated[int, typer.Option(min=1, help="how many answers")] = 30,
) -> None:
    """Print some answers of a run word for word, drawn by the committed seed, to be read by a person."""
    from eval.drawing import as_markdown, draw_answers
    from eval.errors import EvaluationError
    from eval.replies import load_replies

    try:
        for line in as_markdown(draw_answers(load_replies(run), size)):
            typer.echo(line)
    except EvaluationError as fault:
        stop(str(fault))
