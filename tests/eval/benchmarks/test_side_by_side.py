import json
import sys
from pathlib import Path

import pytest

from eval.benchmarks import side_by_side
from eval.benchmarks.load import Call
from eval.benchmarks.physical_limit import Embedding, forward_flops
from eval.benchmarks.side_by_side import Result, Row, System, build, measure, peer, write_rows
from eval.errors import RunError
from eval.reporting.peers import as_json, ratios, render

MINILM = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 6}
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_GET(self):
        self.send_response(200 if "good" in self.path else 500)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def result(name: str, per_second: float, p50: float, memory: float, indexing: float, first: float) -> Result:
    return Result(name, indexing, first, p50, per_second, 2 * p50, memory / 2, memory, 0.0, 1.5)


OURS = result("Backline /v1/search", 180.0, 7.0, 300.0, 40.0, 1.2)
PEERS = [result("one", 60.0, 10.0, 600.0, 30.0, 6.0), result("other", 45.0, 14.0, 500.0, 40.0, 8.0)]


def test_a_forward_pass_has_the_operations_of_its_matrices() -> None:
    # 6 layers of (4 · 384² + 2 · 384 · 1536) weights, twice a token, and the attention of 16 with 16.
    assert forward_flops(16, MINILM) == 6 * (2 * 16 * (4 * 384**2 + 2 * 384 * 1536) + 4 * 16**2 * 384) == 342_097_920


def test_each_figure_is_held_to_the_better_peer() -> None:
    assert ratios(OURS, PEERS) == {
        "requests/s, 32 askers": 3.0,
        "p50, one asker": 0.7,
        "memory": 0.6,
        "indexing": 1.0,
        "start to first answer": pytest.approx(0.2),
    }


def test_the_table_has_a_row_a_service_and_the_distance_to_the_limit() -> None:
    embedding = Embedding(0.8, 0.4, 5.4, 16.0, 1.8, 190.0)
    table = render([OURS, *PEERS], 1, embedding, 16_000, 400, "onnxruntime")
    assert "| other | 40.0 | 8.00 | 14.0 | 45.0 | 28 | 250, 500 | 0.0 % | 1.5 |" in table
    assert "| Backline /v1/search | 3.00 × | 0.70 × | 0.60 × | 1.00 × | 0.20 × |" in table
    assert "3.0 times the limit" in table
    assert json.loads(as_json([OURS, *PEERS], 1, embedding))["ratios"]["Backline /v1/search"]["memory"] == 0.6


def test_a_service_is_started_asked_and_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "PORT", 8_473)
    made = tmp_path / "index"
    system = System(
        "tiny",
        (sys.executable, "-c", f"open({str(made)!r}, 'w')"),
        (sys.executable, "-c", SERVER, "8473"),
        {},
        {"/good": lambda _: Call("GET", "/good"), "/bad": lambda _: Call("GET", "/bad")},
    )
    assert build(system) > 0
    assert made.exists()
    good, bad = measure(system, ["q"], 40, 12.5)
    assert (good.name, good.passages_per_second, good.failed) == ("tiny /good", 12.5, 0.0)
    assert good.first_answer_s > 0
    assert good.per_second > 0
    assert good.ready_mb > 1
    assert bad.failed == 1.0


def test_what_cannot_be_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="make bench"):
        peer("txtai", tmp_path, tmp_path, tmp_path, tmp_path)
    broken = System("broken", (sys.executable, "-c", "raise SystemExit('no room')"), (), {}, {})
    with pytest.raises(RunError, match="no room"):
        build(broken)


def test_documents_are_written_as_they_are_ingested(tmp_path: Path) -> None:
    write_rows([Row("a", "Why?", "Because – so.")], tmp_path / "new" / "rows.jsonl")
    written = (tmp_path / "new" / "rows.jsonl").read_text(encoding="utf-8")
    assert written == '{"_id": "a", "title": "Why?", "text": "Because – so."}\n'
