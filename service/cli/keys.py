"""``backline keys``."""

import sys
from typing import Annotated

import typer

from service.cli.common import EXIT_USAGE, app, fail

keys = typer.Typer(help="Make, list and revoke the keys that writing asks for.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What you call it.")],
    *,
    scope: Annotated[list[str], typer.Option(help="ask, search, ingest, feedback, admin or eval; repeat it.")],
    collection: Annotated[
        list[str] | None, typer.Option(help="A collection that it may touch; repeat it. Without one: all.")
    ] = None,
    rate: Annotated[int | None, typer.Option(help="Requests a minute that it may make; without it any number.")] = None,
    days: Annotated[int | None, typer.Option(help="Days until it ends.", min=1, max=36_500)] = None,
) -> None:
    """Make a key and print it, this once."""
    from datetime import timedelta
    from typing import cast

    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.keys import Scope, create_key

    engine = open_database(load_settings().database)
    lifetime = None if days is None else timedelta(days=days)
    try:
        secret, key = create_key(engine, name, cast("list[Scope]", scope), collection, lifetime, rate)
    except ValueError as error:
        fail(str(error), EXIT_USAGE)
    print(secret)
    print(f"{key.id} is made. The line above is shown this once: only its hash is kept.", file=sys.stderr)


@keys.command("list")
def list_all() -> None:
    """Print every key: id, name, scopes, collections, end. The secrets are not known."""
    from datetime import UTC, datetime

    from service.printing import key_line
    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.keys import list_keys

    now = datetime.now(UTC)
    for key in list_keys(open_database(load_settings().database)):
        print(key_line(key, now))


@keys.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(help="The id that `backline keys list` prints.")]) -> None:
    """Revoke a key: from the next request on it opens nothing."""
    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.keys import revoke_key

    if not revoke_key(open_database(load_settings().database), key_id):
        fail(f"there is no working key {key_id}; see `backline keys list`")
    print(f"{key_id} is revoked")
