"""What every command of the evaluation needs: the application object, stopping, headers."""

from typing import NoReturn

import typer

app = typer.Typer(
    help="Measure how well Backline answers, declines and warns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EXIT_FAILURE = 1
EXIT_USAGE = 2


def read_headers(lines: list[str]) -> dict[str, str]:
    """Read ``Name: value`` lines, or end the command."""
    pairs = [line.partition(":") for line in lines]
    if any(not colon or not name.strip() for name, colon, _ in pairs):
        stop("--header wants 'Name: value'", EXIT_USAGE)
    return {name.strip(): value.strip() for name, _, value in pairs}


def stop(reason: str, code: int = EXIT_FAILURE) -> NoReturn:
    """End the command with its reason on standard error."""
    typer.echo(reason, err=True)
    raise typer.Exit(code)
