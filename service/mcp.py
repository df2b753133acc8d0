"""The Model Context Protocol: the same cited answers, as tools of a program that speaks it.

Every tool takes a person's words through the same screening as ``POST /v1/ask``; text comes with the notice first,
and the structured content is the object of the route of the same name.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from anyio import to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from index.retrieving import Filters
from service.answering.records import Question
from service.answering.verifying import verify as check
from service.http.presenting import notice_schema, passage_schema, passage_text_schema, reply_json
from service.http.routes.verifying import finding_schema, nearby
from service.http.schemas import QUESTION_CHARACTERS
from service.http.state import Desk
from service.transcript import notice_lines, transcribe

INSTRUCTIONS = (
    "Cited answers about back spasms and back pain. Show a notice before anything else and word for word; "
    "give every sentence with its source. Information, not medical advice."
)

Words = Annotated[str, Field(min_length=1, max_length=QUESTION_CHARACTERS, pattern=r"\S")]
Sentence = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"\S")]
Count = Annotated[int, Field(ge=1, le=50)]
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)


def make_server(desk: Desk) -> MCPServer[None]:
    """Return the server with its tools: ``ask``, ``search``, ``read_passage``, ``verify``.

    Args:
        desk: The opened service.
    """

    @asynccontextmanager
    async def following(_server: MCPServer[None]) -> AsyncIterator[None]:
        for one in desk.background:
            one.start()
        try:
            yield
        finally:
            for one in desk.background:
                await to_thread.run_sync(one.stop)

    server = MCPServer("backline", instructions=INSTRUCTIONS, lifespan=following, log_level="WARNING")

    @server.tool(title="Ask", annotations=_READS, structured_output=False)
    def ask(
        question: Words,
        history: Annotated[list[Words] | None, Field(max_length=20)] = None,
        collection: Annotated[str, Field(max_length=64)] = "default",
    ) -> CallToolResult:
        """Answer a question about back spasms or back pain with cited sentences, or say why not."""
        asked = Question(question, tuple(history or ()), collection=collection)
        reply = reply_json(desk.replier.reply(asked, desk.gate))
        return _result(transcribe(reply, desk.settings.emergency_numbers).text, reply)

    @server.tool(title="Search", annotations=_READS, structured_output=False)
    def search(
        query: Words, top_k: Count = 10, collection: Annotated[str, Field(max_length=64)] = "default"
    ) -> CallToolResult:
        """Find passages; words that describe a warning sign raise the same notice as a question."""
        with desk.gate:
            replier = desk.replier
            notice = notice_schema(replier.screen(Question(query)))
            hits = replier.answerer.retriever.search(query, top_k, Filters(None, collection))
        found: dict[str, Any] = {
            "triage": None if notice is None else notice.model_dump(mode="json"),
            "data": [passage_schema(hit).model_dump(mode="json") for hit in hits],
            "snapshot_id": replier.answerer.retriever.snapshot.id,
        }
        lines = [] if notice is None else ["\n".join(notice_lines(found["triage"], desk.settings.emergency_numbers))]
        lines += [f"{row['title']} ({row['id']})\n{row['text']}" for row in found["data"]]
        return _result("\n\n".join(lines) or "Nothing was found.", found)

    @server.tool(title="Read a passage", annotations=_READS, structured_output=False)
    def read_passage(passage_id: Annotated[str, Field(max_length=64)]) -> CallToolResult:
        """Return one passage with its place in its document: a citation's `passage_id` leads here."""
        retriever = desk.replier.answerer.retriever
        found = retriever.passage(passage_id)
        if found is None:
            raise ToolError("There is no passage of that id in the snapshot that serves now.")
        version = retriever.document_of(found).version
        return _result(found.text, passage_text_schema(found, version).model_dump(mode="json"))

    @server.tool(title="Verify", annotations=_READS, structured_output=False)
    def verify(
        sentences: Annotated[list[Sentence], Field(min_length=1, max_length=20)],
        collection: Annotated[str, Field(max_length=64)] = "default",
    ) -> CallToolResult:
        """Check sentences against the sources: verbatim, supported, contradicted or not_found, and why."""
        with desk.gate:
            retriever = desk.replier.answerer.retriever
            findings = [
                finding_schema(check(sentence, nearby(sentence, collection, retriever), retriever.embed))
                for sentence in sentences
            ]
        found = {
            "data": [finding.model_dump(mode="json") for finding in findings],
            "snapshot_id": retriever.snapshot.id,
        }
        lines = [f"{finding.verdict}: {finding.text}\n{finding.reason}" for finding in findings]
        return _result("\n\n".join(lines), found)

    return server


def serve(desk: Desk, transport: Literal["stdio", "streamable-http"], host: str, port: int) -> None:
    """Serve until the client leaves or the process is told to stop.

    Args:
        desk: The opened service.
        transport: ``stdio``, or HTTP at ``/mcp``.
        host: For HTTP: an address of the loopback interface; Host and Origin are checked against it.
        port: For HTTP.
    """
    server = make_server(desk)
    if transport == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", host=host, port=port)


def _result(text: str, structured: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structured)
