"""``backline serve`` and ``backline index``."""

import gc
from typing import Annotated

import typer

from service.cli.common import EXIT_USAGE, app, begin_anew, build, fail, is_current


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to bind.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind.", min=1, max=65535)] = None,
    public_ask: Annotated[
        bool, typer.Option("--public-ask", help="Let anyone ask without a key, also from other machines.")
    ] = False,
    workers: Annotated[
        int, typer.Option(help="Processes that serve, each with the model of its own.", min=1, max=64)
    ] = 1,
) -> None:
    """Serve over HTTP, making the index first when there is none.

    On the loopback interface asking needs no key. Bound to anything else, or behind a proxy (BACKLINE_HOSTS), it does,
    unless --public-ask is given.
    """
    gc.disable()  # what is loaded now stays; looking through it again and again is an eighth of the start
    try:
        _serve(host, port, public_ask=public_ask, workers=workers)
    finally:
        gc.enable()


def _serve(host: str | None, port: int | None, *, public_ask: bool, workers: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from index.errors import RetrievalError
    from index.model_files import check_model_files
    from service.settings import load_settings

    settings = load_settings()
    # Hashing needs a core but not the interpreter, which imports meanwhile.
    checked = ThreadPoolExecutor(1).submit(check_model_files, settings.model)
    from service.application import WorkersError, has_keys, is_public, serve_application
    from service.http.tracing import traces_can_be_sent

    bind = (host or settings.host, port or settings.port)
    if is_public(settings, bind[0]) and not public_ask and not has_keys(settings):
        fail(
            "others could reach this service and no key works yet: make one with"
            " `backline keys create NAME --scope ask`, or let anyone ask with --public-ask",
            EXIT_USAGE,
        )
    if settings.traces_url and not traces_can_be_sent():
        fail("BACKLINE_TRACES_URL needs the extra otel: pip install 'backline[otel]'", EXIT_USAGE)
    if not is_current():
        gc.enable()
        build()
    try:
        serve_application(settings, *bind, public_ask=public_ask, workers=workers, checked=checked)
    except (RetrievalError, OSError, WorkersError) as error:
        fail(str(error))


@app.command()
def index(
    *,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build even with --if-needed, and fill Milvus anew where that is used.")
    ] = False,
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Build only if there is none, or the corpus has changed since.")
    ] = False,
) -> None:
    """Build the index from the shipped corpus and everything that was ingested."""
    if if_needed and not rebuild and is_current():
        print("the index holds the corpus as it is")
        return
    if rebuild:
        begin_anew()
    build()
