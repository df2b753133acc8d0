"""A stream of the service as typed events."""

from dataclasses import dataclass

from pydantic import BaseModel, TypeAdapter

from service.client.errors import ServiceError, UnreachableError
from service.http.answer_schemas import (
    AbstentionSchema,
    AnswerSchema,
    CitationSchema,
    PassageSchema,
    SentenceSchema,
    TriageSchema,
)


@dataclass(frozen=True, slots=True)
class Noticed:
    """A warning sign; show it before everything else.

    Attributes:
        notice: What the person must hear first.
    """

    notice: TriageSchema


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that were found.

    Attributes:
        passages: From best to worst.
    """

    passages: list[PassageSchema]


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of the answer, proved, never taken back.

    Attributes:
        sentence: The sentence.
        citations: Its proofs.
    """

    sentence: SentenceSchema
    citations: list[CitationSchema]


@dataclass(frozen=True, slots=True)
class Abstained:
    """There is no answer.

    Attributes:
        abstention: Why, and what is nearest.
    """

    abstention: AbstentionSchema


@dataclass(frozen=True, slots=True)
class Done:
    """The end.

    Attributes:
        answer: The whole reply, as :meth:`ask` returns it.
    """

    answer: AnswerSchema


Event = Noticed | Found | Said | Abstained | Done


class _Said(BaseModel):
    sentence: SentenceSchema
    citations: list[CitationSchema]


class _Error(BaseModel):
    detail: str = "The stream broke off."
    code: str = ""
    request_id: str = ""


_PASSAGES = TypeAdapter(list[PassageSchema])


class EventReader:
    """Puts lines together to events.

    A line belongs to the event that an empty line ends; comments and events of kinds that are not known are passed
    over.
    """

    def __init__(self) -> None:
        self._name = ""
        self._data: list[str] = []
        self._done = False

    def read(self, line: str) -> Event | None:
        """Take in one line, without its end; return the event that it completes.

        Raises:
            ServiceError: the service says that it failed.
        """
        if line:
            name, _, value = line.partition(":")
            if name == "event":
                self._name = value.removeprefix(" ")
            elif name == "data":
                self._data.append(value.removeprefix(" "))
            return None
        name, data = self._name, "\n".join(self._data)
        self._name, self._data = "", []
        event = _event(name, data) if data else None
        self._done = self._done or isinstance(event, Done)
        return event

    def end(self) -> None:
        """Note that no more lines come.

        Raises:
            UnreachableError: the last event was not the end of a reply.
        """
        if not self._done:
            raise UnreachableError("The stream broke off before its end; ask again.")


def _event(name: str, data: str) -> Event | None:
    if name == "triage":
        return Noticed(TriageSchema.model_validate_json(data))
    if name == "passages":
        return Found(_PASSAGES.validate_json(data))
    if name == "sentence":
        said = _Said.model_validate_json(data)
        return Said(said.sentence, said.citations)
    if name == "abstain":
        return Abstained(AbstentionSchema.model_validate_json(data))
    if name == "done":
        return Done(AnswerSchema.model_validate_json(data))
    if name == "error":
        told = _Error.model_validate_json(data)
        raise ServiceError(told.detail, code=told.code, request_id=told.request_id)
    return None
