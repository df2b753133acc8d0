"""Documents from files into the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus.errors import UnreadableDocumentError
from corpus.reading.markdown import read_markdown, read_plain_text
from corpus.records import Document, Source
from service.settings import Settings
from service.storage.database import open_database
from service.storage.documents import Stored, document_id, store_document

READERS = {".md": read_markdown, ".markdown": read_markdown, ".txt": read_plain_text}
LARGEST_BYTES = 20_000_000


@dataclass(slots=True)
class Report:
    """What became of each file.

    Attributes:
        stored: File and outcome.
        refused: File and reason.
    """

    stored: list[tuple[Path, Stored]] = field(default_factory=list)
    refused: list[UnreadableDocumentError] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield one line a file and a sum."""
        for path, stored in self.stored:
            yield f"{stored.outcome:9} {path} ({stored.document_id})"
        for error in self.refused:
            yield f"refused   {error}"
        yield f"{len(self.stored)} read, {len(self.refused)} refused"


def ingest_paths(
    settings: Settings, paths: Sequence[Path], collection: str, publisher: str, url: str, licence: str
) -> Report:
    """Read files and folders into the database; a bad file is refused with its reason and the others go on."""
    engine = open_database(settings.database)
    report = Report()
    for path in _files(paths):
        try:
            document = _read(path, collection, publisher, url, licence)
            report.stored.append((path, store_document(engine, document)))
        except UnreadableDocumentError as error:
            report.refused.append(error)
    return report


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*")) if file.is_file() and not file.is_symlink())
        else:
            yield path


def _read(path: Path, collection: str, publisher: str, url: str, licence: str) -> Document:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(READERS))
        raise UnreadableDocumentError(
            path.name, f"files of the kind {path.suffix or '(none)'} are not read; use {known}"
        )
    if path.stat().st_size > LARGEST_BYTES:
        raise UnreadableDocumentError(path.name, f"is larger than {LARGEST_BYTES // 1_000_000} MB; cut it into parts")
    try:
        marked = reader(path.read_text(encoding="utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 (byte {error.start}); save it as UTF-8"
        raise UnreadableDocumentError(path.name, reason) from error
    name = document_id(collection, url or path.resolve().as_posix())
    title = marked.title or path.stem
    source = Source(
        id=name.replace("doc_", "src_"),
        title=title,
        publisher=publisher or path.name,
        publisher_short=publisher or path.name,
        url=url,
        licence=licence,
        quotable=True,
        collection=collection,
    )
    return Document(id=name, source=source, title=title, text=marked.text, sections=marked.sections)
