"""The client for programs that do other things meanwhile."""

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

import httpx

from service.client.errors import UnreachableError
from service.client.events import Event, EventReader
from service.client.requests import (
    ADDRESS,
    TIMEOUT_SECONDS,
    Call,
    Fault,
    Feedback,
    Schema,
    Verdict,
    add_call,
    ask_call,
    check_reply,
    client_settings,
    documents_call,
    feedback_call,
    read_reply,
    search_call,
)
from service.http.answer_schemas import AnswerSchema, SearchSchema
from service.http.document_schemas import DocumentsSchema, ListedSchema, ReceiptSchema, UploadSchema
from service.http.schemas import DocumentSchema, ReadySchema


class AsyncBackline:
    """A Backline service; use it in an ``async with`` block, or close it.

    Every method raises a :class:`BacklineError` when the service refuses; nothing is tried again by itself.

    Args:
        address: Address of the service.
        key: A key of `backline keys create`; on the loopback interface only writing needs one.
        timeout_seconds: Longest silence of the service.
        transport: How requests travel; tests put their own in its place.
    """

    def __init__(
        self,
        address: str = ADDRESS,
        key: str | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(transport=transport, **client_settings(address, key, timeout_seconds))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(
        self,
        question: str,
        *,
        history: Sequence[str] = (),
        collection: str = "default",
        source_ids: Sequence[str] | None = None,
        top_k: int = 10,
        conversation_id: str | None = None,
    ) -> AnswerSchema:
        """Ask a question. When ``answer.triage`` is set, show it before everything else.

        Args:
            question: At most 8,000 characters.
            history: Earlier questions of the conversation, the oldest first.
            collection: Where to look.
            source_ids: Only these sources; None means all.
            top_k: Passages to look at, 1 to 50.
            conversation_id: Your name for the conversation.
        """
        call = ask_call(question, history, collection, source_ids, top_k, conversation_id, stream=False)
        return await self._send(call, AnswerSchema)

    async def stream(
        self,
        question: str,
        *,
        history: Sequence[str] = (),
        collection: str = "default",
        source_ids: Sequence[str] | None = None,
        top_k: int = 10,
        conversation_id: str | None = None,
    ) -> AsyncIterator[Event]:
        """Ask a question and yield each event as it comes; the last one is :class:`Done`.

        Args:
            question: At most 8,000 characters.
            history: Earlier questions of the conversation, the oldest first.
            collection: Where to look.
            source_ids: Only these sources; None means all.
            top_k: Passages to look at, 1 to 50.
            conversation_id: Your name for the conversation.
        """
        call = ask_call(question, history, collection, source_ids, top_k, conversation_id, stream=True)
        reader = EventReader()
        try:
            async with self._client.stream(**call.arguments()) as response:
                if not response.is_success:
                    await response.aread()
                check_reply(response)
                async for line in response.aiter_lines():
                    event = reader.read(line)
                    if event is not None:
                        yield event
        except httpx.TransportError as error:
            raise UnreachableError(f"No whole reply came: {type(error).__name__}.") from error
        reader.end()

    async def search(
        self, query: str, *, collection: str = "default", source_ids: Sequence[str] | None = None, top_k: int = 10
    ) -> SearchSchema:
        """Search passages; ``triage`` of the reply is set when the words describe a warning sign."""
        return await self._send(search_call(query, collection, source_ids, top_k), SearchSchema)

    async def read_answer(self, answer_id: str) -> AnswerSchema:
        """Return a reply that was given before, while it is kept."""
        return await self._send(Call("GET", f"/v1/answers/{answer_id}"), AnswerSchema)

    async def feedback(
        self,
        answer_id: str,
        verdict: Verdict,
        *,
        citation_id: str | None = None,
        reason: Fault | None = None,
        text: str | None = None,
    ) -> Feedback:
        """Say whether an answer, or one of its citations, helped; said again, it replaces what was said."""
        return await self._send(feedback_call(answer_id, verdict, citation_id, reason, text), Feedback)

    async def documents(self, collection: str | None = None) -> AsyncIterator[ListedSchema]:
        """Yield every document by id, without its text; more are asked for as they are needed."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self._send(documents_call(collection, cursor), DocumentsSchema)
            for document in page.data:
                yield document
            cursor = page.next_cursor

    async def read_document(self, document_id: str) -> DocumentSchema:
        """Return a document with its text, of which every citation's span is a slice."""
        return await self._send(Call("GET", f"/v1/documents/{document_id}"), DocumentSchema)

    async def add_document(
        self,
        content: str | bytes,
        *,
        name: str | None = None,
        markdown: bool = False,
        title: str = "",
        url: str = "",
        publisher: str = "",
        licence: str = "",
        published: str = "",
        collection: str = "default",
        external_id: str = "",
    ) -> UploadSchema:
        """Store a text, or a file under its name; it is found as soon as the next snapshot is built.

        Args:
            content: The text, or the bytes of a file.
            name: Name of the file, whose ending says what it is; without one ``content`` is a text.
            markdown: Whether a text is Markdown.
            title: Its title.
            url: Its public address.
            publisher: Who says it.
            licence: Under which licence.
            published: Date such as 2024-05-31.
            collection: Where it belongs.
            external_id: Its id in your system: sent again under it, it is a new version.
        """
        fields = {
            "title": title,
            "url": url,
            "publisher": publisher,
            "licence": licence,
            "published": published,
            "collection": collection,
            "external_id": external_id,
        }
        return await self._send(add_call(content, name, fields, markdown=markdown), UploadSchema)

    async def delete_document(self, document_id: str) -> ReceiptSchema:
        """Delete a document that was brought: from the next request on nothing of it is served."""
        return await self._send(Call("DELETE", f"/v1/documents/{document_id}"), ReceiptSchema)

    async def ready(self) -> ReadySchema:
        """Return what serves, and what is wrong with it."""
        return await self._send(Call("GET", "/readyz"), ReadySchema)

    async def _send(self, call: Call, schema: type[Schema]) -> Schema:
        try:
            response = await self._client.request(**call.arguments())
        except httpx.TransportError as error:
            raise UnreachableError(f"No reply came: {type(error).__name__}.") from error
        return read_reply(response, schema)
