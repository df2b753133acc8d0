"""Fifty questions on five topics that no source covers, asked of the real service, come out as those five."""

import json
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.application import load_parts, open_desk
from service.http.app import create_app
from service.settings import Settings
from tests.end_to_end.conftest import run

PLANTED = Path(__file__).parents[1] / "service" / "data" / "gaps.planted.txt"


@pytest.fixture
def own_home(warm: Path, tmp_path: Path) -> Path:
    """A home of the same index in which nobody has asked anything."""
    for part in ("snapshots", "models"):
        shutil.copytree(warm / part, tmp_path / "user" / "var" / part)
    return tmp_path / "user" / "var"


def test_five_planted_topics_are_five_groups(own_home: Path) -> None:
    planted = [line.split("|", 1) for line in PLANTED.read_text(encoding="utf-8").splitlines()]
    unanswered: dict[str, set[str]] = {}
    with TestClient(create_app(open_desk(load_parts(Settings(home=own_home)))), base_url="http://127.0.0.1") as client:
        for topic, question in planted:
            reply = client.post("/v1/ask", json={"question": question}).json()
            if reply["status"] == "abstained":
                unanswered.setdefault(topic, set()).add(question)
            else:  # whoever got an answer on something that no source covers will not like it
                client.post("/v1/feedback", json={"answer_id": reply["id"], "verdict": "no", "reason": "off"})
    assert sum(map(len, unanswered.values())) >= 45
    export = own_home.parent / "gaps.jsonl"
    done = run(own_home, "gaps", "--json", "--export", str(export))
    assert done.returncode == 0, done.stderr
    groups = [frozenset(gap["question"] for gap in cluster["gaps"]) for cluster in json.loads(done.stdout)["data"]]
    wanted: dict[str, set[str]] = {}
    for topic, question in planted:
        wanted.setdefault(topic, set()).add(question)
    assert sorted(groups, key=sorted) == sorted(map(frozenset, wanted.values()), key=sorted)
    assert len(export.read_text(encoding="utf-8").splitlines()) == 50
    plain = run(own_home, "gaps").stdout
    assert plain.startswith("  10  ")
    assert "tens, machine, pads" in plain
