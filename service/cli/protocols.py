"""``backline mcp``."""

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from service.cli.common import EXIT_USAGE, app, build, fail, is_current


@app.command()
def mcp(
    *,
    http: Annotated[bool, typer.Option("--http", help="Serve at /mcp over HTTP instead of standard streams.")] = False,
    port: Annotated[int, typer.Option(help="Port of --http.", min=1, max=65535)] = 8001,
) -> None:
    """Serve the Model Context Protocol: tools ask, search, read_passage, verify.

    Over standard input and output, for a program that starts it; with --http on the loopback interface.
    """
    from index.errors import RetrievalError
    from service.application import load_parts, open_desk
    from service.settings import load_settings

    try:
        from service.mcp import serve
    except ModuleNotFoundError:
        fail("install the extra: pip install 'backline[mcp]'", EXIT_USAGE)
    if not is_current():
        with redirect_stdout(sys.stderr):  # standard output belongs to the protocol
            build()
    try:
        serve(open_desk(load_parts(load_settings())), "streamable-http" if http else "stdio", "127.0.0.1", port)
    except (RetrievalError, OSError) as error:
        fail(str(error))
