"""The blocks of docs/clients.md, run as they stand against the real service."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"


class ToolCallingModel(FakeMessagesListChatModel):
    """A model whose replies are given."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=tools, **kwargs)


def blocks(heading: str) -> list[str]:
    """Return the Python blocks under one heading."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_the_openai_block_prints_text_and_links(server: str) -> None:
    (block,) = blocks("Clients of OpenAI's protocol")
    printed = io.StringIO()
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(printed):
        exec(block.replace("http://127.0.0.1:8000", server), names)  # noqa: S102 - a block of our own docs
    names["client"].close()
    assert "[1]" in printed.getvalue()
    assert "Sources" in printed.getvalue()
    assert printed.getvalue().strip().splitlines()[-1].split()[-1].startswith("http")


def test_the_langchain_blocks_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.settings import load_settings

    monkeypatch.setenv("BACKLINE_HOME", str(home))
    load_settings.cache_clear()
    call = {"name": "search_back_pain_sources", "args": {"query": "How long does a spasm last?"}, "id": "1"}
    said: list[BaseMessage] = [AIMessage("The given reply."), AIMessage("", tool_calls=[call])]
    names: dict[str, Any] = {"model": ToolCallingModel(responses=said)}
    try:
        for block in blocks("LangChain"):
            exec(block, names)  # noqa: S102 - a block of our own docs
    finally:
        load_settings.cache_clear()
    assert names["text"] == "The given reply."
    assert names["notice"] is None
    assert isinstance(names["found"], ToolMessage)
    assert "spasm" in str(names["found"].content)
