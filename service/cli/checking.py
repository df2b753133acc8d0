"""``backline sources`` and ``backline doctor``."""

from itertools import chain
from typing import Annotated

import typer

from service.cli.common import EXIT_FAILURE, app, open_for_command, printing


@app.command()
def sources(
    *, collection: Annotated[str | None, typer.Option(help="Only the sources of this collection.")] = None
) -> None:
    """Print every source: publisher, title, licence, evidence, passages. The shipped ones come first."""
    from service.printing import print_sources

    application = open_for_command()
    with printing():
        print_sources(application.replier.answerer.retriever.snapshot, collection)


@app.command()
def doctor(
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Also ask a question with every way out barred.")] = False,
) -> None:
    """Check the installation and say what to do."""
    from service.examining import examine, examine_offline
    from service.settings import load_settings

    healthy = True
    for finding in chain(examine(load_settings()), examine_offline() if offline else ()):
        print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: {finding.says}")
        healthy = healthy and finding.ok
    if not healthy:
        raise SystemExit(EXIT_FAILURE)
