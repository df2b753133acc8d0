"""The body of an upload, JSON or a form with one file, read after the key was checked and not before."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from service.http.document_schemas import UploadOptions, UploadRequest
from service.http.problems import ProblemError
from service.ingesting import Origin

_WAIT_SECONDS = 30.0
_MOST_FIELD_BYTES = 16_384

UPLOAD_SCHEMAS: dict[str, Any] = {
    "UploadRequest": UploadRequest.model_json_schema(),
    "UploadForm": {
        **UploadOptions.model_json_schema(),
        "title": "UploadForm",
        "description": "A file, and what the sender says of it.",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary", "description": "The file."},
            **UploadOptions.model_json_schema()["properties"],
        },
    },
}
"""Shapes of the body, which the route reads itself, for the reference."""

OPENAPI_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/UploadRequest"}},
        "multipart/form-data": {"schema": {"$ref": "#/components/schemas/UploadForm"}},
    },
}


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent.

    Attributes:
        content: The bytes of the document or file.
        name: Name that came with the file; None for a text sent as JSON.
        markdown: Whether a text is Markdown.
        origin: What the sender says of it.
    """

    content: bytes
    name: str | None
    markdown: bool
    origin: Origin


async def read_upload(request: Request) -> Upload:
    """Read the body; the door counts its bytes, and a form's file waits on the disk without a name.

    Raises:
        RequestValidationError: a field is wrong.
        ProblemError: the body is no form, or of a content type that is not taken.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _from_json(await request.body())
    if kind != "multipart/form-data":
        detail = "Send application/json, or multipart/form-data with the file in the field file."
        raise ProblemError("wrong-content-type", detail)
    try:
        form = await request.form(max_files=1, max_fields=20, max_part_size=_MOST_FIELD_BYTES)
    except HTTPException:
        detail = "Send multipart/form-data with one file in the field file and short fields beside it."
        raise ProblemError("not-multipart", detail) from None
    try:
        fields = form.multi_items()
        files = [value for name, value in fields if name == "file" and isinstance(value, UploadFile)]
        texts = {name: value for name, value in fields if isinstance(value, str)}
        if len(files) != 1 or len(files) + len(texts) != len(fields):
            raise _missing_file()
        with _as_invalid():
            options = UploadOptions.model_validate(texts)
        return Upload(await files[0].read(), files[0].filename or "unnamed", markdown=False, origin=options.origin())
    finally:
        await form.close()


@contextmanager
def one_at_a_time(gate: threading.BoundedSemaphore) -> Iterator[None]:
    """Wait for the turn of an upload, but not for ever.

    Raises:
        ProblemError: too many uploads are waiting.
    """
    if not gate.acquire(timeout=_WAIT_SECONDS):
        raise ProblemError("not-ready", "Other uploads are being read; try again.", headers={"retry-after": "30"})
    try:
        yield
    finally:
        gate.release()


def _from_json(body: bytes) -> Upload:
    with _as_invalid():
        sent = UploadRequest.model_validate_json(body)
    text = sent.text if sent.markdown is None else sent.markdown
    return Upload((text or "").encode(), None, sent.markdown is not None, sent.origin())


@contextmanager
def _as_invalid() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None


def _missing_file() -> RequestValidationError:
    return RequestValidationError([{"type": "missing", "loc": ("body", "file"), "msg": "", "input": None}])
