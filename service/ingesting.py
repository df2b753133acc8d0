"""Documents from files into the database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from corpus.errors import UnreadableDocumentError
from corpus.fetching.caching import FetchedPage
from corpus.fetching.fetching import fetch_pages
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import Refusal
from corpus.fetching.sitemaps import list_pages
from corpus.reading.door import ReadDocument, read_bytes, read_path
from corpus.reading.text import read_text
from corpus.records import Document, Source, text_version
from corpus.sandbox import Sandbox
from service.settings import Settings
from service.storage.collections import note_fetched
from service.storage.database import open_database
from service.storage.documents import Stored, document_id, store_documents

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


@dataclass(frozen=True, slots=True)
class Brought:
    """One document that is stored.

    Attributes:
        name: The name that it came under.
        stored: What became of it.
        lacking: What neither it nor the operator says: a citation goes without.
    """

    name: str
    stored: Stored
    lacking: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """What became of each document.

    Attributes:
        stored: Those that can be read.
        refused: Name and reason of those that cannot.
    """

    stored: list[Brought] = field(default_factory=list)
    refused: list[UnreadableDocumentError] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether the index has to be built anew."""
        return any(brought.stored.outcome != "unchanged" for brought in self.stored)

    def lines(self) -> Iterator[str]:
        """Yield one line a document that is new, changed or refused, then sums, then what to say about them."""
        for brought in self.stored:
            if brought.stored.outcome != "unchanged":
                lacking = f", without {', '.join(brought.lacking)}" if brought.lacking else ""
                yield f"{brought.stored.outcome:9} {brought.name} ({brought.stored.document_id}){lacking}"
        for error in self.refused:
            yield f"refused   {error}"
        outcomes = [brought.stored.outcome for brought in self.stored]
        yield (
            f"{outcomes.count('added')} added, {outcomes.count('changed')} changed, "
            f"{outcomes.count('unchanged')} unchanged, {len(self.refused)} refused"
        )
        for name, how in _ASKED_FOR.items():
            count = sum(name in brought.lacking for brought in self.stored)
            if count:
                yield f"{count} without {name}: {how}"


_ASKED_FOR = {
    "title": "its file name stands in; give --title for a single document, or a heading or metadata in the file",
    "publisher": "the title stands in; give --publisher",
    "address": "it is cited without a link; give --url for a single document, or an address in the file",
    "date": "it is cited without one; give --published for a single document, or a date in the file",
    "licence": "give --licence, so that a reader of a citation knows what may be done with it",
}
"""What a citation should say of its source, and what to do where nobody says it."""

_AT_ONCE = 200
"""Documents that are stored together: a run that is killed loses these at most."""

Told = Callable[[int], None]
"""Called with the number of documents that were read so far."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A document that is ready to be stored."""

    name: str
    document: Document
    lacking: tuple[str, ...]


def ingest_paths(settings: Settings, paths: Sequence[Path], origin: Origin, told: Told | None = None) -> Report:
    """Read files and folders into the database; a bad file is refused with its reason and the others go on.

    A file is known by its place, an article of a help desk by its id there; the same content in another place is the
    same document. Documents are stored some at a time. A run that was stopped can be started again: what is stored is
    left alone.
    """
    engine = open_database(settings.database)
    report = Report()
    with Sandbox() as sandbox:
        made = (
            _from_path(read, path, origin)
            for path in paths
            for read in read_path(path, sandbox=sandbox, on_refusal=report.refused.append)
        )
        _store_all(engine, made, report, _AT_ONCE, told, once=True)
    return report


def fetch_and_ingest(settings: Settings, urls: Sequence[str], origin: Origin, told: Told | None = None) -> Report:
    """Fetch pages politely into the home folder and store them; a page that has not changed is not sent again.

    The collection is marked as fetched: off the loopback interface it is served once its licence is confirmed.

    Args:
        settings: Where pages and documents lie, and which machines inside the network may be asked.
        urls: Addresses, http or https; that of a sitemap stands for the pages that it lists.
        origin: What the operator says about them.
        told: Told of the pages that were fetched so far.

    Raises:
        FetchError: the disk fails.
        ValueError: the collection is the shipped one.
    """
    if origin.collection == "default":
        raise ValueError("fetched pages need a collection of their own, so that they can be kept to this machine")
    engine = open_database(settings.database)
    note_fetched(engine, origin.collection)
    report = Report()
    policy = FetchPolicy(allow=frozenset(settings.fetch_allow))
    with Sandbox() as sandbox:

        def refuse(refusal: Refusal) -> None:
            report.refused.append(UnreadableDocumentError(refusal.url, f"{refusal.detail}; {refusal.advice}"))

        def made() -> Iterator[_Made]:
            pages = list_pages(urls, settings.home / "sitemaps", policy=policy, sandbox=sandbox, on_refusal=refuse)
            for outcome in fetch_pages(pages, settings.pages, policy=policy):
                if isinstance(outcome, Refusal):
                    refuse(outcome)
                    continue
                name = outcome.final_url.rsplit("/", 1)[-1] or "page.html"
                content = outcome.readable_content
                for read in read_bytes(content, name, sandbox=sandbox, on_refusal=report.refused.append):
                    yield _from_page(read, outcome, origin)

        _store_all(engine, made(), report, 1, told)
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
        made = (
            _uploaded(read, origin)
            for read in read_bytes(content, name, sandbox=sandbox, on_refusal=report.refused.append)
        )
        _store_all(engine, made, report, _AT_ONCE)
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
    _store_all(engine, [_uploaded(replace(read, name=_UNTITLED), origin)], report, 1)
    return report


def _store_all(
    engine: Engine,
    documents: Iterable[_Made],
    report: Report,
    at_once: int,
    told: Told | None = None,
    *,
    once: bool = False,
) -> None:
    """Store documents as they come, some at a time; what a run that is cut short has stored stays."""
    rest = iter(documents)
    while some := list(islice(rest, at_once)):
        outcomes = store_documents(engine, [made.document for made in some], once=once)
        report.stored += [Brought(made.name, stored, made.lacking) for made, stored in zip(some, outcomes, strict=True)]
        if told is not None:
            told(len(report.stored) + len(report.refused))


def _uploaded(read: ReadDocument, origin: Origin) -> _Made:
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


def _from_path(read: ReadDocument, path: Path, origin: Origin) -> _Made:
    if read.external_id and read.media_type == "text/html":
        return _uploaded(read, origin)  # an article of a help desk, which keeps its id in the export of next week
    name, _, entry = read.name.partition("#")
    file = path.resolve() / name if path.is_dir() else path.resolve()  # the same, whichever folder was named
    return _made(document_id(origin.collection, f"{file.as_posix()}\n{read.external_id or entry}"), read, origin)


def _from_page(read: ReadDocument, page: FetchedPage, origin: Origin) -> _Made:
    """Make a document that is known by its page's address."""
    named = replace(read, url=page.url, external_id=page.url)
    made = _made(document_id(origin.collection, f"\n{page.url}"), named, origin, page.fetched_at[:10])
    return replace(made, name=page.url)


def _made(name: str, read: ReadDocument, origin: Origin, retrieved: str = "") -> _Made:
    """Give a document its id and source: what the file says of itself, else what the operator said."""
    said = {
        "title": read.title or read.marked.title or origin.title,
        "publisher": read.publisher or origin.publisher,
        "address": read.url or origin.url,
        "date": read.published or origin.published,
        "licence": read.licence or origin.licence,
    }
    title = said["title"] or read.name
    source = Source(
        id=name.replace("doc_", "src_"),
        title=title,
        publisher=said["publisher"] or title,
        publisher_short=said["publisher"] or title,
        url=said["address"],
        licence=said["licence"],
        published=said["date"],
        retrieved=retrieved,
        quotable=True,
        collection=origin.collection,
    )
    document = Document(id=name, source=source, title=title, text=read.marked.text, sections=read.marked.sections)
    return _Made(read.name, document, tuple(what for what, value in said.items() if not value))
