"""``backline export`` and ``backline import``."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.common import app, build, fail, is_current


@app.command("export")
def export_all(
    target: Annotated[Path, typer.Argument(help="The file to make: JSON Lines, gzipped if it ends in .gz.")],
    *,
    collection: Annotated[str | None, typer.Option(help="Only what is in this collection.")] = None,
) -> None:
    """Write the documents that were brought, and what is said of their collections, into one readable file.

    Keys and kept answers are not in it: see `backline backup`. The service may run meanwhile.
    """
    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.exporting import ExportError, export_documents

    try:
        count = export_documents(open_database(load_settings().database), target, collection)
    except (ExportError, OSError) as error:
        fail(str(error))
    print(f"{target.name}: {count} documents")


@app.command("import")
def import_all(source: Annotated[Path, typer.Argument(help="A file that `backline export` made.")]) -> None:
    """Store the documents of an export, all or none, and build the index. They keep their ids and versions."""
    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.exporting import ExportError, import_documents

    try:
        stored = import_documents(open_database(load_settings().database), source)
    except (ExportError, OSError) as error:
        fail(str(error))
    outcomes = [one.outcome for one in stored]
    print(", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in ("added", "changed", "unchanged")))
    if not is_current():
        build()
