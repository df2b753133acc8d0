"""Documents from files into the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Engine

from corpus.errors import UnreadableDocumentError
from corpus.fetching.fetching import fetch_pages
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import Refusal
from corpus.reading.door import ReadDocument, read_bytes, read_path
from corpus.reading.text import read_text
from corpus.records import Document, Source, text_version
from corpus.sandbox import Sandbox
from service.settings import Settings
from service.storage.database import open_database
from service.storage.documents import Stored, document_id, store_document

_UNTITLED = "Untitled"


@dataclass(frozen=True, slots=True)
class Origin:
    """What the operator says about documents that do not say it themselves.

    Attributes:
        collection: Keeps one customer's documents apart from another's.
        publisher: Who says it, or "".
        url: Address of a single document, or "".
        licence: Licence in a short phrase, or "".
        title: Title of a single document, or "".
        published: Date of a single document (YYYY, YYYY-MM or YYYY-MM-DD), or "".
        external_id: Id of a single document in the system that it comes from, or "".
    """

    collection: str = "default"
    publisher: str = ""
    url: str = ""
    licence: str = ""
    title: str = ""
    published: str = ""
    external_id: str = ""


@dataclass(slots=True)
class Report:
    """What became of each document.

    Attributes:
        stored: Name and outcome.
        refused: Name and reason.
    """

    stored: list[tuple[str, Stored]] = field(default_factory=list)
    refused: list[UnreadableDocumentError] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether the index has to be built anew."""
        return any(stored.outcome != "unchanged" for _, stored in self.stored)

    def lines(self) -> Iterator[str]:
        """Yield one line a document that is new, changed or refused, and a sum."""
        for name, stored in self.stored:
            if stored.outcome != "unchanged":
                yield f"{stored.outcome:9} {name} ({stored.document_id})"
        for error in self.refused:
            yield f"refused   {error}"
        outcomes = [stored.outcome for _, stored in self.stored]
        yield (
            f"{outcomes.count('added')} added, {outcomes.count('changed')} changed, "
            f"{outcomes.count('unchanged')} unchanged, {len(self.refused)} refused"
        )


def ingest_paths(settings: Settings, paths: Sequence[Path], origin: Origin) -> Report:
    """Read files and folders into the database; a bad file is refused with its reason and the others go on."""
    engine = open_database(settings.database)
    report = Report()
    with Sandbox() as sandbox:
        for path in paths:
            for read in read_path(path, sandbox=sandbox, on_refusal=report.refused.append):
                document = _document(read, path, origin)
                report.stored.append((read.name, store_document(engine, document)))
    return report


def fetch_and_ingest(settings: Settings, urls: Sequence[str], origin: Origin) -> Report:
    """Fetch pages politely into the home folder and store them; a page that has not changed is not sent again.

    Args:
        settings: Where pages and documents lie, and which machines inside the network may be asked.
        urls: Addresses, http or https.
        origin: What the operator says about them.

    Raises:
        FetchError: the disk fails.
    """
    engine = open_database(settings.database)
    report = Report()
    policy = FetchPolicy(allow=frozenset(settings.fetch_allow))
    with Sandbox() as sandbox:
        for outcome in fetch_pages(urls, settings.home / "pages", policy=policy):
            if isinstance(outcome, Refusal):
                report.refused.append(UnreadableDocumentError(outcome.url, f"{outcome.detail}; {outcome.advice}"))
                continue
            name = outcome.final_url.rsplit("/", 1)[-1] or "page.html"
            content = outcome.readable_content
            for read in read_bytes(content, name, sandbox=sandbox, on_refusal=report.refused.append):
                named = replace(read, url=outcome.url, external_id=outcome.url)
                document = _document(named, Path(outcome.url), origin, outcome.fetched_at[:10])
                report.stored.append((outcome.url, store_document(engine, document)))
    return report


def ingest_upload(engine: Engine, content: bytes, name: str, origin: Origin) -> Report:
    """Read content that came over the network into the database.

    The document's id is made from its external id, else its URL, else its text: sent again under the same external
    id or URL it is a new version; without either, the same text is the same document and another text another one.

    Args:
        engine: The database.
        content: The file.
        name: The name that came with it; shown, and used as a hint to its kind.
        origin: What the sender says of it; for a single document this goes before what the file says of itself.

    Raises:
        corpus.sandbox.SandboxError: no worker process can be started.
    """
    report = Report()
    with Sandbox() as sandbox:
        for read in read_bytes(content, name, sandbox=sandbox, on_refusal=report.refused.append):
            document = _uploaded(read, origin)
            report.stored.append((read.name, store_document(engine, document)))
    return report


def ingest_text(engine: Engine, content: bytes, origin: Origin, *, markdown: bool) -> Report:
    """Read one text that came over the network into the database; ids are made as by :func:`ingest_upload`.

    Args:
        engine: The database.
        content: The text, UTF-8.
        origin: What the sender says of it.
        markdown: Whether it is Markdown; plain text is never taken for anything else.

    Raises:
        corpus.sandbox.SandboxError: no worker process can be started.
    """
    report = Report()
    try:
        read = next(read_bytes(content, "text.md")) if markdown else read_text(content, "text")
    except UnreadableDocumentError as error:
        report.refused.append(error)
        return report
    document = _uploaded(replace(read, name=_UNTITLED), origin)
    report.stored.append((document.title, store_document(engine, document)))
    return report


def _uploaded(read: ReadDocument, origin: Origin) -> Document:
    if "#" not in read.name:
        read = replace(
            read,
            title=origin.title or read.title,
            url=origin.url or read.url,
            publisher=origin.publisher or read.publisher,
            published=origin.published or read.published,
            licence=origin.licence or read.licence,
            external_id=origin.external_id or read.external_id,
        )
    for kind, place in (("id", read.external_id), ("url", read.url)):
        if place:
            return _made(document_id(origin.collection, f"{kind}\n{place}"), read, origin)
    return _made(document_id(origin.collection, f"text\n{text_version(read.marked.text)}"), read, origin)


def _document(read: ReadDocument, path: Path, origin: Origin, retrieved: str = "") -> Document:
    place = read.external_id or (read.name if path.is_dir() or "#" in read.name else "")
    # A fetched page is known by its address; a file by where it lies.
    where = "" if retrieved else path.resolve().as_posix()
    return _made(document_id(origin.collection, f"{where}\n{place}"), read, origin, retrieved)


def _made(name: str, read: ReadDocument, origin: Origin, retrieved: str = "") -> Document:
    """Give a document its id and source: what the file says of itself, else what the operator said."""
    url = read.url or origin.url
    title = read.title or read.marked.title or read.name
    publisher = read.publisher or origin.publisher or title
    source = Source(
        id=name.replace("doc_", "src_"),
        title=title,
        publisher=publisher,
        publisher_short=publisher,
        url=url,
        licence=read.licence or origin.licence,
        published=read.published,
        retrieved=retrieved,
        quotable=True,
        collection=origin.collection,
    )
    return Document(id=name, source=source, title=title, text=read.marked.text, sections=read.marked.sections)
