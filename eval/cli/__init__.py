"""The command line of the evaluation: run, compare, gate, validate, calibrate, benchmark, load and more.

One module a group of commands; heavy libraries are imported inside the commands, so that help answers at once.
"""

import typer

from eval.cli import benchmarks, calibrating, documenting, running, sets  # noqa: F401 - importing registers them
from eval.cli.entry import EXIT_FAILURE, app

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of ``backline-eval``: an index that cannot be opened is a message, not a traceback."""
    try:
        app()
    except Exception as error:
        from index.errors import RetrievalError  # here, because the package loads numpy

        if not isinstance(error, RetrievalError):
            raise
        typer.echo(str(error), err=True)
        raise SystemExit(EXIT_FAILURE) from None
