"""``POST /v1/verify``: whether sentences stand in what they are said to rest on."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request

from corpus.records import Document
from index.retrieving import Filters, Retriever
from service.answering.verifying import REASONS, Finding, Text, verify
from service.http.authenticating import Caller, Reader
from service.http.limiting import ADMITTED
from service.http.problems import ProblemError
from service.http.record_schemas import FindingSchema, FindingsSchema, VerifyRequest
from service.http.routes.answers import find_own
from service.http.state import DeskHere

router = APIRouter(prefix="/v1", tags=["answers"])

PASSAGES = 5
"""Passages that are searched for a sentence that comes without texts."""


@router.post("/verify", dependencies=[ADMITTED])
def check(body: VerifyRequest, request: Request, desk: DeskHere, caller: Reader) -> FindingsSchema:
    """Check each sentence: `verbatim`, `supported`, `contradicted` or `not_found`, and why."""
    caller.check(body.collection)
    retriever = desk.replier.answerer.retriever
    kept = None if body.answer_id is None else find_own(desk, body.answer_id, request, caller)
    with desk.gate:
        if kept is None:
            findings = list(_check_sentences(body, retriever, caller))
        else:
            findings = list(_check_answer(json.loads(kept.reply), retriever))
    return FindingsSchema(data=[finding_schema(finding) for finding in findings], snapshot_id=retriever.snapshot.id)


def _check_sentences(body: VerifyRequest, retriever: Retriever, caller: Caller) -> Iterator[Finding]:
    texts = [Text(passage) for passage in body.passages]
    for name in body.document_ids:
        document = _document(retriever, name)
        if document is None or not caller.may_touch(document.source.collection):
            raise ProblemError(
                "not-found", "There is no document of one of the ids; see /v1/sources for those that are."
            )
        texts.append(Text(document.text, document.id))
    for sentence in body.sentences:
        yield verify(sentence, texts or nearby(sentence, body.collection, retriever), retriever.embed)


def nearby(sentence: str, collection: str, retriever: Retriever) -> list[Text]:
    """Return the passages that a sentence without texts is held against."""
    hits = [hit.passage for hit in retriever.search(sentence, PASSAGES, Filters(None, collection))]
    return [Text(hit.text, hit.document_id, hit.id, hit.span.start) for hit in hits]


def _check_answer(reply: dict[str, Any], retriever: Retriever) -> Iterator[Finding]:
    """Hold each sentence of an answer against the documents that it cites, as they are now."""
    citations = {citation["id"]: citation for citation in reply["citations"]}
    for sentence in reply["sentences"]:
        cited = [citations[name] for name in sentence["citation_ids"]]
        documents = [_document(retriever, citation["document_id"]) for citation in cited]
        texts = [Text(document.text, document.id) for document in documents if document is not None]
        finding = verify(sentence["text"], texts, retriever.embed)
        if finding.verdict == "verbatim" and finding.place is not None:
            place = next(citation for citation in cited if citation["document_id"] == finding.place.document_id)
            yield replace(finding, place=replace(finding.place, passage_id=place["passage_id"]))
        elif finding.place is None:
            yield replace(finding, faults=("gone",))
        else:
            yield finding


def _document(retriever: Retriever, name: str) -> Document | None:
    return retriever.document(name)


def finding_schema(finding: Finding) -> FindingSchema:
    """Return what was found of one sentence."""
    place, span = finding.place, finding.span
    plain = {"verbatim": "It stands there word for word.", "supported": "It says what stands there."}
    why = "; ".join(REASONS[fault] for fault in finding.faults)
    return FindingSchema(
        text=finding.sentence,
        verdict=finding.verdict,
        faults=list(finding.faults),
        reason=plain.get(finding.verdict, f"{why[:1].upper()}{why[1:]}."),
        document_id=None if place is None else place.document_id,
        passage_id=None if place is None else place.passage_id,
        quote=finding.quote or None,
        source_start=None if span is None else span.start,
        source_end=None if span is None else span.end,
        similarity=finding.similarity,
    )
