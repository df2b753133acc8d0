"""The nouns of answering: question, sentence, citation, abstention, answer."""

from dataclasses import dataclass
from typing import Literal

from corpus.records import Document, Passage, Source, Span
from index.hits import PassageHit
from service.answering.claims import flaws
from service.answering.errors import BrokenProofError
from service.triage.records import Notice

Status = Literal["answered", "partial", "abstained", "withheld"]
Reason = Literal["out_of_scope", "nothing_found", "personal_advice", "not_in_sources", "unclear", "not_screened"]
Mode = Literal["extractive", "generative", "auto"]
Unworded = Literal["not_configured", "not_asked", "busy", "timed_out", "failed", "malformed", "too_little_left"]
EvidenceLabel = Literal["source", "copy", "candidate", "edition", "other"]

DISCLAIMER = "Information from health sources, not a diagnosis and no substitute for a doctor."


@dataclass(frozen=True, slots=True)
class Said:
    """What the operator of a collection says of it.

    Attributes:
        scope: A sentence on what it is about; "" says so in general.
        disclaimer: Under which reservation its answers stand; "" leaves ours.
    """

    scope: str = ""
    disclaimer: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asked.

    Attributes:
        text: The question.
        history: Earlier questions of the conversation, oldest first.
        top_k: Passages to report, 1 to 50.
        source_ids: Only these sources, or None for all.
        collection: The collection that is asked.
        said: What that collection's operator says of it; the replier looks it up.
        mode: Who words the answer: the sources alone, a language model, or the model where there is one.
    """

    text: str
    history: tuple[str, ...] = ()
    top_k: int = 10
    source_ids: tuple[str, ...] | None = None
    collection: str = "default"
    said: Said = Said()
    mode: Mode = "extractive"


@dataclass(frozen=True, slots=True)
class Support:
    """How a quote supports its sentences.

    Attributes:
        label: ``verbatim``: they stand in it; ``entailed``: it says in its words what they say in theirs.
        method: What found that out.
        similarity: Cosine of sentence and quote; None where none was needed.
    """

    label: Literal["verbatim", "entailed"]
    method: str
    similarity: float | None = None


VERBATIM = Support("verbatim", "verbatim")


@dataclass(frozen=True, slots=True)
class Generation:
    """What a language model had to do with an answer.

    Attributes:
        reason: Why the answer is the sources' own words although a model's were asked for; None when it is not.
        model: The model, or "" where there is none.
        written: Sentences that it wrote.
        kept: Sentences of those that are in the answer.
    """

    reason: Unworded | None
    model: str = ""
    written: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence stands: the proof.

    Attributes:
        id: ``c1``, ``c2`` … by first appearance.
        document: The cited document.
        passage: The cited passage.
        span: The quote, in document offsets.
        quote: ``document.text[span.start:span.end]``, always.
        prefix: Up to 60 characters before the quote.
        suffix: Up to 60 characters after it.
        title: Title of the page that was really read.
        publisher: Its publisher.
        url: Its address, or "".
        deep_link: Address that leads as near to the quote as can be, or "".
        published: Its date as far as known, or None.
        licence: Licence of that page, or "" where it is not known.
        credit: Line that the licence asks for, or "".
        evidence: How firmly the cited facts were seen.
        facts: Ids of those facts; empty for documents that users bring.
        support: How the quote supports the sentences that cite it.

    Raises:
        BrokenProofError: the quote is not the text of the span. No answer leaves with such a citation.
    """

    id: str
    document: Document
    passage: Passage
    span: Span
    quote: str
    prefix: str
    suffix: str
    title: str
    publisher: str
    url: str
    deep_link: str
    published: str | None
    licence: str
    credit: str
    evidence: EvidenceLabel
    facts: tuple[str, ...]
    support: Support = VERBATIM

    def __post_init__(self) -> None:
        if self.span.slice(self.document.text) != self.quote or not self.quote:
            raise BrokenProofError(self.document.id, self.span)

    @property
    def source(self) -> Source:
        """Who says it."""
        return self.document.source


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer.

    Attributes:
        text: The sentence.
        start: Where it starts in the answer, code points.
        end: Where it ends, exclusive.
        citation_ids: Its proofs, at least one.
    """

    text: str
    start: int
    end: int
    citation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """What one side says where sources differ."""

    text: str
    citation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differing:
    """A topic on which the cited sources differ, the stricter position first."""

    topic: str
    positions: tuple[Position, ...]
    care: bool


@dataclass(frozen=True, slots=True)
class Abstention:
    """Why there is no answer.

    Attributes:
        reason: The kind of silence.
        message: A plain sentence for the person.
        nearest: What was found nearby, as citations.
        about_medicine: Whether the line on taking too much should stand beside it.
        language: Language of the message, an ISO 639 code.
    """

    reason: Reason
    message: str
    nearest: tuple[Citation, ...]
    about_medicine: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Probability:
    """Calibrated probability that the answer is right.

    Attributes:
        value: In [0, 1].
        calibrated_on: The set and its hash.
        threshold: Below it the service is silent.
    """

    value: float
    calibrated_on: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to one question, apart from triage.

    Attributes:
        status: What kind of reply it is.
        text: The sentences joined by spaces; empty without an answer.
        sentences: With their proofs.
        citations: In order of first appearance.
        passages: What was found, best first.
        missing: Parts of the question that stay open.
        differences: Topics on which sources differ.
        abstention: Set when the status is ``abstained``.
        probability: None where nothing was calibrated.
        rewritten_question: How the question was read, where that is not as it stands.
        follow_ups: Questions that the sources' own headings answer.
        timings_ms: Milliseconds by stage.
        generation: What a language model had to do with it; None where none was asked for.

    Raises:
        BrokenProofError: a sentence has no citation, or does not stand in its quote, or, where a model worded it,
            does not say what its quote says.
    """

    status: Status
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[PassageHit, ...]
    missing: tuple[str, ...] = ()
    differences: tuple[Differing, ...] = ()
    abstention: Abstention | None = None
    probability: Probability | None = None
    rewritten_question: str | None = None
    follow_ups: tuple[str, ...] = ()
    timings_ms: tuple[tuple[str, float], ...] = ()
    generation: Generation | None = None

    @property
    def mode(self) -> Literal["extractive", "generative"]:
        """Who worded it."""
        return "extractive" if self.generation is None or self.generation.reason else "generative"

    def __post_init__(self) -> None:
        quotes = {citation.id: citation for citation in self.citations}
        for sentence in self.sentences:
            cited = [quotes[name] for name in sentence.citation_ids if name in quotes]
            proved = any(
                sentence.text in citation.quote
                if citation.support.label == "verbatim"
                else self.mode == "generative" and not flaws(sentence.text, citation.quote)
                for citation in cited
            )
            if not proved or self.text[sentence.start : sentence.end] != sentence.text:
                raise BrokenProofError(sentence.text, Span(sentence.start, sentence.end))


@dataclass(frozen=True, slots=True)
class Reply:
    """Everything that leaves the house for one question.

    Attributes:
        id: ``ans_`` and 32 random hex digits.
        created: UTC, ISO 8601.
        notice: What the person must hear first, or None.
        answer: The answer, or why there is none.
        snapshot_id: Snapshot that was searched.
        model: Embedding model.
        timings_ms: Milliseconds by stage, triage first.
        disclaimer: Under which reservation the answer stands.
    """

    id: str
    created: str
    notice: Notice | None
    answer: Answer
    snapshot_id: str
    model: str
    timings_ms: tuple[tuple[str, float], ...]
    disclaimer: str = DISCLAIMER
