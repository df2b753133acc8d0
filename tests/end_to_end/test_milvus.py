"""The service on a Milvus, over TCP: set by two variables, answering as it does without, and plain when Milvus is away."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.end_to_end.conftest import run, serving
from tests.homes import seed
from tests.servers import open_milvus_lite

FACTS = {
    "stool": "The Quorn clinic lends a walking stool for seven days. It costs nothing.",
    "beds": "The beds of the Quorn clinic are firm. Each has two pillows.",
    "pool": "The pool of the Quorn clinic opens at noon. Bring a towel.",
}
BLANKETS = "Does the Quorn clinic rent out heated blankets?"
QUESTIONS = ("How long does the Quorn clinic lend its stool?", "When does the pool open?", "Are the beds firm?")
SMALL = {"BACKLINE_MOST_SENTENCES": "2"}
"""Three documents count as a large collection: both engines then rank alike."""


def call(address: str, path: str, body: object = None, key: str = "", method: str = "") -> tuple[int, Any]:
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, headers, method=method or None)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - loopback
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def ask(address: str, question: str) -> tuple[int, Any]:
    return call(address, "/v1/ask", {"question": question, "filters": {"collection": "clinic"}})


def cited(reply: Any) -> list[tuple[Any, ...]]:
    names = ("document_id", "document_version", "passage_id", "quote", "source_start", "source_end")
    return [tuple(citation[name] for name in names) for citation in reply["citations"]]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_two_settings_put_the_service_on_milvus_and_one_that_is_away_is_said_plainly(
    warm: Path, tmp_path: Path
) -> None:
    seed(tmp_path / "var", warm)
    own, folder = tmp_path / "var", tmp_path / "facts"
    folder.mkdir()
    for name, text in FACTS.items():
        (folder / f"{name}.txt").write_text(text)
    assert run(own, "ingest", str(folder), "--collection", "clinic", **SMALL).returncode == 0
    key = run(own, "keys", "create", "w", "--scope", "ingest", "--scope", "ask").stdout.strip()
    with serving(own, **SMALL) as address:
        embedded = [cited(ask(address, question)[1]) for question in QUESTIONS]
    assert all(embedded)

    with ExitStack() as milvus:
        uri = milvus.enter_context(open_milvus_lite())
        there = {**SMALL, "BACKLINE_ENGINE": "milvus", "BACKLINE_MILVUS_URI": uri}
        with serving(own, **there) as address:
            ready = call(address, "/readyz")[1]
            assert (ready["engine"], ready["reasons"]) == ("milvus", [])
            assert [cited(ask(address, question)[1]) for question in QUESTIONS] == embedded

            citation = ask(address, QUESTIONS[0])[1]["citations"][0]
            text = call(address, f"/v1/documents/{citation['document_id']}")[1]["text"]
            assert text[citation["source_start"] : citation["source_end"]] == citation["quote"]
            passage = call(address, f"/v1/passages/{citation['passage_id']}")[1]
            assert passage["document_id"] == citation["document_id"]

            new = {"text": "The Quorn clinic rents out heated blankets.", "title": "Blankets", "collection": "clinic"}
            status, stored = call(address, "/v1/documents", new, key)
            name = stored["data"][0]["id"]
            assert status == 202
            until(lambda: any("blankets" in row[3] for row in cited(ask(address, BLANKETS)[1])))
            assert call(address, f"/v1/documents/{name}", key=key, method="DELETE")[0] == 200
            assert not any("blankets" in row[3] for row in cited(ask(address, BLANKETS)[1]))

            rebuilt = run(own, "index", "--rebuild", **there)
            assert rebuilt.returncode == 0, rebuilt.stderr
            until(lambda: [cited(ask(address, question)[1]) for question in QUESTIONS] == embedded)
            assert "ok    engine: Milvus answers; 3 passages" in run(own, "doctor", **there).stdout

            milvus.close()
            status, problem = ask(address, QUESTIONS[0])
            assert (status, problem["code"]) == (503, "not-ready")
            assert call(address, "/v1/ask", {"question": "How long does a back spasm last?"})[0] == 200
            until(lambda: call(address, "/readyz")[1]["status"] == "degraded")
            assert "BACKLINE_MILVUS_URI" in call(address, "/readyz")[1]["reasons"][0]
        told = run(own, "ask", QUESTIONS[0], "--collection", "clinic", **there)
        assert (told.returncode, told.stdout) == (1, "")
        assert told.stderr.startswith("backline: Milvus (BACKLINE_MILVUS_URI) does not answer")
        assert "Traceback" not in told.stderr
