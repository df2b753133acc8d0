"""``backline migrate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.common import EXIT_USAGE, app, build, fail

if TYPE_CHECKING:
    from service.settings import Settings


@app.command()
def migrate(
    target: Annotated[str, typer.Argument(help='Where to: postgresql://…, or "home" for the file of the home folder.')],
    *,
    milvus: Annotated[str, typer.Option(help="Address of a Milvus that takes the passages, http://host:19530.")] = "",
) -> None:
    """Copy everything that cannot be built again into another database, which must be empty: to a server, or back.

    With --milvus the passages are brought there too. From a Milvus back home their vectors come along, and the index is
    built. Stop the service before. What was used before stays as it is; nothing serves from the new place until you say
    so.
    """
    from pydantic import ValidationError

    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.moving import MoveError, copy_database

    settings = load_settings()
    place: Path | str = settings.home / "backline.sqlite" if target == "home" else target
    if isinstance(place, str) and not place.startswith(("postgresql://", "postgres://")):
        fail('the target is postgresql://user:password@host:port/name, or "home"', EXIT_USAGE)
    if place == settings.database:
        fail("that is the database that is in use; give the other one", EXIT_USAGE)
    if milvus and not isinstance(place, str):
        fail("--milvus goes with a PostgreSQL: at home everything is searched in the process", EXIT_USAGE)
    changed = {"database_url": "" if isinstance(place, Path) else place, "snapshots_url": ""}
    changed |= {"engine": "milvus", "milvus_uri": milvus} if milvus else {"engine": "embedded", "milvus_uri": ""}
    try:
        there = settings.model_validate({**settings.model_dump(), **changed})
    except ValidationError:
        fail("write the address of the Milvus as http://host:19530", EXIT_USAGE)
    try:
        counts = copy_database(open_database(settings.database), open_database(place))
    except MoveError as error:
        fail(str(error))
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    print(f"copied and compared: {told or 'nothing was there'}")
    if settings.engine == "milvus":
        _bring_vectors(settings)
    if milvus or settings.engine == "milvus":
        build(there)
    print(f"to serve from it: {_to_do(settings, there)}, then start `backline serve`")


def _to_do(before: "Settings", there: "Settings") -> str:
    """Return which variables have to change."""
    if not isinstance(there.database, str):
        return "unset BACKLINE_DATABASE_URL, BACKLINE_SNAPSHOTS_URL and BACKLINE_ENGINE"
    if there.engine == "milvus":
        return "set BACKLINE_DATABASE_URL, BACKLINE_ENGINE=milvus, BACKLINE_MILVUS_URI"
    return "set BACKLINE_DATABASE_URL" + (", unset BACKLINE_ENGINE" if before.engine == "milvus" else "")


def _bring_vectors(settings: "Settings") -> None:
    """Take the vectors of the passages along, so that none has to be made again."""
    from index.errors import RetrievalError
    from service.building import bring_vectors

    try:
        count = bring_vectors(settings)
    except (RetrievalError, OSError) as error:
        fail(str(error))
    print(f"{count} vectors were brought from Milvus")
