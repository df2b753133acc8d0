"""``backline-eval calibrate`` and ``teach-triage``: what is fitted; ``alarms``: what the screening makes of a file."""

from pathlib import Path
from typing import Annotated

import typer

from eval.cli.entry import app, stop


@app.command()
def calibrate(
    file: Annotated[
        list[Path] | None,
        typer.Option(help="your own set, may be given several times (default: the shipped development halves)"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="where the fit goes (default: the service's own file)")] = None,
    risk: Annotated[
        float | None,
        typer.Option(min=0.001, max=0.999, help="highest share of wrong answers; each question counts once"),
    ] = None,
    wrong_cost: Annotated[float, typer.Option(min=0.01, help="cost of a wrong answer; a needless refusal is 1")] = 1.0,
    unread: Annotated[
        list[str] | None, typer.Option(help="how ids of questions begin whose failures nobody has read yet")
    ] = None,
    unread_count: Annotated[float, typer.Option(min=1, help="as how many questions each of those counts")] = 6.0,
) -> None:
    """Fit the probability that an answer is right, and the threshold below which the service abstains."""
    from eval.calibrating import calibrate_service
    from eval.errors import EvaluationError

    try:
        for line in calibrate_service(file or [], out, risk, wrong_cost, None, unread or (), unread_count):
            typer.echo(line)
    except EvaluationError as fault:
        stop(str(fault))


@app.command("teach-triage")
def teach_triage() -> None:
    """Teach the second reader of the screening from the written examples, and say what is caught when held back."""
    from eval.errors import EvaluationError
    from eval.teaching import teach_triage as teach

    try:
        for line in teach():
            typer.echo(line)
    except EvaluationError as fault:
        stop(str(fault))


@app.command()
def alarms(
    file: Annotated[Path, typer.Argument(help="questions in JSON Lines, may end in .gz")],
    field: Annotated[str, typer.Option(help="the field that holds the question")] = "question",
    draw: Annotated[int, typer.Option(min=1, help="how many are drawn, by the committed seed")] = 1000,
) -> None:
    """Screen ordinary questions from a file of your own, and list each one that raises an alarm."""
    from eval.alarming import draw_questions, list_alarms
    from eval.errors import EvaluationError
    from service.triage.screening import load_rules

    try:
        for line in list_alarms(draw_questions(file, field, draw), load_rules()):
            typer.echo(line)
    except EvaluationError as fault:
        stop(str(fault))
