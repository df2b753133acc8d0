"""The benchmark of a large collection, with a small one: the real service starts over it and does not build."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.benchmarks import large, side_by_side
from eval.cli.entry import app
from tests.end_to_end.conftest import free_port

ANSWERS = ("A warm bath relaxes tight muscles. Keep heat packs away from bare skin.", "An ice pack can numb soreness.")


def test_a_grown_collection_is_served_from_where_it_lies(
    warm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out, port = tmp_path / "pairs.jsonl", tmp_path / "growth", free_port()
    rows = [{"_id": f"a{number}", "title": "Does it help?", "text": text} for number, text in enumerate(ANSWERS)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shutil.copytree(warm, out / "home-120")
    monkeypatch.setenv("BACKLINE_HOME", str(warm))
    for module in (side_by_side, large):
        monkeypatch.setattr(module, "PORT", port)
    command = ["benchmark", "large", str(file), "--passages", "120", "--embedded", "2", "--questions", "5"]
    done = CliRunner().invoke(app, [*command, "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    served = json.loads((out / "large-120.json").read_text(encoding="utf-8"))
    assert served["passages"] == 120
    assert 0 < served["hashing_s"] < served["ready_s"]
    assert served["search_ms"]["p50"] > 0
    assert "| 120 |" in done.output
