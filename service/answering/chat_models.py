"""Language models, through LangChain's ``init_chat_model``. The only file that imports LangChain's models."""

import logging
import os
import queue
import threading
from typing import Any, Final, Literal, Protocol

from service.answering.errors import AnsweringError

Failure = Literal["busy", "timed_out", "failed", "malformed"]

MOST_CALLS: Final = 4
"""Calls that may run at once in one process: a model that hangs must not take every waiting place."""

_TRACING: Final = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")
_CHATTY: Final = ("openai", "httpx", "httpcore", "ollama", "langchain", "langchain_openai", "langsmith")


class ChatModelError(AnsweringError):
    """The setting of the language model cannot be used.

    Attributes:
        reason: What is wrong and what to do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoWordsError(AnsweringError):
    """A model gave nothing that could be used.

    Attributes:
        failure: Why.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"the language model gave nothing: {failure}")
        self.failure: Failure = failure


class ChatModel(Protocol):
    """Something that writes.

    Attributes:
        name: What the reply calls it.
    """

    name: str

    def write(self, rules: str, data: str) -> str:
        """Return what the model writes.

        Args:
            rules: What it is to do.
            data: What it is to do that with.

        Raises:
            NoWordsError: it was busy, too slow, refused, or could not be reached.
        """
        ...


class LangChainModel:
    """A model behind LangChain, with an end to its time.

    Args:
        name: As ``init_chat_model`` takes it, such as ``openai:gpt-5-mini`` or ``ollama:llama3.2``.
        url: Address of its interface; "" is the provider's own.
        key: Its key; "" leaves it to the provider's own variable.
        seconds: Longest time from asking to the whole reply.

    Raises:
        ChatModelError: the extra ``llm`` is missing, or the name means nothing.
    """

    def __init__(self, name: str, url: str, key: str, seconds: float) -> None:
        self.name = name
        self._seconds = seconds
        self._free = threading.BoundedSemaphore(MOST_CALLS)
        for variable in _TRACING:  # nothing of a question goes to LangChain's own service
            os.environ[variable] = "false"
        for logger in _CHATTY:  # some write what they send when they are asked for details
            logging.getLogger(logger).setLevel(logging.WARNING)
        try:
            from langchain.chat_models import init_chat_model

            self._model = init_chat_model(name, **_options(name, url, key, seconds))
        except ImportError as error:
            detail = "BACKLINE_LLM needs the extra: pip install 'backline[llm]', and the provider's LangChain package"
            raise ChatModelError(detail) from error
        except Exception as error:  # each provider refuses in its own way
            detail = "BACKLINE_LLM, BACKLINE_LLM_URL or BACKLINE_LLM_KEY cannot be used; see docs/llm.md"
            raise ChatModelError(detail) from error

    def write(self, rules: str, data: str) -> str:
        """Return what the model writes, within its time.

        Raises:
            NoWordsError: all calls are taken, the time is over, the model refused, or it could not be reached.
        """
        if not self._free.acquire(blocking=False):
            raise NoWordsError("busy")
        done: queue.SimpleQueue[str | None] = queue.SimpleQueue()

        def call() -> None:
            try:
                done.put(self._invoke(rules, data))
            finally:
                self._free.release()

        # A thread of its own: a server that sends a byte now and then outlives every time-out of a connection.
        threading.Thread(target=call, name="language-model", daemon=True).start()
        try:
            text = done.get(timeout=self._seconds)
        except queue.Empty:
            raise NoWordsError("timed_out") from None
        if text is None:
            raise NoWordsError("failed")
        return text

    def _invoke(self, rules: str, data: str) -> str | None:
        try:
            reply = self._model.invoke([("system", rules), ("human", data)])
        except Exception as error:  # noqa: BLE001 (each provider fails in its own way, and the asker hears of none)
            # Only the kind: the words of the error may hold what was asked.
            logging.getLogger(__name__).warning("the language model failed: %s", type(error).__name__)
            return None
        return str(reply.text)


def _options(name: str, url: str, key: str, seconds: float) -> dict[str, Any]:
    if name.startswith("ollama:"):
        return {"base_url": url or None, "client_kwargs": {"timeout": seconds}}
    options: dict[str, Any] = {"timeout": seconds, "max_retries": 0}
    if url:
        options["base_url"] = url
    if key or url:
        options["api_key"] = key or "none"
    return options
