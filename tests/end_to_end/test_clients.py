"""The clients that people already use, against the real service: same citations, notice first."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from openai import OpenAI

from tests.end_to_end.conftest import BACKLINE, environment

QUESTION = "How long does a back spasm last?"
ALARM = "I can't feel anything when I wipe and my back is agony"


def citations_of(server: str, question: str) -> list[dict[str, Any]]:
    reply = httpx.post(f"{server}/v1/ask", json={"question": question}).json()
    assert reply["citations"]
    return list(reply["citations"])


@pytest.fixture(scope="module")
def client(server: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server}/v1", api_key="none", max_retries=0) as opened:
        yield opened


def test_the_openai_package_gets_the_citations_of_ask(client: OpenAI, server: str) -> None:
    wanted = citations_of(server, QUESTION)
    completion = client.chat.completions.create(model="backline", messages=[{"role": "user", "content": QUESTION}])
    assert completion.to_dict()["backline"]["citations"] == wanted  # type: ignore[index] # an extra of ours
    message = completion.choices[0].message
    annotations = message.annotations
    assert annotations
    links = [a.url_citation.url for a in annotations]
    assert links == [c["deep_link"] or c["url"] or f"{server}/v1/passages/{c['passage_id']}" for c in wanted]
    assert message.content is not None
    for number, citation in enumerate(wanted, start=1):
        assert f"[{number}] {citation['title']}" in message.content


def test_the_openai_package_streams_the_same_text(client: OpenAI) -> None:
    plain = client.chat.completions.create(model="backline", messages=[{"role": "user", "content": QUESTION}])
    stream = client.chat.completions.create(
        model="backline", messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == plain.choices[0].message.content
    marks = chunks[-1].choices[0].delta.to_dict()["annotations"]
    assert marks == plain.choices[0].message.to_dict()["annotations"]


def test_the_openai_package_sees_the_notice_first(client: OpenAI) -> None:
    completion = client.chat.completions.create(model="backline", messages=[{"role": "user", "content": ALARM}])
    assert (completion.choices[0].message.content or "").startswith("EMERGENCY: ")
    stream = client.chat.completions.create(
        model="backline", messages=[{"role": "user", "content": ALARM}], stream=True
    )
    said = [chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content]
    assert said[0].startswith("EMERGENCY: ")


def test_the_openai_package_lists_the_model(client: OpenAI) -> None:
    assert next(iter(client.models.list())).id == "backline"


@pytest.fixture(scope="module")
def over_http(home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [BACKLINE, "mcp", "--http", "--port", str(port)], env=environment(home), stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(timeout=20)


def over_streams(home: Path) -> StdioServerParameters:
    kept = {"PATH": os.environ["PATH"], **{n: os.environ[n] for n in ("PYTHONPATH",) if n in os.environ}}
    chosen = {"BACKLINE_HOME": str(home), "HOME": str(home.parent)}
    return StdioServerParameters(command=BACKLINE, args=["mcp"], env={**kept, **chosen})


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_an_mcp_client_asks_searches_and_reads(transport: str, request: pytest.FixtureRequest, server: str) -> None:
    wanted = citations_of(server, QUESTION)
    target = (
        over_streams(request.getfixturevalue("home")) if transport == "stdio" else request.getfixturevalue("over_http")
    )

    async def talk() -> None:
        async with Client(target) as client:
            tools = await client.list_tools()
            assert {"ask", "search", "read_passage", "verify"} == {tool.name for tool in tools.tools}
            asked = await client.call_tool("ask", {"question": QUESTION})
            assert asked.structured_content["citations"] == wanted
            assert wanted[0]["title"] in asked.content[0].text  # type: ignore[union-attr] # our tools send text
            alarm = await client.call_tool("ask", {"question": ALARM})
            assert alarm.content[0].text.startswith("EMERGENCY: ")  # type: ignore[union-attr]
            searched = await client.call_tool("search", {"query": ALARM, "top_k": 3})
            assert searched.content[0].text.startswith("EMERGENCY: ")  # type: ignore[union-attr]
            assert len(searched.structured_content["data"]) == 3
            passage = await client.call_tool("read_passage", {"passage_id": wanted[0]["passage_id"]})
            assert wanted[0]["quote"] in passage.structured_content["text"]
            said = [wanted[0]["quote"], "Paris has a famous tower made of wrought iron."]
            verified = await client.call_tool("verify", {"sentences": said})
            assert [row["verdict"] for row in verified.structured_content["data"]] == ["verbatim", "not_found"]
            missing = await client.call_tool("read_passage", {"passage_id": "p_0"})
            assert missing.is_error
            empty = await client.call_tool("ask", {"question": "  "})
            assert empty.is_error

    asyncio.run(talk())
