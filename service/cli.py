"""The command line: ``backline ask | serve | ingest | index | keys | sources | doctor``.

Heavy libraries are imported inside the commands, so that help answers at once.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from service.application import Application

app = typer.Typer(
    name="backline",
    help="Cited answers about back spasms and back pain. Information, not medical advice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

keys = typer.Typer(help="Make, list and revoke the keys that writing asks for.", no_args_is_help=True)
app.add_typer(keys, name="keys")

EXIT_FAILURE = 1
EXIT_USAGE = 2


def main() -> None:
    """Run one command; what a person can mend is a message, never a traceback."""
    try:
        app()
    except ValueError as error:
        from pydantic import ValidationError

        if not isinstance(error, ValidationError):
            raise
        names = ", ".join(f"BACKLINE_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        _fail(f"a setting is wrong ({names})", EXIT_USAGE)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


@contextmanager
def _printing() -> Iterator[None]:
    """Print and flush; a reader that stops reading (``| head``) ends it quietly, a full disk with a message."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        raise SystemExit(0) from None
    except OSError as error:
        _drop_output()
        _fail(f"cannot write the answer: {error.strerror}")


def _drop_output() -> None:
    """Python flushes the standard streams once more at exit; that must not fail a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="The question; - reads standard input.")] = None,
    *,
    from_env: Annotated[
        str | None, typer.Option("--from-env", help="Take the question from this environment variable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the object of POST /v1/ask.")] = False,
) -> None:
    """Print one cited answer."""
    from pydantic import ValidationError

    from service.http.schemas import AskRequest
    from service.settings import environment_text

    text = environment_text(from_env) if from_env else sys.stdin.read() if question == "-" else question
    if text is None or not text.strip():
        _fail('write a question, such as: backline ask "How long does a back spasm last?"', EXIT_USAGE)
    try:
        request = AskRequest(question=text.strip())
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        _fail(f"the question is refused: {fault['msg']}", EXIT_USAGE)
    application = _open()
    reply = application.ask(request.question)
    with _printing():
        if as_json:
            print(json.dumps(reply, ensure_ascii=False, indent=2))
        else:
            from service.printing import print_reply

            print_reply(reply, application.settings.emergency_numbers)


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to bind.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind.", min=1, max=65535)] = None,
) -> None:
    """Serve over HTTP, making the index first when there is none."""
    from index.errors import RetrievalError
    from service.application import serve_application
    from service.settings import load_settings

    settings = load_settings()
    bind = (host or settings.host, port or settings.port)
    if bind[0] not in {"127.0.0.1", "localhost", "::1"}:
        _fail("this version serves on the loopback interface only; put a proxy in front of it", EXIT_USAGE)
    if not _is_current():
        _build()
    try:
        serve_application(settings, *bind)
    except (RetrievalError, OSError) as error:
        _fail(str(error))


@app.command()
def index(
    *,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build even with --if-needed.")] = False,
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Build only if there is none, or the corpus has changed since.")
    ] = False,
) -> None:
    """Build the index from the shipped corpus and everything that was ingested."""
    if if_needed and not rebuild and _is_current():
        print("the index holds the corpus as it is")
        return
    _build()


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders.", exists=True)],
    *,
    collection: Annotated[str, typer.Option(help="Collection that keeps them apart.")] = "default",
    publisher: Annotated[str, typer.Option(help="Who says it.")] = "",
    url: Annotated[str, typer.Option(help="Address of a single document.")] = "",
    licence: Annotated[str, typer.Option(help="Licence in a short phrase.")] = "",
) -> None:
    """Read documents, store them and rebuild the index.

    Markdown, HTML, PDF, DOCX, plain text, JSON Lines, help-centre exports, and folders of them.
    """
    from service.ingesting import Origin, ingest_paths
    from service.settings import load_settings

    report = ingest_paths(load_settings(), paths, Origin(collection, publisher, url, licence))
    for line in report.lines():
        print(line)
    if report.changed:
        _build()
    if report.refused:
        raise SystemExit(EXIT_FAILURE)


@app.command()
def fetch(
    urls: Annotated[list[str] | None, typer.Argument(help="Addresses; without any, the pages of the sources.")] = None,
    *,
    collection: Annotated[str, typer.Option(help="Collection that the pages go into.")] = "pages",
    publisher: Annotated[str, typer.Option(help="Who says it.")] = "",
    licence: Annotated[str, typer.Option(help="Licence in a short phrase.")] = "",
) -> None:
    """Fetch pages to this machine, politely, and index their full text beside the digests.

    Most of these pages are copyrighted: reading them on your own machine is one thing, publishing them another. They
    go into a collection of their own, and this version serves on the loopback interface only.
    """
    from corpus.fetching.refusals import FetchError
    from corpus.sources import load_sources
    from service.ingesting import Origin, fetch_and_ingest
    from service.settings import load_settings

    wanted = urls or [source.url for source in load_sources().values() if source.url]
    try:
        report = fetch_and_ingest(load_settings(), wanted, Origin(collection, publisher, "", licence))
    except FetchError as error:
        _fail(str(error))
    for line in report.lines():
        print(line)
    if report.changed:
        _build()
    if report.refused:
        raise SystemExit(EXIT_FAILURE)


@app.command()
def sources() -> None:
    """Print every source: publisher, title, licence, evidence, passages."""
    from service.printing import print_sources

    application = _open()
    with _printing():
        print_sources(application.replier.answerer.retriever.snapshot)


@app.command()
def doctor() -> None:
    """Check the installation and say what to do."""
    from service.examining import examine
    from service.settings import load_settings

    healthy = True
    for finding in examine(load_settings()):
        print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: {finding.says}")
        healthy = healthy and finding.ok
    if not healthy:
        raise SystemExit(EXIT_FAILURE)


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What you call it.")],
    *,
    scope: Annotated[list[str], typer.Option(help="ask, search, ingest, feedback, admin or eval; repeat it.")],
    collection: Annotated[
        list[str] | None, typer.Option(help="A collection that it may touch; repeat it. Without one: all.")
    ] = None,
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
        secret, key = create_key(engine, name, cast("list[Scope]", scope), collection, lifetime)
    except ValueError as error:
        _fail(str(error), EXIT_USAGE)
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
        _fail(f"there is no working key {key_id}; see `backline keys list`")
    print(f"{key_id} is revoked")


def _open() -> "Application":
    from index.errors import RetrievalError
    from service.application import open_application

    try:
        application = open_application()
    except RetrievalError as error:
        _fail(str(error))
    for reason in application.reasons:
        print(f"backline: an older index answers, because {reason}", file=sys.stderr)
    return application


def _is_current() -> bool:
    from corpus.errors import CorpusError
    from index.errors import ModelFileError
    from service.application import index_is_current
    from service.settings import load_settings

    try:
        return index_is_current(load_settings())
    except (CorpusError, ModelFileError) as error:
        _fail(str(error))


def _build() -> None:
    from corpus.errors import CorpusError
    from index.errors import RetrievalError
    from service.application import build_index
    from service.printing import progress_bar
    from service.settings import load_settings

    try:
        print("Building the index (half a minute the first time, seconds later) ...", file=sys.stderr, flush=True)
        with progress_bar("Embedding") as progress:
            manifest = build_index(load_settings(), progress)
    except (CorpusError, RetrievalError, OSError) as error:
        _fail(str(error))
    counts = manifest.counts
    print(
        f"index {manifest.snapshot_id}: {counts['documents']} documents, {counts['passages']} passages, "
        f"{counts['sentences']} sentences"
    )


def _fail(message: str, code: int = EXIT_FAILURE) -> NoReturn:
    print(f"backline: {message}", file=sys.stderr)
    raise SystemExit(code)
