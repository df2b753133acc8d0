"""``backline documents``."""

from typing import Annotated

import typer

from service.cli.common import app, build, fail, printing

documents = typer.Typer(help="List and delete what was brought.", no_args_is_help=True)
app.add_typer(documents, name="documents")

_AT_ONCE = 500


@documents.command("list")
def list_all(
    *, collection: Annotated[str | None, typer.Option(help="Only what is in this collection.")] = None
) -> None:
    """Print every document that was brought: id, collection, when it was first stored, title."""
    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.documents import list_documents

    engine = open_database(load_settings().database)
    wanted = None if collection is None else {collection}
    after = ""
    with printing():
        while some := list_documents(engine, after, _AT_ONCE, wanted):
            for one in some:
                print(f"{one.id}  {one.collection}  {one.created}  {one.title}")
            after = some[-1].id


@documents.command("delete")
def delete(
    document_ids: Annotated[list[str], typer.Argument(help="Ids that `backline documents list` prints.")],
) -> None:
    """Delete documents for good, rebuild the index without them, and say where they were removed."""
    from service.deleting import remove_document
    from service.settings import load_settings
    from service.storage.database import open_database

    settings = load_settings()
    engine = open_database(settings.database)
    receipts = {name: remove_document(engine, settings, name) for name in dict.fromkeys(document_ids)}
    if any(receipts.values()):
        build()
    for name, receipt in receipts.items():
        if receipt is None:
            print(f"{name}  there is no such document that was brought")
            continue
        print(f"{name}  removed from {', '.join((*receipt.removed_from, *receipt.pending))} at {receipt.at}")
        if receipt.quoted_in_answers:
            print(f"    {receipt.quoted_in_answers} kept answers quote it: see `backline affected {name}`")
    if not all(receipts.values()):
        fail("not everything that was named could be deleted")
