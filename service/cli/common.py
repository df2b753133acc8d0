"""What every command needs: the application object, failing, printing, opening, building."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from service.application import Application
    from service.building import Built
    from service.settings import Settings

app = typer.Typer(
    name="backline",
    help="Cited answers about back spasms and back pain. Information, not medical advice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EXIT_FAILURE = 1
EXIT_USAGE = 2


@contextmanager
def printing() -> Iterator[None]:
    """Print and flush; a reader that stops reading (``| head``) ends it quietly, a full disk with a message."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        raise SystemExit(0) from None
    except OSError as error:
        _drop_output()
        fail(f"cannot write the answer: {error.strerror}")


def _drop_output() -> None:
    """Python flushes the standard streams once more at exit; that must not fail a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_for_command() -> "Application":
    """Open the service, or end the command with what to do; an older index is told."""
    from index.errors import RetrievalError
    from service.application import open_application

    try:
        application = open_application()
    except RetrievalError as error:
        fail(str(error))
    for reason in application.reasons:
        print(f"backline: an older index answers, because {reason}", file=sys.stderr)
    return application


def is_current() -> bool:
    """Whether the index holds what is stored now; a broken corpus or model ends the command."""
    from corpus.errors import CorpusError
    from index.errors import ModelFileError
    from service.building import index_is_current
    from service.settings import load_settings

    try:
        return index_is_current(load_settings())
    except (CorpusError, ModelFileError) as error:
        fail(str(error))


def begin_anew() -> None:
    """Have Milvus filled anew by the next build, where Milvus is used; until then what is there answers."""
    from service.settings import load_settings
    from service.storage.database import open_database
    from service.storage.indexing import begin_generation

    settings = load_settings()
    if settings.engine == "milvus":
        begin_generation(open_database(settings.database))


def build(settings: "Settings | None" = None) -> "Built":
    """Build and publish the index, with progress on standard error; say what was built.

    Args:
        settings: Others than those of the environment.
    """
    from corpus.errors import CorpusError
    from index.errors import RetrievalError
    from service.building import build_index
    from service.printing import progress_bar
    from service.settings import load_settings

    try:
        print("Building the index (a minute or two the first time, seconds later) ...", file=sys.stderr, flush=True)
        with progress_bar("Embedding") as progress:
            built = build_index(settings or load_settings(), progress)
    except (CorpusError, RetrievalError, OSError) as error:
        fail(str(error))
    manifest, counts = built.manifest, built.manifest.counts
    print(
        f"index {manifest.snapshot_id}: {counts['documents']} documents, {counts['passages']} passages, "
        f"{counts['sentences']} sentences"
    )
    return built


def fail(message: str, code: int = EXIT_FAILURE) -> NoReturn:
    """End the command with one line on standard error."""
    print(f"backline: {message}", file=sys.stderr)
    raise SystemExit(code)
