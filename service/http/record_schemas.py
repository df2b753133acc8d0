"""The shapes of what is done with answers: verdicts, hand-overs, deletions, checks."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from service.answering.verifying import Fault as VerifyFault
from service.answering.verifying import Verdict as VerifyVerdict
from service.http.answer_schemas import TriageSchema
from service.http.schemas import QUESTION_CHARACTERS, Strict, Text, is_not_blank
from service.storage.feedback import Fault, Verdict

AnswerId = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class FeedbackRequest(Strict):
    """What an asker says of an answer, or of one of its citations."""

    answer_id: AnswerId
    citation_id: AnswerId | None = Field(default=None, description="Without one it is on the answer as a whole.")
    verdict: Verdict = Field(description="Whether it answered the question, or the citation shows what it should.")
    reason: Fault | None = None
    text: Text | None = Field(default=None, max_length=1_000)


class FeedbackSchema(BaseModel):
    """A verdict as it is kept; the words are not sent back."""

    id: str
    object: Literal["feedback"] = "feedback"
    answer_id: str
    citation_id: str | None
    verdict: Verdict
    reason: Fault | None
    created: str
    updated: str


class HandoffRequest(Strict):
    """A question for a person."""

    question: Annotated[Text, AfterValidator(is_not_blank)] = Field(min_length=1, max_length=QUESTION_CHARACTERS)
    answer_id: AnswerId | None = Field(default=None, description="The answer that did not help.")
    contact: Text | None = Field(default=None, max_length=200, description="How the asker can be reached.")


class HandoffSchema(BaseModel):
    """A hand-over that is on its way; what the person must hear first comes first."""

    triage: TriageSchema | None
    id: str
    object: Literal["handoff"] = "handoff"
    state: Literal["queued"] = "queued"
    team: str | None
    channel: str | None
    created: str


class DeletedSchema(BaseModel):
    """What was deleted of a conversation."""

    conversation_id: str
    answers: int
    feedback: int
    handoffs: int
    at: str


class VerifyRequest(Strict):
    """A kept answer, or sentences and what they are held against."""

    answer_id: AnswerId | None = Field(default=None, description="A kept answer: its sentences against its documents.")
    sentences: list[Annotated[Text, AfterValidator(is_not_blank), Field(max_length=2_000)]] = Field(
        default_factory=list, max_length=20, description="Sentences to hold against the texts below."
    )
    document_ids: list[AnswerId] = Field(default_factory=list, max_length=20, description="Documents of the index.")
    passages: list[Annotated[Text, Field(max_length=20_000)]] = Field(
        default_factory=list, max_length=20, description="Texts of your own; they go before documents."
    )
    collection: Text = Field(
        default="default", max_length=64, description="Searched where neither documents nor passages are given."
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> "VerifyRequest":
        if (self.answer_id is None) == (not self.sentences):
            raise ValueError("send either answer_id or sentences")
        return self


class FindingSchema(BaseModel):
    """What became of one sentence; offsets are of the document that serves now, or of the text that was sent."""

    text: str
    verdict: VerifyVerdict
    faults: list[VerifyFault]
    reason: str
    document_id: str | None
    passage_id: str | None
    quote: str | None
    source_start: int | None
    source_end: int | None
    similarity: float | None


class FindingsSchema(BaseModel):
    """One finding a sentence, in their order."""

    data: list[FindingSchema]
    snapshot_id: str
