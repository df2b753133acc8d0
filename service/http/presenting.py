"""Records into what goes over the wire: one shape for JSON, the command line and the evaluation."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from corpus.records import Document, Passage, Source
from corpus.sources import load_sources
from index.hits import PassageHit
from service.answering.records import Citation, Generation, Reply
from service.http.answer_schemas import (
    AbstentionSchema,
    AnswerSchema,
    CitationSchema,
    DifferenceSchema,
    GenerationSchema,
    LocatorSchema,
    PassageSchema,
    PositionSchema,
    ProbabilitySchema,
    RuleSchema,
    SentenceSchema,
    SupportSchema,
    TriageSchema,
    WarningSourceSchema,
)
from service.http.schemas import PassageTextSchema, SourceSchema
from service.triage.records import Notice, RuleSource


def reply_json(reply: Reply, conversation_id: str | None = None) -> dict[str, Any]:
    """Return the object of ``POST /v1/ask``."""
    answer = reply.answer
    abstention = answer.abstention
    schema = AnswerSchema(
        triage=None if reply.notice is None else _notice(reply.notice),
        id=reply.id,
        conversation_id=conversation_id,
        status=answer.status,
        answer=answer.text,
        sentences=[
            SentenceSchema(text=s.text, start=s.start, end=s.end, citation_ids=list(s.citation_ids))
            for s in answer.sentences
        ],
        citations=[_citation(citation) for citation in answer.citations],
        passages=[passage_schema(hit) for hit in answer.passages],
        missing=list(answer.missing),
        differences=[
            DifferenceSchema(
                topic=differing.topic,
                care=differing.care,
                positions=[
                    PositionSchema(text=position.text, citation_ids=list(position.citation_ids))
                    for position in differing.positions
                ],
            )
            for differing in answer.differences
        ],
        abstention=None
        if abstention is None
        else AbstentionSchema(
            reason=abstention.reason,
            message=abstention.message,
            nearest=[_citation(citation) for citation in abstention.nearest],
            about_medicine=abstention.about_medicine,
            language=abstention.language,
        ),
        probability=None
        if answer.probability is None
        else ProbabilitySchema(
            value=round(answer.probability.value, 4),
            calibrated_on=answer.probability.calibrated_on,
            threshold=answer.probability.threshold,
        ),
        rewritten_question=answer.rewritten_question,
        follow_ups=list(answer.follow_ups),
        mode=answer.mode,
        generation=None if answer.generation is None else _generation(answer.generation),
        snapshot_id=reply.snapshot_id,
        model=reply.model,
        disclaimer=reply.disclaimer,
        timings_ms={stage: round(value, 2) for stage, value in reply.timings_ms},
        created=reply.created,
    )
    return schema.model_dump(mode="json")


def notice_json(notice: Notice) -> dict[str, Any]:
    """Return the ``triage`` object."""
    return _notice(notice).model_dump(mode="json")


def notice_schema(notice: Notice | None) -> TriageSchema | None:
    """Return the ``triage`` object as a schema."""
    return None if notice is None else _notice(notice)


def passage_schema(hit: PassageHit) -> PassageSchema:
    """Return one found passage."""
    passage = hit.passage
    return PassageSchema(
        id=passage.id,
        rank=hit.rank,
        score=round(hit.score, 6),
        text=passage.text,
        source_id=passage.source_id,
        document_id=passage.document_id,
        title=passage.title,
        heading_path=list(passage.heading_path),
        source_start=passage.span.start,
        source_end=passage.span.end,
    )


def passage_text_schema(passage: Passage, version: str) -> PassageTextSchema:
    """Return one passage with its place in its document, whose version is given."""
    return PassageTextSchema(
        id=passage.id,
        document_id=passage.document_id,
        document_version=version,
        source_id=passage.source_id,
        title=passage.title,
        heading_path=list(passage.heading_path),
        text=passage.text,
        source_start=passage.span.start,
        source_end=passage.span.end,
        page=passage.page,
    )


def source_schema(source: Source, documents: Sequence[Document], passages: int) -> SourceSchema:
    """Return one source with what stands in the index of it."""
    evidence: dict[str, int] = {}
    for document in documents:
        for attribution in document.attributions:
            evidence[attribution.evidence] = evidence.get(attribution.evidence, 0) + 1
    return SourceSchema(
        id=source.id,
        title=source.title,
        publisher=source.publisher,
        url=source.url,
        licence=source.licence,
        credit=source.credit,
        published=source.published or None,
        retrieved=source.retrieved or None,
        note=source.note,
        digest=source.digest,
        collection=source.collection,
        evidence=evidence,
        documents=[document.id for document in documents],
        passages=passages,
    )


def _citation(citation: Citation) -> CitationSchema:
    source = citation.source
    return CitationSchema(
        id=citation.id,
        source_id=source.id,
        document_id=citation.document.id,
        document_version=citation.document.version,
        passage_id=citation.passage.id,
        quote=citation.quote,
        source_start=citation.span.start,
        source_end=citation.span.end,
        prefix=citation.prefix,
        suffix=citation.suffix,
        locator=LocatorSchema(
            heading_path=list(citation.passage.heading_path),
            page=citation.passage.page,
            anchor=citation.passage.anchor,
        ),
        title=citation.title,
        publisher=citation.publisher,
        url=citation.url,
        deep_link=citation.deep_link,
        published=citation.published,
        retrieved=source.retrieved or None,
        licence=citation.licence,
        credit=citation.credit,
        evidence=citation.evidence,
        digest=source.digest,
        facts=list(citation.facts),
        support=SupportSchema(
            label=citation.support.label,
            probability=1.0 if citation.support.label == "verbatim" else None,
            similarity=citation.support.similarity,
            method=citation.support.method,
        ),
    )


def _generation(generation: Generation) -> GenerationSchema:
    return GenerationSchema(
        reason=generation.reason, model=generation.model, written=generation.written, kept=generation.kept
    )


def _notice(notice: Notice) -> TriageSchema:
    return TriageSchema(
        urgent=notice.urgent,
        level=notice.level.value,
        rules=[
            RuleSchema(id=rule.id, matched=rule.matched, level=rule.level.value, by=rule.by) for rule in notice.rules
        ],
        key=notice.key,
        label=notice.label,
        title=notice.title,
        how=notice.how,
        message=notice.message,
        conditional=[line for line in notice.conditional if line not in notice.message],
        sources=[_warning_source(source) for source in notice.sources],
        basis=notice.basis,
        self_harm=notice.self_harm,
    )


def _warning_source(source: RuleSource) -> WarningSourceSchema:
    """Name the page behind a warning, so that a reader can open it."""
    known = _registry().get(source.source_id)
    return WarningSourceSchema(
        source_id=source.source_id,
        label=source.label,
        says=source.says,
        title="" if known is None else known.title,
        publisher="" if known is None else known.publisher_short,
        url="" if known is None else known.url,
    )


@cache
def _registry() -> dict[str, Source]:
    return load_sources()
