"""``backline-eval validate``, ``questions`` and ``from-feedback``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.cli.entry import EXIT_FAILURE, app, stop


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
        raise typer.Exit(EXIT_FAILURE)


@app.command()
def questions(
    files: Annotated[list[Path], typer.Argument(help="documents, or folders of them", exists=True)],
    out: Annotated[Path | None, typer.Option(help="where the drafts go (default: printed)")] = None,
) -> None:
    """Draft questions from headings and definitions of your own documents, for a person to approve."""
    from eval.drafting import draft_questions, drafts_as_items
    from eval.errors import EvaluationError

    try:
        drafts, refused = draft_questions(files)
    except EvaluationError as fault:
        stop(str(fault))
    for line in refused:
        typer.echo(f"refused   {line}", err=True)
    _write_drafts(drafts_as_items(drafts), out)


@app.command("from-feedback")
def from_feedback(
    file: Annotated[Path, typer.Argument(help="what `backline gaps --export` wrote")],
    out: Annotated[Path | None, typer.Option(help="where the drafts go (default: printed)")] = None,
) -> None:
    """Turn unanswered questions and disliked answers into draft items, for a person to approve."""
    from eval.errors import EvaluationError
    from eval.from_feedback import items_from_feedback

    try:
        items = items_from_feedback(file)
    except EvaluationError as fault:
        stop(str(fault))
    _write_drafts(items, out)


def _write_drafts(items: Sequence[dict[str, Any]], out: Path | None) -> None:
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    if out is None:
        typer.echo(text, nl=False)
    else:
        if out.exists():
            stop(f"{out} is there already, perhaps with what somebody approved; choose another name")
        out.write_text(text, encoding="utf-8")
    typer.echo(f'{len(items)} drafts; `run` takes a line once "approved" is true', err=True)
