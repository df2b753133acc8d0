"""What both clients send, and how they read what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from service.client.errors import ServiceError, error_of

ADDRESS = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 60.0
PAGE = 200

Verdict = Literal["yes", "no"]
Fault = Literal["warning", "wrong", "off", "hard"]
Schema = TypeVar("Schema", bound=BaseModel)


class Feedback(BaseModel):
    """A verdict as the service keeps it."""

    id: str
    answer_id: str
    citation_id: str | None
    verdict: Verdict
    reason: Fault | None


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        method: HTTP method.
        path: Address below the service's own.
        json: Body, or None.
        query: Parameters of the address.
        fields: Fields of a form, with a file.
        file: Name and bytes of the form's file, or None for no form.
    """

    method: str
    path: str
    json: dict[str, Any] | None = None
    query: Mapping[str, str | int] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, bytes] | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the request as httpx takes it."""
        given: dict[str, Any] = {"method": self.method, "url": self.path}
        if self.json is not None:
            given["json"] = self.json
        if self.query:
            given["params"] = dict(self.query)
        if self.file is not None:
            given |= {"files": {"file": self.file}, "data": dict(self.fields)}
        return given


def client_settings(address: str, key: str | None, timeout_seconds: float) -> dict[str, Any]:
    """Return how both clients open their connections."""
    headers = {"accept": "application/json, application/problem+json, text/event-stream"}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    return {"base_url": address, "headers": headers, "timeout": timeout_seconds, "follow_redirects": False}


def ask_call(
    question: str,
    history: Sequence[str],
    collection: str,
    source_ids: Sequence[str] | None,
    top_k: int,
    conversation_id: str | None,
    *,
    stream: bool,
) -> Call:
    """Return the request of a question."""
    body = {"question": question, "history": list(history), "top_k": top_k, "stream": stream}
    body["filters"] = _filters(collection, source_ids)
    if conversation_id is not None:
        body["conversation_id"] = conversation_id
    return Call("POST", "/v1/ask", body)


def search_call(query: str, collection: str, source_ids: Sequence[str] | None, top_k: int) -> Call:
    """Return the request of a search."""
    return Call("POST", "/v1/search", {"query": query, "top_k": top_k, "filters": _filters(collection, source_ids)})


def feedback_call(
    answer_id: str, verdict: Verdict, citation_id: str | None, reason: Fault | None, text: str | None
) -> Call:
    """Return the request of a verdict."""
    body = {
        "answer_id": answer_id,
        "verdict": verdict,
        "citation_id": citation_id,
        "reason": reason,
        "text": text,
    }
    return Call("POST", "/v1/feedback", {name: value for name, value in body.items() if value is not None})


def documents_call(collection: str | None, cursor: str) -> Call:
    """Return the request of one page of documents."""
    query: dict[str, str | int] = {"limit": PAGE}
    if collection is not None:
        query["collection"] = collection
    if cursor:
        query["cursor"] = cursor
    return Call("GET", "/v1/documents", query=query)


def add_call(content: str | bytes, name: str | None, fields: Mapping[str, str], *, markdown: bool) -> Call:
    """Return the request that brings a text, or a file under its name.

    Raises:
        ValueError: bytes came without a name, whose ending says what they are.
    """
    given = {key: value for key, value in fields.items() if value}
    if name is not None:
        raw = content.encode() if isinstance(content, str) else content
        return Call("POST", "/v1/documents", fields=given, file=(name, raw))
    if isinstance(content, str):
        return Call("POST", "/v1/documents", {"markdown" if markdown else "text": content, **given})
    raise ValueError("give the file a name: its ending says what the bytes are")


def read_reply(response: httpx.Response, schema: type[Schema]) -> Schema:
    """Return the body of a success.

    Raises:
        BacklineError: it is none, or not of the shape that was agreed.
    """
    check_reply(response)
    try:
        return schema.model_validate_json(response.content)
    except ValidationError:
        raise ServiceError(
            "The reply is not what was agreed; is this a Backline service?", response.status_code
        ) from None


def check_reply(response: httpx.Response) -> None:
    """Raise the exception of a reply that is no success.

    Raises:
        BacklineError: it is none.
    """
    if not response.is_success:
        raise error_of(response.status_code, response.content, response.headers.get("retry-after"))


def _filters(collection: str, source_ids: Sequence[str] | None) -> dict[str, Any]:
    return {"collection": collection, "source_ids": None if source_ids is None else list(source_ids)}
