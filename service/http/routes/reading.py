"""``GET /v1/sources`` and ``GET /v1/documents/{id}``: what anyone needs to check a citation."""

from collections import Counter

from fastapi import APIRouter

from service.http.authenticating import Reader
from service.http.problems import ProblemError
from service.http.schemas import DocumentSchema, PassageTextSchema, SourceSchema, SourcesSchema, source_schema
from service.http.state import DeskHere

router = APIRouter(prefix="/v1", tags=["reading"])


@router.get("/sources")
def sources(desk: DeskHere, caller: Reader) -> SourcesSchema:
    """List every source of the index with licence, credit and evidence."""
    retriever = desk.replier.answerer.retriever
    snapshot = retriever.snapshot
    shown = [d for d in snapshot.documents.values() if retriever.shows(d.id) and caller.may_touch(d.source.collection)]
    counts = Counter(passage.source_id for passage in snapshot.passages)
    rows: dict[str, SourceSchema] = {}
    for document in shown:
        own = [d for d in shown if d.source.id == document.source.id]
        rows.setdefault(document.source.id, source_schema(document.source, own, counts[document.source.id]))
    return SourcesSchema(data=[rows[name] for name in sorted(rows)])


@router.get("/documents/{document_id}")
def document(document_id: str, desk: DeskHere, caller: Reader) -> DocumentSchema:
    """Return a document's text and version: a citation's span is a slice of that text, in code points."""
    retriever = desk.replier.answerer.retriever
    found = retriever.snapshot.documents.get(document_id) if retriever.shows(document_id) else None
    if found is None or not caller.may_touch(found.source.collection):
        raise ProblemError("not-found", "There is no document of that id; see /v1/sources for those that are.")
    return DocumentSchema(
        id=found.id,
        source_id=found.source.id,
        title=found.title,
        version=found.version,
        text=found.text,
        digest=found.source.digest,
        licence=found.source.licence,
        credit=found.source.credit,
    )


@router.get("/passages/{passage_id}")
def passage(passage_id: str, desk: DeskHere, caller: Reader) -> PassageTextSchema:
    """Return one passage with its place in its document."""
    retriever = desk.replier.answerer.retriever
    snapshot = retriever.snapshot
    found = next((p for p in snapshot.passages if p.id == passage_id and retriever.shows(p.document_id)), None)
    if found is None or not caller.may_touch(found.collection):
        raise ProblemError("not-found", "There is no passage of that id in the snapshot that serves now.")
    return PassageTextSchema(
        id=found.id,
        document_id=found.document_id,
        document_version=snapshot.documents[found.document_id].version,
        source_id=found.source_id,
        title=found.title,
        heading_path=list(found.heading_path),
        text=found.text,
        source_start=found.span.start,
        source_end=found.span.end,
        page=found.page,
    )
