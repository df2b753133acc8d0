"""Ask a target every question of a set and keep what comes back.

A target is anything that turns a question into the ``/v1/ask`` object: our service in this process, a service over
HTTP, a fake in a test. A target that fails on a question gets a failed reply: the question is scored, not dropped.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import quote

from eval.connecting import ServiceConnection
from eval.errors import TargetError
from eval.mapped import MappedTarget
from eval.mapping import load_mapping
from eval.records import AnswerItem, Exchange, Item, Reply, reply_from_json

TOP_K = 10
DEFAULT_COLLECTION = "default"


class Target(Protocol):
    """Something that can be asked.

    Attributes:
        name: What the report calls it.
    """

    name: str

    def ask(self, question: str, history: Sequence[str] = ()) -> dict[str, Any]:
        """Return the ``/v1/ask`` object.

        Args:
            question: What a person asks.
            history: Earlier questions of the same conversation, oldest first.

        Raises:
            TargetError: no reply that could be read.
        """
        ...


@runtime_checkable
class NamesSources(Protocol):
    """A target that says what its sources are called, so that a set may name them by title."""

    def source_titles(self) -> dict[str, str]:
        """Return the title of each source of the collection that is asked about, by id."""
        ...


@runtime_checkable
class Closes(Protocol):
    """A target that holds a connection."""

    def close(self) -> None:
        """Let it go."""
        ...


@runtime_checkable
class ShowsDocuments(Protocol):
    """A target that shows the stored text of its documents, so that quotes can be checked against it."""

    def document_text(self, document_id: str) -> str | None:
        """Return the stored text, None where there is no such document."""
        ...


@runtime_checkable
class ShowsSearchers(Protocol):
    """A target that shows what each of its searchers finds by itself."""

    def sources_by_searcher(self, question: str) -> Mapping[str, Sequence[str]]:
        """Return the source of each passage by searcher, best first."""
        ...


class Application(Protocol):
    """The part of ``service.application`` that an evaluation uses."""

    def ask(
        self,
        question: str,
        history: tuple[str, ...] = (),
        mode: str = "extractive",
        top_k: int = TOP_K,
        *,
        collection: str = DEFAULT_COLLECTION,
    ) -> dict[str, Any]:
        """Return exactly the ``/v1/ask`` object."""
        ...


class InProcessTarget:
    """Our own service without HTTP.

    Args:
        application: The opened service.
        mode: How answers are made.
        texts: Stored text by document id, to check quotes against.
        titles: Title of each source of the collection, by id.
        collection: What is asked about.
        start_ms: Milliseconds that opening it took, where that is known.
        rank_apart: Sources that each searcher finds for a question by itself.
    """

    def __init__(
        self,
        application: Application,
        mode: str = "extractive",
        texts: Mapping[str, str] | None = None,
        titles: Mapping[str, str] | None = None,
        collection: str = DEFAULT_COLLECTION,
        start_ms: float | None = None,
        rank_apart: Callable[[str], Mapping[str, Sequence[str]]] | None = None,
    ) -> None:
        self.name = "in process"
        self.start_ms = start_ms
        self._application = application
        self._mode = mode
        self._texts = texts or {}
        self._titles = titles or {}
        self._collection = collection
        self._rank_apart = rank_apart

    def sources_by_searcher(self, question: str) -> Mapping[str, Sequence[str]]:
        """Return the source of each passage by searcher, best first; nothing where that is not known."""
        return self._rank_apart(question) if self._rank_apart is not None else {}

    def ask(self, question: str, history: Sequence[str] = ()) -> dict[str, Any]:
        """Return the ``/v1/ask`` object."""
        return self._application.ask(
            question, history=tuple(history), mode=self._mode, top_k=TOP_K, collection=self._collection
        )

    def document_text(self, document_id: str) -> str | None:
        """Return the stored text of a document, None where there is none of that id."""
        return self._texts.get(document_id)

    def source_titles(self) -> dict[str, str]:
        """Return the title of each source of the collection, by id."""
        return dict(self._titles)


class HttpTarget:
    """A service that speaks our ``/v1/ask`` over HTTP.

    Args:
        url: Address of the service, such as ``http://127.0.0.1:8000``.
        headers: Sent with each request, such as a key.
        mode: How answers are made.
        collection: What is asked about.

    Raises:
        TargetError: ``url`` is no address.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        mode: str = "extractive",
        collection: str = DEFAULT_COLLECTION,
    ) -> None:
        self.name = url
        self._connection = ServiceConnection(url, headers)
        self._mode = mode
        self._collection = collection

    def ask(self, question: str, history: Sequence[str] = ()) -> dict[str, Any]:
        """Return the ``/v1/ask`` object."""
        body: dict[str, Any] = {"question": question, "mode": self._mode, "top_k": TOP_K}
        if history:
            body["history"] = list(history)
        if self._collection != DEFAULT_COLLECTION:
            body["filters"] = {"collection": self._collection}
        return self._connection.object("POST", "/v1/ask", body)

    def document_text(self, document_id: str) -> str | None:
        """Return the stored text of a document, None where the service does not show it."""
        try:
            body = self._connection.object("GET", f"/v1/documents/{quote(document_id, safe='')}")
        except TargetError:
            return None
        return _text_or_none(body.get("text"))

    def source_titles(self) -> dict[str, str]:
        """Return the title of each source of the collection, by id."""
        rows = self._connection.object("GET", "/v1/sources").get("data") or ()
        return {row["id"]: row["title"] for row in rows if row["collection"] == self._collection}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def open_target(
    url: str | None,
    headers: Mapping[str, str] | None = None,
    mode: str = "extractive",
    collection: str = DEFAULT_COLLECTION,
    mapping: Path | None = None,
) -> Target:
    """Open the service at ``url``, or our own in this process where there is none.

    Args:
        url: Address of a service.
        headers: Sent with each request.
        mode: How answers are made.
        collection: What is asked about.
        mapping: Says how to speak to the service at ``url``, where it is not ours.

    Raises:
        TargetError: ``url`` is no address, or missing beside a mapping.
        MappingError: the mapping cannot be used.
    """
    if mapping is not None:
        if url is None:
            raise TargetError(mapping.name, "a mapping speaks to a service: add --url")
        return MappedTarget(load_mapping(mapping), url, headers)
    if url is not None:
        return HttpTarget(url, headers, mode, collection)
    return _open_in_process(mode, collection)


def _open_in_process(mode: str, collection: str) -> Target:
    from corpus.sources import load_shipped_documents
    from index.retrieving import Filters
    from service.application import open_application
    from service.storage.database import is_made, open_database
    from service.storage.documents import load_documents

    began = time.perf_counter()
    application = open_application()
    start_ms = (time.perf_counter() - began) * 1000
    # Quotes are held against corpus and database themselves, not against the snapshot that they were cut from.
    documents = list(load_shipped_documents())
    if is_made(application.settings.database):
        documents += load_documents(open_database(application.settings.database))
    texts = {document.id: document.text for document in documents}
    titles = {one.source.id: one.source.title for one in documents if one.source.collection == collection}
    retriever = application.replier.answerer.retriever

    def rank_apart(question: str) -> dict[str, tuple[str, ...]]:
        found = retriever.rank_apart(question, TOP_K, Filters(collection=collection))
        return {name: tuple(passage.source_id for passage in passages) for name, passages in found.items()}

    return InProcessTarget(application, mode, texts, titles, collection, start_ms, rank_apart)


def document_reader(target: Target) -> Callable[[str], str | None]:
    """Return a reader of stored texts that asks for each document once."""
    known: dict[str, str | None] = {}

    def read(document_id: str) -> str | None:
        if not isinstance(target, ShowsDocuments) or not document_id:
            return None
        if document_id not in known:
            known[document_id] = target.document_text(document_id)
        return known[document_id]

    return read


def ask_all(
    target: Target, items: Iterable[Item], watch: Callable[[Exchange], None] | None = None
) -> tuple[list[Exchange], list[dict[str, Any]]]:
    """Ask every item, one after the other.

    Args:
        target: Who is asked.
        items: In the order in which they are asked.
        watch: Called after each reply, for a progress bar.

    Returns:
        The exchanges, and the objects as they came, {} where none did, both in the order of the items.
    """
    exchanges: list[Exchange] = []
    bodies: list[dict[str, Any]] = []
    for item in items:
        exchange, body = _ask(target, item)
        exchanges.append(exchange)
        bodies.append(body)
        if watch is not None:
            watch(exchange)
    return exchanges, bodies


def search_apart(target: Target, exchange: Exchange, body: Mapping[str, Any]) -> Exchange:
    """Add what each searcher finds by itself for a question that has a right source, as far as the target shows it."""
    if not isinstance(exchange.item, AnswerItem) or not isinstance(target, ShowsSearchers):
        return exchange
    asked = body.get("rewritten_question") or exchange.item.question
    return replace(exchange, by_searcher=target.sources_by_searcher(str(asked)))


def _ask(target: Target, item: Item) -> tuple[Exchange, dict[str, Any]]:
    started = time.perf_counter()
    body: dict[str, Any] = {}
    try:
        body = target.ask(item.question, item.history)
        wall_ms = (time.perf_counter() - started) * 1000
        return Exchange(item, reply_from_json(body), wall_ms), body
    except Exception as fault:  # noqa: BLE001 (whatever a target raises is a failed question, never a lost one)
        wall_ms = (time.perf_counter() - started) * 1000
        return Exchange(item, Reply("failed", error=f"{type(fault).__name__}: {fault}"), wall_ms), body


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
