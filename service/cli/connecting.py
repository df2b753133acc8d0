"""``backline connect``."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from service.cli.common import EXIT_USAGE, app, fail

if TYPE_CHECKING:
    from service.helpdesk.platforms import Field, Platform
    from service.storage.connections import Connection

_CHOICES = ("to-customer", "agents-only")


@app.command()
def connect(
    platform: Annotated[str, typer.Argument(help="The help desk, such as rt or zendesk; any other word lists them.")],
    *,
    name: Annotated[str | None, typer.Option(help="What you call it; the platform's name by default.")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE of a setting; repeat it.")] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret-from", help="NAME=VARIABLE: a secret from an environment variable; repeat it."),
    ] = None,
    emergency_notice: Annotated[
        str | None,
        typer.Option(help="to-customer or agents-only: who gets the text of an emergency notice. There is no default."),
    ] = None,
    reply_from: Annotated[
        float | None,
        typer.Option(help="Answer customers from this probability on, above 0 to 1. Without it: private notes only."),
    ] = None,
    collection: Annotated[str, typer.Option(help="Collection that is asked.")] = "default",
    public_url: Annotated[
        str | None,
        typer.Option(
            help="Address under which the help desk and its agents reach Backline. A help desk with hooks needs it; "
            "with it, notes have a link to the whole answer."
        ),
    ] = None,
) -> None:
    """Connect a help desk, and print what to paste where.

    What is not given is asked for. Secrets are typed unseen or come from an environment variable, never an argument.
    """
    from service.helpdesk.platforms import platforms
    from service.linking import new_link_secret
    from service.settings import load_settings
    from service.storage.connections import Connection, find_connection, with_older_secret
    from service.storage.database import open_database

    adapter = platforms().get(platform)
    if adapter is None:
        fail(f"choose a help desk from {', '.join(platforms())}", EXIT_USAGE)
    chosen = name or platform
    if not chosen.replace("-", "").replace("_", "").isalnum() or not chosen.isascii() or len(chosen) > 60:
        fail("a name has letters, digits, - and _, at most 60", EXIT_USAGE)
    given, secrets = _pairs(setting), _secrets(secret)
    _check_names(adapter, given, secrets)
    address = _public_url(adapter, public_url)
    hook_url = f"{address}/v1/hooks/{platform}/{chosen}"
    told = adapter.HOOK == "theirs" and "hook_secret" not in secrets
    if told:  # the help desk shows its secret only after this was done
        print(adapter.instructions(Connection(chosen, platform, {}, (), emergency_to_customer=False), hook_url))
        print("Then answer:")
    options = {field.name: _value(field, {**given, **secrets}) for field in adapter.FIELDS}
    hook_secrets = _hook_secrets(adapter, options)
    to_customer = _emergency_choice(emergency_notice)
    settings = load_settings()
    database = open_database(settings.database)
    former = find_connection(database, chosen)
    link_secret = (former.options.get("link_secret") if former else None) or new_link_secret()
    options |= {"collection": collection, "public_url": address, "link_secret": link_secret}
    try:
        made = Connection(chosen, platform, options, hook_secrets, to_customer, reply_from)
    except ValueError as error:
        fail(str(error), EXIT_USAGE)
    made = with_older_secret(made, former)
    elsewhere = former is not None and former.options.get("url") != options.get("url")
    _probe_and_store(made, adapter, database, settings.helpdesk_allow, anew=elsewhere)
    print(f"{chosen} is connected ({platform}).")
    print(_policy(made))
    if not told:
        print(adapter.instructions(made, hook_url))
    print(f"While `backline serve` runs, `backline hooks send-test {chosen} --conversation TICKET` tries it out.")


def _probe_and_store(
    made: "Connection", adapter: "Platform", engine: object, allow: tuple[str, ...], *, anew: bool
) -> None:
    """Store what works; ``anew`` forgets how far another help desk under the same name was read."""
    from sqlalchemy import Engine

    from service.delivering import GiveUpError, RetryLaterError
    from service.helpdesk.calling import run, sender
    from service.storage.connections import read_mark, store_connection, write_mark

    database = cast("Engine", engine)
    try:
        mark = run(adapter.probe(made), sender(allow))
    except (GiveUpError, RetryLaterError) as error:
        fail(
            f"nothing is stored, because {error.reason}. Check address, user and secret; for a machine inside your "
            "network set BACKLINE_HELPDESK_ALLOW=host:port"
        )
    if anew or read_mark(database, made.name) is None:
        write_mark(database, made.name, mark)
    store_connection(database, made)


def _policy(made: "Connection") -> str:
    emergency = "sent to the customer at once, too" if made.emergency_to_customer else "shown to agents only"
    reply = (
        "Customers get no automatic answers: agents get private notes with drafts."
        if made.reply_from is None
        else f"Customers get an answer when its calibrated probability is at least {made.reply_from}."
    )
    return f"The text of an emergency notice is {emergency}. {reply}"


def _check_names(adapter: "Platform", given: dict[str, str], secrets: dict[str, str]) -> None:
    known = {field.name: field for field in adapter.FIELDS}
    for found in (*given, *secrets):
        if found not in known:
            fail(f"this help desk has the settings {', '.join(known)}", EXIT_USAGE)
    if any(known[found].secret for found in given):
        fail("give a secret with --secret-from NAME=VARIABLE, or type it when asked", EXIT_USAGE)


def _public_url(adapter: "Platform", given: str | None) -> str:
    """Return the address without a slash at its end; "" where none is needed and none is said."""
    question = "Address under which the help desk reaches Backline, such as https://backline.your-company.example"
    if given is None and adapter.HOOK == "none":
        return ""
    if given is None and sys.stdin.isatty():
        given = str(typer.prompt(question))
    if given is None:
        fail("say --public-url https://…: the address under which the help desk reaches Backline", EXIT_USAGE)
    if not given.startswith(("https://", "http://")):
        fail("--public-url begins with https:// (or http:// inside your network)", EXIT_USAGE)
    return given.rstrip("/")


def _value(field: "Field", given: dict[str, str]) -> str:
    if field.name in given:
        return given[field.name]
    if not sys.stdin.isatty():
        if field.default is not None:
            return field.default
        option = f"--secret-from {field.name}=VARIABLE" if field.secret else f"--set {field.name}=…"
        fail(f"say {option} ({field.asks})", EXIT_USAGE)
    return str(typer.prompt(field.asks, default=field.default, show_default=False, hide_input=field.secret))


def _emergency_choice(given: str | None) -> bool:
    question = "Who gets the text of an emergency notice: to-customer (at once, and agents) or agents-only"
    if given is None and sys.stdin.isatty():
        while given not in _CHOICES:  # there is no default, and a slip of the hand is none
            given = str(typer.prompt(question)).strip()
    if given not in _CHOICES:
        fail("say --emergency-notice to-customer or --emergency-notice agents-only: it is yours to choose", EXIT_USAGE)
    return given == "to-customer"


def _hook_secrets(adapter: "Platform", options: dict[str, str]) -> tuple[str, ...]:
    from service.signing import new_secret

    kind: Literal["ours", "theirs", "none"] = adapter.HOOK
    if kind == "theirs":
        return (options.pop("hook_secret"),)
    return (new_secret(),) if kind == "ours" else ()


def _pairs(given: list[str] | None) -> dict[str, str]:
    pairs = {}
    for one in given or ():
        key, equals, value = one.partition("=")
        if not equals:
            fail("write NAME=VALUE", EXIT_USAGE)
        pairs[key] = value
    return pairs


def _secrets(given: list[str] | None) -> dict[str, str]:
    from service.settings import environment_text

    secrets = {}
    for key, variable in _pairs(given).items():
        value = environment_text(variable)
        if not value:
            fail("that environment variable is empty or not there", EXIT_USAGE)
        secrets[key] = value
    return secrets
