"""What comes in over the wire, and what the small routes send back."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.answering.records import Mode

QUESTION_CHARACTERS = 8_000


def _has_no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("remove the NUL characters")
    return text


def is_not_blank(text: str) -> str:
    """Refuse a text of white space only."""
    if not text.strip():
        raise ValueError("write a question")
    return text


Text = Annotated[str, AfterValidator(_has_no_nul)]
ConversationId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class Strict(BaseModel):
    """Unknown fields are faults: a misspelt option must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class FilterOptions(Strict):
    """What may be found."""

    source_ids: list[Annotated[Text, Field(max_length=200)]] | None = Field(default=None, max_length=200)
    collection: Text = Field(default="default", max_length=64)


class AskRequest(Strict):
    """A question."""

    question: Annotated[Text, AfterValidator(is_not_blank)] = Field(
        min_length=1, max_length=QUESTION_CHARACTERS, examples=["How long does a back spasm last?"]
    )
    conversation_id: ConversationId | None = Field(
        default=None, description="As the reply before gave it; or an id of your own to begin a conversation."
    )
    history: list[Annotated[Text, Field(max_length=QUESTION_CHARACTERS)]] = Field(
        default_factory=list,
        max_length=20,
        description="Earlier questions, oldest first; without any, the last ten of the conversation are taken.",
    )
    mode: Mode = Field(
        default="auto",
        description="`extractive`: the sources' own words, and no language model reads the question. `generative`: "
        "worded by the model that the operator has set, each sentence checked against its quote. `auto`: by the "
        "model where one is set. `mode` and `generation` of the reply say which it was, and why.",
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

    query: Annotated[Text, AfterValidator(is_not_blank)] = Field(min_length=1, max_length=QUESTION_CHARACTERS)
    top_k: int = Field(default=10, ge=1, le=50)
    filters: FilterOptions = Field(default_factory=FilterOptions)


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


class CollectionSchema(BaseModel):
    """A collection, and what its operator says of it."""

    name: str
    documents: int = Field(description="Documents that were brought; shipped digests do not count.")
    scope: str = Field(description="What it is about; told to those who ask about something else.")
    questions: list[str]
    disclaimer: str
    publishable: bool = Field(description="False: fetched pages whose licence is not confirmed; loopback only.")
    calibrated: bool = Field(description="False: `probability` is null, and nothing may be sent without a person.")


class CollectionsSchema(BaseModel):
    """Every collection, by name."""

    data: list[CollectionSchema]
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

    status: Literal["ready", "degraded", "stopping"]
    snapshot_id: str
    model: str
    passages: int
    backend: str
    engine: Literal["embedded", "milvus"]
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
