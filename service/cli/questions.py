"""``backline questions``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from service.cli.common import app

questions = typer.Typer(help="Take out questions that were logged.", no_args_is_help=True)
app.add_typer(questions, name="questions")


@questions.callback()
def group() -> None:
    """Hold the commands together while there is one only."""


@questions.command("delete")
def delete(
    *, older_than: Annotated[int, typer.Option(help="Days; of what is older the files go. 0: all.", min=0)]
) -> None:
    """Delete logged questions before their time."""
    from service.question_log import delete_older
    from service.settings import load_settings

    count = delete_older(load_settings().question_log, older_than, datetime.now(UTC).date())
    print(f"{count} days of questions are deleted")
