"""What anyone needs to check a citation: sources, collections, documents and passages."""

from fastapi import APIRouter

from corpus.records import Document
from service.answering.abstaining import MESSAGES
from service.answering.records import DISCLAIMER
from service.http.authenticating import Reader
from service.http.presenting import passage_text_schema, source_schema
from service.http.problems import ProblemError
from service.http.schemas import (
    CollectionSchema,
    CollectionsSchema,
    DocumentSchema,
    PassageTextSchema,
    SourcesSchema,
)
from service.http.state import DeskHere
from service.storage.collections import DEFAULT, list_collections

router = APIRouter(prefix="/v1", tags=["reading"])


@router.get("/sources")
def sources(desk: DeskHere, caller: Reader) -> SourcesSchema:
    """List every source of the index with licence, credit and evidence."""
    retriever = desk.replier.answerer.retriever
    snapshot = retriever.snapshot
    counts = snapshot.passages_by_source()
    shown: dict[str, list[Document]] = {}
    held = snapshot.documents
    for name in held:
        if retriever.shows(name) and caller.may_touch(held.collection(name)):
            shown.setdefault(held[name].source.id, []).append(held[name])
    return SourcesSchema(data=[source_schema(own[0].source, own, counts[name]) for name, own in sorted(shown.items())])


@router.get("/collections")
def collections(desk: DeskHere, caller: Reader) -> CollectionsSchema:
    """List every collection with what its operator says of it: its subject, questions to ask it, its disclaimer."""
    rows = [] if desk.database is None else list_collections(desk.database)
    return CollectionsSchema(
        data=[
            CollectionSchema(
                name=row.name,
                documents=row.documents,
                scope=row.scope or (MESSAGES["out_of_scope"] if row.name == DEFAULT else ""),
                questions=list(row.questions),
                disclaimer=row.disclaimer or DISCLAIMER,
                publishable=row.publishable,
                calibrated=row.name == DEFAULT and desk.replier.answerer.calibrated,
            )
            for row in rows
            if caller.may_touch(row.name)
        ]
    )


@router.get("/documents/{document_id}")
def document(document_id: str, desk: DeskHere, caller: Reader) -> DocumentSchema:
    """Return a document's text and version: a citation's span is a slice of that text, in code points."""
    retriever = desk.replier.answerer.retriever
    found = retriever.document(document_id)
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
    found = retriever.passage(passage_id)
    if found is None or not caller.may_touch(found.collection):
        raise ProblemError("not-found", "There is no passage of that id in the snapshot that serves now.")
    return passage_text_schema(found, retriever.document_of(found).version)
