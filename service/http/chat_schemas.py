"""OpenAI's shape of a conversation; unknown fields are ignored here, and only here, as clients send many."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from service.http.schemas import Text


class ChatPart(BaseModel):
    """One part of a message; only its text is read."""

    type: str = Field(max_length=40)
    text: Text = ""


class ChatMessage(BaseModel):
    """One message of the conversation, of any length: instructions and answers are long, and nobody reads them."""

    role: Text = Field(max_length=40)
    content: Text | list[ChatPart] | None = None

    @property
    def words(self) -> str:
        """The message's text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text).strip()
        return (self.content or "").strip()


class ChatStreamOptions(BaseModel):
    """What a stream ends with."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A conversation whose last user message is the question; the ones before it are used for follow-ups and triage."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=200)
    model: Text = Field(default="backline", max_length=100, description="`backline`, or `backline:COLLECTION`.")
    stream: bool | None = None
    stream_options: ChatStreamOptions | None = None


class UrlCitationSchema(BaseModel):
    """A citation over ``content[start_index:end_index]``, in code points."""

    start_index: int
    end_index: int
    title: str
    url: str


class AnnotationSchema(BaseModel):
    """A mark on the message."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitationSchema


class ChatAnswerSchema(BaseModel):
    """The message that answers."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[AnnotationSchema]


class ChatChoiceSchema(BaseModel):
    """The only choice."""

    index: int = 0
    message: ChatAnswerSchema
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class ChatUsageSchema(BaseModel):
    """Tokens of a language model: none runs."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class ChatCompletionSchema(BaseModel):
    """A reply in OpenAI's shape; ``backline`` holds the object of ``POST /v1/ask``."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoiceSchema]
    usage: ChatUsageSchema = Field(default_factory=ChatUsageSchema)
    backline: dict[str, Any]


class ModelSchema(BaseModel):
    """One name that ``model`` takes."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["backline"] = "backline"


class ModelsSchema(BaseModel):
    """Every name that ``model`` takes."""

    object: Literal["list"] = "list"
    data: list[ModelSchema]
