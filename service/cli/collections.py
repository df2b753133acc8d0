"""``backline collections``."""

from typing import Annotated

import typer

from service.cli.common import EXIT_USAGE, app, fail

collections = typer.Typer(help="Say what collections are about, and which may be published.", no_args_is_help=True)
app.add_typer(collections, name="collections")

_Name = Annotated[str, typer.Argument(help="The collection.")]


@collections.command("list")
def list_all() -> None:
    """Print every collection: its documents, what it is about, and whether it may be published."""
    from service.printing import collection_lines
    from service.settings import load_settings
    from service.storage.collections import list_collections
    from service.storage.database import open_database

    for collection in list_collections(open_database(load_settings().database)):
        for line in collection_lines(collection):
            print(line)


@collections.command("set")
def describe(
    name: _Name,
    *,
    scope: Annotated[str | None, typer.Option(help="A sentence on what it is about, say 'I know our beds.'")] = None,
    question: Annotated[list[str] | None, typer.Option(help="An example question; repeat it.")] = None,
    disclaimer: Annotated[str | None, typer.Option(help="Under which reservation its answers stand.")] = None,
) -> None:
    """Say what a collection is about; what is left out stays as it is, and '' takes back what was said."""
    from service.printing import collection_lines
    from service.settings import load_settings
    from service.storage.collections import describe_collection
    from service.storage.database import open_database

    if scope is None and question is None and disclaimer is None:
        fail("say something of it with --scope, --question or --disclaimer", EXIT_USAGE)
    questions = None if question is None else tuple(one for one in question if one)
    engine = open_database(load_settings().database)
    try:
        told = describe_collection(engine, name, scope=scope, questions=questions, disclaimer=disclaimer)
    except ValueError as error:
        fail(str(error), EXIT_USAGE)
    for line in collection_lines(told):
        print(line)


@collections.command("confirm-licence")
def confirm(name: _Name) -> None:
    """Confirm that you may publish what was fetched into a collection.

    The pages belong to whoever wrote them. Until you confirm, they are served on this machine only.
    """
    from service.settings import load_settings
    from service.storage.collections import confirm_licence, load_collection
    from service.storage.database import open_database

    engine = open_database(load_settings().database)
    if load_collection(engine, name).fetched is None:
        fail("nothing was fetched into a collection of that name; see `backline collections list`", EXIT_USAGE)
    confirm_licence(engine, name)
    print("confirmed: it may be served off this machine from now on")
