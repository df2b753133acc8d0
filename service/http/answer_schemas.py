"""The shapes of an answer and of found passages on the wire."""

from typing import Literal

from pydantic import BaseModel, Field

from service.answering.records import EvidenceLabel, Reason, Status, Unworded


class RuleSchema(BaseModel):
    """A rule that fired."""

    id: str
    matched: str
    level: str
    by: Literal["rule", "likeness"] = "rule"


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
    probability: float | None = Field(description="1 for `verbatim`; null where nothing was calibrated.")
    similarity: float | None = Field(description="Cosine of sentence and quote, for `entailed`.")
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
    language: str


class ProbabilitySchema(BaseModel):
    """Calibrated probability that the answer is right."""

    value: float
    calibrated_on: str
    threshold: float


class GenerationSchema(BaseModel):
    """What a language model had to do with an answer."""

    reason: Unworded | None = Field(
        description="Why the answer is in the sources' own words although a model's were asked for: `not_configured`; "
        "`not_asked`: a warning or a silence came first; `busy`, `timed_out`, `failed`, `malformed`: the model; "
        "`too_little_left`: too few of its sentences held. Null when the model worded the answer."
    )
    model: str
    written: int = Field(description="Sentences that the model wrote.")
    kept: int = Field(description="Sentences of those that are in the answer.")


class AnswerSchema(BaseModel):
    """The reply to a question."""

    triage: TriageSchema | None
    id: str
    object: Literal["answer"] = "answer"
    conversation_id: str | None = Field(description="Send it with the next question; null where no answer is kept.")
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
    mode: Literal["extractive", "generative"] = Field(description="Who worded the answer.")
    generation: GenerationSchema | None = Field(
        description="What a language model had to do with it; null where none was asked for."
    )
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
