"""R24: after backup and restore the same questions get the same replies."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import run
from tests.homes import seed

NOTE = "# Riverside clinic\n\n## When is it open?\n\nThe Riverside clinic opens at nine and closes at five.\n"
QUESTIONS = ("How long does a back spasm last?", "When does the Riverside clinic open?")


def replies(home: Path) -> list[dict[str, Any]]:
    found = []
    for question in QUESTIONS:
        asked = run(home, "ask", question, "--json")
        assert asked.returncode == 0, asked.stderr
        reply = json.loads(asked.stdout)
        for name in ("id", "created", "timings_ms"):
            del reply[name]
        found.append(reply)
    return found


@pytest.mark.drill("R24", night=20)
def test_a_restored_home_answers_as_the_one_that_was_backed_up(warm: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        seed(folder, warm)
    note = tmp_path / "clinic.md"
    note.write_text(NOTE)
    assert run(first, "ingest", str(note)).returncode == 0
    backed_up = run(first, "backup", str(tmp_path / "one.backup"))
    assert backed_up.returncode == 0, backed_up.stderr
    restored = run(second, "restore", str(tmp_path / "one.backup"))
    assert restored.returncode == 0, restored.stderr
    wanted = replies(first)
    assert any("opens at nine" in citation["quote"] for citation in wanted[1]["citations"])
    assert replies(second) == wanted

    damaged = tmp_path / "damaged.backup"
    damaged.write_bytes((tmp_path / "one.backup").read_bytes()[:-2000])
    refused = run(second, "restore", str(damaged), "--replace")
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert replies(second) == wanted
