"""What goes over the wire: one shape for JSON, the command line and the evaluation."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from corpus.records import Document, Source
from corpus.sources import load_sources
from index.hits import PassageHit
from service.answering.records import DISCLAIMER, Citation, EvidenceLabel, Reason, Reply, Status
from service.triage.records import Notice, RuleSource

QUESTION_CHARACTERS = 8_000


def _has_no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("remove the NUL characters")
    return text


def _is_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("write a question")
    return text


Text = Annotated[str, AfterValidator(_has_no_nul)]


class Strict(BaseModel):
    """Unknown fields are faults: a misspelt option must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class FilterOptions(Strict):
    """What may be found."""

    source_ids: list[Annotated[Text, Field(max_length=200)]] | None = Field(default=None, max_length=200)
    collection: Text = Field(default="default", max_length=64)


class AskRequest(Strict):
    """A question."""

    question: Annotated[Text, AfterValidator(_is_not_blank)] = Field(
        min_length=1, max_length=QUESTION_CHARACTERS, examples=["How long does a back spasm last?"]
    )
    conversation_id: Text | None = Field(
        default=None, max_length=64, description="Taken for later use: answers are not stored yet."
    )
    history: list[Annotated[Text, Field(max_length=QUESTION_CHARACTERS)]] = Field(
        default_factory=list, max_length=20, description="Earlier questions of the conversation, oldest first."
    )
    mode: Literal["extractive", "generative", "auto"] = Field(
        default="auto", description="Without a language model every mode is extractive; the reply says which it was."
    )
    top_k: int = Field(default=10, ge=1, le=50)
    filters: FilterOptions = Field(default_factory=FilterOptions)
    locale: Text | None = Field(
        default=None,
        max_length=20,
        description="Language of our texts, never a country. The texts of the reply are English so far.",
    )
    stream: bool = Field(default=False, description="Send server-sent events instead of one object.")


class SearchRequest(Strict):
    """Words to search passages with."""

    query: Annotated[Text, AfterValidator(_is_not_blank)] = Field(min_length=1, max_length=QUESTION_CHARACTERS)
    top_k: int = Field(default=10, ge=1, le=50)
    filters: FilterOptions = Field(default_factory=FilterOptions)


class RuleSchema(BaseModel):
    """A rule that fired."""

    id: str
    matched: str
    level: str


class WarningSourceSchema(BaseModel):
    """A source behind a warning."""

    source_id: str
    label: str
    says: str
    title: str
    publisher: str
    url: str


class TriageSchema(BaseModel):
    """What the person must hear first."""

    urgent: bool
    level: Literal["emergency", "today", "soon", "info"]
    rules: list[RuleSchema]
    key: str
    label: str
    title: str
    how: str
    message: str
    conditional: list[str]
    sources: list[WarningSourceSchema]
    basis: Literal["sources", "safety"]
    self_harm: bool


class LocatorSchema(BaseModel):
    """Where in the document a quote stands."""

    heading_path: list[str]
    page: int | None
    anchor: str | None


class SupportSchema(BaseModel):
    """How a quote supports its sentence."""

    label: Literal["verbatim", "entailed"]
    probability: float
    method: str


class CitationSchema(BaseModel):
    """The proof of a sentence: ``text[source_start:source_end] == quote`` for the document of that version."""

    id: str
    source_id: str
    document_id: str
    document_version: str
    passage_id: str
    quote: str
    source_start: int
    source_end: int
    prefix: str
    suffix: str
    locator: LocatorSchema
    title: str
    publisher: str
    url: str
    deep_link: str
    published: str | None
    retrieved: str | None
    licence: str
    credit: str
    evidence: EvidenceLabel
    digest: bool
    facts: list[str]
    support: SupportSchema


class SentenceSchema(BaseModel):
    """A sentence of the answer, at ``answer[start:end]`` in code points."""

    text: str
    start: int
    end: int
    citation_ids: list[str]


class PassageSchema(BaseModel):
    """A passage that was found."""

    id: str
    rank: int
    score: float
    text: str
    source_id: str
    document_id: str
    title: str
    heading_path: list[str]
    source_start: int
    source_end: int


class PositionSchema(BaseModel):
    """What one side says."""

    text: str
    citation_ids: list[str]


class DifferenceSchema(BaseModel):
    """A topic on which sources differ, the stricter first."""

    topic: str
    positions: list[PositionSchema]
    care: bool


class AbstentionSchema(BaseModel):
    """Why there is no answer."""

    reason: Reason
    message: str
    nearest: list[CitationSchema]
    about_medicine: bool


class ProbabilitySchema(BaseModel):
    """Calibrated probability that the answer is right."""

    value: float
    calibrated_on: str
    threshold: float


class AnswerSchema(BaseModel):
    """The reply to a question."""

    triage: TriageSchema | None
    id: str
    object: Literal["answer"] = "answer"
    status: Status
    answer: str
    sentences: list[SentenceSchema]
    citations: list[CitationSchema]
    passages: list[PassageSchema]
    missing: list[str]
    differences: list[DifferenceSchema]
    abstention: AbstentionSchema | None
    probability: ProbabilitySchema | None
    rewritten_question: str | None
    follow_ups: list[str]
    mode: Literal["extractive", "generative"] = "extractive"
    snapshot_id: str
    model: str
    disclaimer: str
    timings_ms: dict[str, float]
    created: str


class SearchSchema(BaseModel):
    """Passages for a query."""

    triage: TriageSchema | None
    data: list[PassageSchema]
    next_cursor: str | None = None
    has_more: bool = False
    snapshot_id: str


class SourceSchema(BaseModel):
    """A source of the index."""

    id: str
    title: str
    publisher: str
    url: str
    licence: str
    credit: str
    published: str | None
    retrieved: str | None
    note: str
    digest: bool
    collection: str
    evidence: dict[str, int] = Field(description="Cited sentences by evidence label.")
    documents: list[str]
    passages: int


class SourcesSchema(BaseModel):
    """Every source."""

    data: list[SourceSchema]
    next_cursor: str | None = None
    has_more: bool = False


class DocumentSchema(BaseModel):
    """A document's text and version, so that anyone can check a span."""

    id: str
    source_id: str
    title: str
    version: str
    text: str
    digest: bool
    licence: str
    credit: str


class PassageTextSchema(BaseModel):
    """A passage and its place in a document."""

    id: str
    document_id: str
    document_version: str
    source_id: str
    title: str
    heading_path: list[str]
    text: str
    source_start: int
    source_end: int
    page: int | None


class HealthSchema(BaseModel):
    """Whether the process lives."""

    status: Literal["ok"] = "ok"


class ReadySchema(BaseModel):
    """What serves."""

    status: Literal["ready", "degraded"]
    snapshot_id: str
    model: str
    passages: int
    backend: str
    calibrated: bool
    reasons: list[str]
    rules_reviewed_by: str | None
    notice: str


class FaultSchema(BaseModel):
    """One fault of a request."""

    field: str
    detail: str


class ProblemSchema(BaseModel):
    """An error (RFC 9457); never holds the input."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FaultSchema]


def reply_json(reply: Reply) -> dict[str, Any]:
    """Return the object of ``POST /v1/ask``."""
    answer = reply.answer
    abstention = answer.abstention
    schema = AnswerSchema(
        triage=None if reply.notice is None else _notice(reply.notice),
        id=reply.id,
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
        snapshot_id=reply.snapshot_id,
        model=reply.model,
        disclaimer=DISCLAIMER,
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
        support=SupportSchema(label="verbatim", probability=1.0, method="verbatim"),
    )


def _notice(notice: Notice) -> TriageSchema:
    return TriageSchema(
        urgent=notice.urgent,
        level=notice.level.value,
        rules=[RuleSchema(id=rule.id, matched=rule.matched, level=rule.level.value) for rule in notice.rules],
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
