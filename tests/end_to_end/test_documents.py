"""A key, a document, an answer from it, its deletion: the real commands and the real server."""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.end_to_end.conftest import run

QUESTION = "When does the Riverside back pain clinic open?"


def call(server: str, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        server + path, method=method, data=None if body is None else json.dumps(body).encode()
    )
    if body is not None:
        request.add_header("content-type", "application/json")
    if key:
        request.add_header("authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - likewise
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_document_comes_over_http_is_cited_and_goes_again(home: Path, server: str) -> None:
    key = run(home, "keys", "create", "desk", "--scope", "ingest").stdout.strip()
    text = (
        "# Clinic hours\n\n## When is the clinic open?\n\nThe Riverside back pain clinic opens on Tuesdays at nine.\n"
    )
    body = {"markdown": text, "publisher": "Riverside"}
    assert call(server, "POST", "/v1/documents", body)[0] == 401
    status, sent = call(server, "POST", "/v1/documents", body, key)
    assert (status, sent["snapshot"]["state"]) == (202, "building")
    name = sent["data"][0]["id"]
    deadline = time.monotonic() + 60
    while call(server, "GET", f"/v1/documents/{name}")[0] != 200:
        assert time.monotonic() < deadline, "the new snapshot was not served"
        time.sleep(0.2)
    reply = call(server, "POST", "/v1/ask", {"question": QUESTION})[1]
    assert name in {citation["document_id"] for citation in reply["citations"]}
    assert call(server, "DELETE", f"/v1/documents/{name}", key=key)[0] == 200
    assert "Tuesdays" not in json.dumps(call(server, "POST", "/v1/ask", {"question": QUESTION})[1])
    printed = run(home, "ask", QUESTION)
    assert printed.returncode == 0
    assert "Tuesdays" not in printed.stdout
