"""``backline hooks``: what help desks are connected, what could not be delivered."""

from typing import Annotated

import typer

from service.cli.common import EXIT_USAGE, app, fail

hooks = typer.Typer(help="Connected help desks, and what could not be delivered to them.", no_args_is_help=True)
app.add_typer(hooks, name="hooks")


@hooks.command("list")
def list_all() -> None:
    """Print every connection: name, help desk, who hears of emergencies, from when customers are answered."""
    from service.settings import load_settings
    from service.storage.connections import list_connections
    from service.storage.database import open_database

    for one in list_connections(open_database(load_settings().database)):
        emergency = "to-customer" if one.emergency_to_customer else "agents-only"
        reply = "notes only" if one.reply_from is None else f"replies from {one.reply_from}"
        print(f"{one.name}  {one.platform}  emergency notice {emergency}  {reply}")


@hooks.command("remove")
def remove(name: Annotated[str, typer.Argument(help="Name of the connection.")]) -> None:
    """Forget a connection and its secrets; nothing more is taken from it or sent to it."""
    from service.settings import load_settings
    from service.storage.connections import remove_connection
    from service.storage.database import open_database

    if not remove_connection(open_database(load_settings().database), name):
        fail("there is no such connection; see `backline hooks list`")
    print(f"{name} is removed")


@hooks.command("end-old-secret")
def end_old_secret(name: Annotated[str, typer.Argument(help="Name of the connection.")]) -> None:
    """Let the former secret of a connection count no more, once the help desk signs with the new one."""
    from dataclasses import replace

    from service.settings import load_settings
    from service.storage.connections import find_connection, store_connection
    from service.storage.database import open_database

    database = open_database(load_settings().database)
    found = find_connection(database, name)
    if found is None or len(found.hook_secrets) < 2:
        fail("there is no such connection, or it has no former secret; see `backline hooks list`")
    store_connection(database, replace(found, hook_secrets=found.hook_secrets[:1]))
    print(f"{name} takes its newest secret alone")


@hooks.command("dead")
def dead() -> None:
    """Print what was given up: id, target, ticket, attempts, time, reason. No texts are shown."""
    from datetime import UTC, datetime

    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.outbox import list_dead

    for item in list_dead(open_database(load_settings().database)):
        at = datetime.fromtimestamp(item.created, UTC).isoformat(timespec="seconds")
        ticket = f"ticket {item.ticket}  " if item.ticket else ""
        end = "  (its text is erased)" if item.erased else ""
        print(f"{item.id}  {item.channel}  {item.target}  {ticket}{item.attempts} attempts  {at}  {item.reason}{end}")


@hooks.command("resend")
def resend(
    item_id: Annotated[str | None, typer.Argument(help="Its id, as `backline hooks dead` prints it.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Everything that was given up.")] = False,
) -> None:
    """Try again what was given up; a running service takes it up at once."""
    from service.settings import load_settings
    from service.storage import outbox
    from service.storage.database import open_database

    if (item_id is None) != everything:
        fail("give an id of `backline hooks dead`, or --all", EXIT_USAGE)
    count = outbox.resend(open_database(load_settings().database), item_id)
    if not count and not everything:
        fail("nothing of that id was given up, or its text is erased; see `backline hooks dead`")
    print(f"{count} will be tried again")


@hooks.command("send-test")
def send_test(
    name: Annotated[str, typer.Argument(help="Name of the connection.")],
    *,
    conversation: Annotated[
        str | None, typer.Option(help="A ticket of your help desk that gets the note of a test question.")
    ] = None,
) -> None:
    """Check a connection: its settings; and with a ticket, put the note on a test question into it."""
    from service.helpdesk.trying import TrialError, send_test_message
    from service.settings import load_settings

    try:
        for line in send_test_message(load_settings(), name, conversation):
            print(line)
    except TrialError as error:
        fail(str(error))
