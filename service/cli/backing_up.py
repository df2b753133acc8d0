"""``backline backup`` and ``backline restore``."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.common import app, build, fail


@app.command()
def backup(target: Annotated[Path, typer.Argument(help="The file to make.", dir_okay=False)]) -> None:
    """Copy everything that cannot be built again into one file: documents, keys, answers, settings of collections.

    The service may run meanwhile.
    """
    from service.storage.backing_up import BackupError, back_up

    try:
        made = back_up(_file(), target.resolve())
    except (BackupError, OSError) as error:
        fail(str(error))
    print(f"{target.name}: {made.documents} documents, sha256 {made.sha256}")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A file that `backline backup` made.", dir_okay=False)],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
) -> None:
    """Bring back what a backup holds and build the index from it, on Milvus too. Stop the service before."""
    from service.storage.backing_up import BackupError
    from service.storage.backing_up import restore as restore_backup

    try:
        found = restore_backup(source.resolve(), _file(), replace=replace)
    except (BackupError, OSError) as error:
        fail(str(error))
    print(f"{source.name} of {found.created}: {found.documents} documents are back")
    build()


def _file() -> Path:
    """Return the embedded database; PostgreSQL has tools of its own."""
    from service.settings import load_settings

    database = load_settings().database
    if isinstance(database, str):
        fail("the database is a PostgreSQL: use pg_dump and pg_restore as in docs/scaling.md")
    return database
