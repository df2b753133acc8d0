"""Ask a target every question of a set and keep what comes back.

A target is anything that turns a question into the ``/v1/ask`` object: our service in this process, a service over
HTTP, a fake in a test. A target that fails on a question gets a failed reply: the question is scored, not dropped.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Protocol, runtime_checkable
from urllib.parse import quote, urlsplit

from eval.errors import TargetError
from eval.records import Exchange, Item, Reply, reply_from_json

TOP_K = 10
_TIMEOUT_SECONDS = 60.0
_MOST_TRIES = 4
_LONGEST_WAIT_SECONDS = 5.0
_BUSY = frozenset({429, 503})


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
class ShowsDocuments(Protocol):
    """A target that shows the stored text of its documents, so that quotes can be checked against it."""

    def document_text(self, document_id: str) -> str | None:
        """Return the stored text, None where there is no such document."""
        ...


class Application(Protocol):
    """The part of ``service.application`` that an evaluation uses."""

    def ask(
        self, question: str, history: tuple[str, ...] = (), mode: str = "extractive", top_k: int = TOP_K
    ) -> dict[str, Any]:
        """Return exactly the ``/v1/ask`` object."""
        ...


class InProcessTarget:
    """Our own service without HTTP.

    Args:
        application: The opened service.
        mode: How answers are made.
        texts: Stored text by document id, to check quotes against.
    """

    def __init__(
        self, application: Application, mode: str = "extractive", texts: Mapping[str, str] | None = None
    ) -> None:
        self.name = "in process"
        self._application = application
        self._mode = mode
        self._texts = texts or {}

    def ask(self, question: str, history: Sequence[str] = ()) -> dict[str, Any]:
        """Return the ``/v1/ask`` object."""
        return self._application.ask(question, history=tuple(history), mode=self._mode, top_k=TOP_K)

    def document_text(self, document_id: str) -> str | None:
        """Return the text of a document of the corpus, None for what people added themselves."""
        return self._texts.get(document_id)


class HttpTarget:
    """A service that speaks our ``/v1/ask`` over HTTP, through one connection that is kept open.

    A reply of 429 or 503 is asked again after the stated wait, a few times; everything else that is no 2xx fails.

    Args:
        url: Address of the service, such as ``http://127.0.0.1:8000``.
        headers: Sent with each request, such as a key.
        mode: How answers are made.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, mode: str = "extractive") -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise TargetError(url, "is no address such as http://127.0.0.1:8000")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.name = url
        self._connection = kind(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
        self._root = parts.path.rstrip("/")
        self._headers = {"content-type": "application/json", "accept": "application/json", **(headers or {})}
        self._mode = mode

    def ask(self, question: str, history: Sequence[str] = ()) -> dict[str, Any]:
        """Return the ``/v1/ask`` object."""
        body: dict[str, Any] = {"question": question, "mode": self._mode, "top_k": TOP_K}
        if history:
            body["history"] = list(history)
        return self._json("POST", "/v1/ask", json.dumps(body).encode())

    def document_text(self, document_id: str) -> str | None:
        """Return the stored text of a document, None where the service does not show it."""
        try:
            body = self._json("GET", f"/v1/documents/{quote(document_id, safe='')}", None)
        except TargetError:
            return None
        return _text_or_none(body.get("text"))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _json(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        status, raw = self._exchange(method, path, body)
        if not 200 <= status < 300:
            raise TargetError(self.name, f"{method} {path} gave status {status}")
        try:
            value = json.loads(raw)
        except ValueError as fault:
            raise TargetError(self.name, f"{method} {path} gave no JSON") from fault
        if not isinstance(value, dict):
            raise TargetError(self.name, f"{method} {path} gave no JSON object")
        return value

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        reason = "the service stays busy"
        for _ in range(_MOST_TRIES):
            try:
                self._connection.request(method, self._root + path, body, self._headers)
                response = self._connection.getresponse()
                raw = response.read()
            except (OSError, HTTPException) as fault:
                # A kept connection may have been closed from the other side: a fresh one opens on the next try.
                self._connection.close()
                reason = f"no connection: {fault}"
                continue
            if response.status not in _BUSY:
                return response.status, raw
            time.sleep(_wait_seconds(response))
        raise TargetError(self.name, reason)


def open_target(url: str | None, headers: Mapping[str, str] | None = None, mode: str = "extractive") -> Target:
    """Open the service at ``url``, or our own in this process where there is none.

    Raises:
        TargetError: ``url`` is no address.
    """
    if url is not None:
        return HttpTarget(url, headers, mode)
    from corpus.sources import load_shipped_documents
    from service.application import open_application

    # Quotes are held against the corpus itself, not against the snapshot that they were cut from.
    texts = {document.id: document.text for document in load_shipped_documents()}
    return InProcessTarget(open_application(), mode, texts)


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


def _wait_seconds(response: HTTPResponse) -> float:
    stated = response.headers.get("Retry-After", "")
    wanted = float(stated) if stated.isdigit() else 0.5
    return min(wanted, _LONGEST_WAIT_SECONDS)


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
