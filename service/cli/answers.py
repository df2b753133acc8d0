"""``backline answers``."""

import time
from typing import Annotated

import typer

from service.cli.common import EXIT_USAGE, app, fail

answers = typer.Typer(help="Take out answers that are kept.", no_args_is_help=True)
app.add_typer(answers, name="answers")


@answers.callback()
def group() -> None:
    """Hold the commands together while there is one only."""


@answers.command("delete")
def delete(
    *,
    conversation: Annotated[str | None, typer.Option(help="Everything of this conversation, whoever held it.")] = None,
    ticket: Annotated[
        str | None, typer.Option(help="NAME/NUMBER: everything of a ticket, by the name of the help desk's connection.")
    ] = None,
    older_than: Annotated[int | None, typer.Option(help="Everything older than so many days; 0: all.", min=0)] = None,
) -> None:
    """Delete questions and answers before their time, and all that hangs on them."""
    from service.helpdesk.receiving import conversation_of
    from service.settings import load_settings
    from service.storage import outbox
    from service.storage.answers import delete_before, delete_conversation, moment
    from service.storage.database import open_database

    if sum(given is not None for given in (conversation, ticket, older_than)) != 1:
        fail("say one of --conversation ID, --ticket NAME/NUMBER, --older-than DAYS", EXIT_USAGE)
    engine = open_database(load_settings().database)
    if ticket is not None:
        connection, slash, reference = ticket.partition("/")
        if not (connection and slash and reference):
            fail("write --ticket NAME/NUMBER, with the name of `backline hooks list`", EXIT_USAGE)
        conversation = conversation_of(connection, reference)
    if conversation is not None:
        undelivered = outbox.delete_of_conversation(engine, conversation)
        count = delete_conversation(engine, conversation)
    else:
        days = older_than or -1  # 0 means even this second
        undelivered = outbox.erase_dead(engine, time.time() - days * 86_400)
        count = delete_before(engine, moment(days))
    print(f"{count} answers are deleted" + (f", and {undelivered} undelivered messages" if undelivered else ""))
