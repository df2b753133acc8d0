"""The command line: ``backline ask | serve | ingest | index | keys | widget | answers | gaps | hooks | doctor | ...``.

One module a group of commands; heavy libraries are imported inside the commands, so that help answers at once.
"""

# ruff: noqa: F401 - importing registers the commands
from service.cli import (
    affected,
    answering,
    answers,
    backing_up,
    checking,
    collections,
    connecting,
    documents,
    exporting,
    gaps,
    hooks,
    ingesting,
    keys,
    moving,
    protocols,
    questions,
    serving,
    widget,
)
from service.cli.common import EXIT_USAGE, app, fail

__all__ = ["app", "main"]


def main() -> None:
    """Run one command; what a person can mend is a message, never a traceback."""
    try:
        app()
    except ValueError as error:
        from pydantic import ValidationError

        if not isinstance(error, ValidationError):
            raise
        names = ", ".join(f"BACKLINE_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        fail(f"a setting is wrong ({names})", EXIT_USAGE)
    except Exception as error:
        from sqlalchemy.exc import DataError, OperationalError

        from index.errors import EngineError
        from service.storage.database import MissingDriverError
        from service.storage.migrating import NewerDatabaseError

        if isinstance(error, OperationalError):
            fail("the database is busy, does not answer, or refuses us; see `backline doctor`")
        if isinstance(error, DataError):
            fail("a name is longer than the database takes: those of collections have at most 64 characters")
        if not isinstance(error, NewerDatabaseError | MissingDriverError | EngineError):
            raise
        fail(str(error))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
