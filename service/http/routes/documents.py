"""``GET /v1/documents``, ``POST /v1/documents`` and ``DELETE /v1/documents/{id}``: what users bring."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from corpus.records import Document
from corpus.sandbox import SandboxError
from service.deleting import remove_document
from service.http.authenticating import Caller, Reader, Writer
from service.http.document_schemas import (
    MAX_PAGE,
    DocumentsSchema,
    ListedSchema,
    ReceiptSchema,
    RefusedSchema,
    SnapshotStateSchema,
    StoredSchema,
    UploadSchema,
)
from service.http.problems import ProblemError
from service.http.schemas import ProblemSchema
from service.http.state import Desk, DeskHere
from service.http.uploading import OPENAPI_BODY, Upload, one_at_a_time, read_upload
from service.ingesting import Report, ingest_text, ingest_upload
from service.rebuilding import Rebuilder
from service.storage.documents import Listed, list_documents, load_document

router = APIRouter(prefix="/v1/documents", tags=["documents"])


@router.get("")
def documents(
    desk: DeskHere,
    caller: Reader,
    collection: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Annotated[str, Query(max_length=64, description="`next_cursor` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> DocumentsSchema:
    """List documents by id, shipped digests among them."""
    if collection is not None:
        caller.check(collection)
    wanted = caller.collections if collection is None else frozenset({collection})
    retriever = desk.replier.answerer.retriever
    found = retriever.snapshot.documents
    shipped = [
        _shipped(document)
        for document in found.digests
        if document.id > cursor and (wanted is None or document.source.collection in wanted)
    ]
    stored = [] if desk.database is None else list_documents(desk.database, cursor, limit + 1, wanted, caller.closed)
    versions = retriever.versions({row.id: row.collection for row in stored})
    rows = [_listed(row, searchable=versions.get(row.id) == row.version) for row in stored]
    page = sorted([*shipped, *rows], key=lambda row: row.id)
    more = len(page) > limit
    return DocumentsSchema(data=page[:limit], next_cursor=page[limit - 1].id if more else None, has_more=more)


@router.post(
    "",
    status_code=202,
    response_model=UploadSchema,
    openapi_extra={"requestBody": OPENAPI_BODY},
    responses={
        200: {"model": UploadSchema, "description": "Everything was there already."},
        415: {"model": ProblemSchema, "description": "neither JSON nor a form"},
        503: {"model": ProblemSchema, "description": "busy; come back after Retry-After"},
    },
)
async def add(request: Request, response: Response, desk: DeskHere, caller: Writer) -> UploadSchema:
    """Store a document, sent as JSON or as a file; it is found as soon as the next snapshot is built.

    Its id is made from `external_id`, else from `url`, else from its text.
    """
    upload = await read_upload(request)
    caller.check(upload.origin.collection)
    report = await run_in_threadpool(_ingest, desk, upload)
    if not report.stored:
        reasons = tuple(("file", error.reason) for error in report.refused[:20])
        raise ProblemError("unreadable-document", "Bring the document in another form.", reasons)
    if not report.changed:
        response.status_code = 200
    return UploadSchema(
        data=[
            StoredSchema(id=stored.document_id, version=stored.version, outcome=stored.outcome)
            for stored in (brought.stored for brought in report.stored)
        ],
        refused=[RefusedSchema(name=error.name, reason=error.reason) for error in report.refused],
        snapshot=SnapshotStateSchema(id=desk.serving.snapshot_id, state=_writing(desk)[1].state),
    )


@router.delete(
    "/{document_id}",
    responses={
        409: {"model": ProblemSchema, "description": "a digest of Backline's own"},
        503: {"model": ProblemSchema, "description": "busy; come back after Retry-After"},
    },
)
def remove(document_id: str, desk: DeskHere, caller: Writer) -> ReceiptSchema:
    """Delete a document that was brought: from the next request on nothing of it is served."""
    database, rebuilder = _writing(desk)
    if desk.replier.answerer.retriever.snapshot.documents.is_digest(document_id):
        raise ProblemError("shipped-document", "Digests belong to Backline; filter by source instead.")
    _touchable(database, document_id, caller)
    receipt = remove_document(database, desk.settings, document_id)
    if receipt is None:
        raise _nothing()
    rebuilder.request()
    return ReceiptSchema(
        document_id=document_id,
        removed_from=list(receipt.removed_from),
        pending=list(receipt.pending),
        quoted_in_answers=receipt.quoted_in_answers,
        at=receipt.at,
    )


def _ingest(desk: Desk, upload: Upload) -> Report:
    database, rebuilder = _writing(desk)
    with one_at_a_time(desk.upload_gate):
        try:
            if upload.name is None:
                report = ingest_text(database, upload.content, upload.origin, markdown=upload.markdown)
            else:
                report = ingest_upload(database, upload.content, upload.name, upload.origin)
        except SandboxError:
            detail = "No file can be read now; try again."
            raise ProblemError("not-ready", detail, headers={"retry-after": "30"}) from None
    if report.changed:
        rebuilder.request()
    return report


def _touchable(database: Engine, document_id: str, caller: Caller) -> Document:
    """Return a document, or refuse what another collection holds as if it were not there."""
    document = load_document(database, document_id)
    if document is None or not caller.may_touch(document.source.collection):
        raise _nothing()
    return document


def _writing(desk: Desk) -> tuple[Engine, Rebuilder]:
    if desk.database is None or desk.rebuilder is None:
        raise ProblemError("not-ready", "This service takes no documents.", headers={"retry-after": "3600"})
    return desk.database, desk.rebuilder


def _nothing() -> ProblemError:
    return ProblemError("not-found", "There is no document of that id; see /v1/documents for those that are.")


def _shipped(document: Document) -> ListedSchema:
    return ListedSchema(
        id=document.id,
        source_id=document.source.id,
        collection=document.source.collection,
        version=document.version,
        title=document.title,
        digest=True,
        created=None,
        searchable=True,
    )


def _listed(row: Listed, *, searchable: bool) -> ListedSchema:
    return ListedSchema(
        id=row.id,
        source_id=row.source_id,
        collection=row.collection,
        version=row.version,
        title=row.title,
        digest=False,
        created=row.created,
        searchable=searchable,
    )
