"""``backline ingest`` and ``backline fetch``."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.common import EXIT_FAILURE, EXIT_USAGE, app, build, fail, is_current

if TYPE_CHECKING:
    from service.ingesting import Origin, Report

FETCHED = "pages"
"""Collection of fetched pages where none is named."""


@app.command()
def ingest(
    paths: Annotated[list[str], typer.Argument(help="Files, folders, addresses of pages or of a sitemap.")],
    *,
    collection: Annotated[
        str | None, typer.Option(help='Collection that keeps them apart; "default", or "pages" for addresses.')
    ] = None,
    title: Annotated[str, typer.Option(help="Title of a single document.")] = "",
    publisher: Annotated[str, typer.Option(help="Who says it.")] = "",
    url: Annotated[str, typer.Option(help="Address of a single document.")] = "",
    published: Annotated[str, typer.Option(help="Date of a single document, such as 2024-05.")] = "",
    licence: Annotated[str, typer.Option(help="Licence in a short phrase.")] = "",
    workers: Annotated[
        int, typer.Option(help="Processes that bring documents to Milvus, where that is used.", min=1, max=64)
    ] = 1,
) -> None:
    """Read documents, store them and rebuild the index.

    Markdown, HTML, PDF, DOCX, plain text, JSON Lines, exports of help centres, any of them gzipped, folders of them,
    and addresses of pages and sitemaps. A run that was stopped goes on where it was.
    """
    from service.ingesting import Origin, ingest_paths
    from service.printing import counter
    from service.settings import load_settings

    began = time.monotonic()
    addresses = [path for path in paths if path.startswith(("http://", "https://"))]
    places = [Path(path) for path in paths if path not in addresses]
    for place in places:
        if not place.exists():
            fail(f"there is no file or folder {place}", EXIT_USAGE)
    origin = Origin(collection or "default", publisher, url, licence, title, published)
    reports = []
    if places:
        with counter("Reading documents") as told:
            reports.append(ingest_paths(load_settings(), places, origin, told))
    if addresses:
        reports.append(_fetch(addresses, Origin(collection or FETCHED, publisher, "", licence, "", published)))
    with _helpers(workers - 1):
        _finish(reports, began)


@app.command()
def work() -> None:
    """Bring documents that wait to Milvus, beside other workers on any machine; end when none waits.

    Whoever dies at it is taken over from. `backline ingest`, `backline index` and `backline serve` work too: this is
    for more hands.
    """
    from index.errors import RetrievalError
    from service.building import work_off
    from service.printing import progress_bar
    from service.settings import load_settings

    settings = load_settings()
    if settings.engine == "embedded":
        fail("nothing is brought anywhere: this is for BACKLINE_ENGINE=milvus", EXIT_USAGE)
    try:
        with progress_bar("Bringing documents to Milvus") as progress:
            done = work_off(settings, progress)
    except (RetrievalError, OSError) as error:
        fail(str(error))
    print(f"{done} documents were brought to Milvus by this worker")


@contextmanager
def _helpers(count: int) -> Iterator[None]:
    """Have further processes work beside this one; they end by themselves when nothing is left, or with this block."""
    from service.settings import load_settings

    if not count or load_settings().engine == "embedded":
        yield
        return
    program = [sys.executable, "-P", "-c", "from service.cli import main; main()", "work"]
    quiet = subprocess.DEVNULL
    helpers = [subprocess.Popen(program, stdout=quiet, stderr=quiet) for _ in range(count)]  # noqa: S603 - our own
    try:
        yield
    finally:
        for helper in helpers:
            helper.terminate()
        for helper in helpers:
            helper.wait()


@app.command()
def fetch(
    urls: Annotated[
        list[str] | None, typer.Argument(help="Addresses of pages or sitemaps; without any, the pages of the sources.")
    ] = None,
    *,
    collection: Annotated[str, typer.Option(help="Collection that the pages go into.")] = FETCHED,
    publisher: Annotated[str, typer.Option(help="Who says it.")] = "",
    licence: Annotated[str, typer.Option(help="Licence in a short phrase.")] = "",
) -> None:
    """Fetch pages to this machine, politely, and index their full text beside the digests.

    Most of these pages are copyrighted: reading them on your own machine is one thing, publishing them another. They
    go into a collection of their own, which is served on the loopback interface only until you confirm with `backline
    collections confirm-licence NAME` that you may publish it.
    """
    from corpus.sources import load_sources
    from service.ingesting import Origin

    began = time.monotonic()
    wanted = urls or [source.url for source in load_sources().values() if source.url]
    _finish([_fetch(wanted, Origin(collection, publisher, "", licence))], began)


def _fetch(urls: Sequence[str], origin: "Origin") -> "Report":
    from corpus.fetching.refusals import FetchError
    from service.ingesting import fetch_and_ingest
    from service.printing import counter
    from service.settings import load_settings

    try:
        with counter("Fetching pages") as told:
            report = fetch_and_ingest(load_settings(), urls, origin, told)
    except (FetchError, ValueError) as error:
        fail(str(error))
    if report.stored:
        name = origin.collection
        print(
            f"The pages are in the collection {name}, which is served on this machine only: whoever wrote them decides "
            f"who may publish them. If you may, say so: backline collections confirm-licence {name}"
        )
    return report


def _finish(reports: Sequence["Report"], began: float) -> None:
    """Print what became of each document, and bring the index up to what is stored, also after a run that was cut."""
    for report in reports:
        for line in report.lines():
            print(line)
    if not is_current() and any(report.stored for report in reports):
        built = build()
        total = time.monotonic() - began
        share = 100 * (1 - built.embedding_seconds / total)
        print(
            f"{built.embedded} texts embedded in {built.embedding_seconds:.0f} s; "
            f"{share:.0f} % of the {total:.0f} s in all went into everything else"
        )
    if any(report.refused for report in reports):
        raise SystemExit(EXIT_FAILURE)
