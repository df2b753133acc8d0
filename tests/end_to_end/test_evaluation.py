"""The evaluation as a person runs it: the real service in process and over HTTP, and the tutorial's own commands."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import environment
from tests.homes import seed

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
BACKLINE_EVAL = str(Path(sys.executable).with_name("backline-eval"))
REPEATS = ("figures", "scores", "misses", "curves", "failed")


def evaluated(home: Path, out: Path, *arguments: str) -> dict[str, Any]:
    """Run ``backline-eval run`` on a part of the shipped sets and return what it stored."""
    done = subprocess.run(
        [BACKLINE_EVAL, "run", "--limit", "40", "--out", str(out), *arguments],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "95 % interval" in done.stdout
    body: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return body


def test_in_process_twice_and_over_http_give_the_same_measures(home: Path, server: str, tmp_path: Path) -> None:
    first = evaluated(home, tmp_path / "first")
    again = evaluated(home, tmp_path / "again")
    over_http = evaluated(home, tmp_path / "http", "--url", server)
    assert first["about"]["target"] == "in process"
    assert over_http["about"]["target"] == server
    assert [part["name"] for part in first["about"]["sets"]] == ["answers.dev", "dialogues.dev", "triage.dev"]
    assert {part["asked"] for part in first["about"]["sets"]} == {40}
    assert "failed" not in first["misses"]
    for part in REPEATS:
        assert json.dumps(first[part]) == json.dumps(again[part]), part
        assert json.dumps(first[part]) == json.dumps(over_http[part]), part


def commands_of(page: Path) -> str:
    """Return the page's one block of commands."""
    (block,) = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return str(block)


def test_the_tutorial_leads_from_ten_files_and_twenty_questions_to_a_report(
    tmp_path: Path, warm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = commands_of(ROOT / "docs" / "evaluate-your-own.md")
    assert len(commands.strip().splitlines()) == 3
    shutil.copytree(HERE / "handbook", tmp_path / "handbook")
    shutil.move(tmp_path / "handbook" / "questions.jsonl", tmp_path / "questions.jsonl")
    assert len(list((tmp_path / "handbook").glob("*.md"))) == 10
    assert len((tmp_path / "questions.jsonl").read_text(encoding="utf-8").splitlines()) == 20
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BACKLINE_")}
    clean |= {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    seed(tmp_path / "var", warm)
    begin = time.perf_counter()
    done = subprocess.run(
        ["sh", "-e", "-c", commands],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    minutes = (time.perf_counter() - begin) / 60
    assert done.returncode == 0, done.stderr
    with capsys.disabled():
        sys.stdout.write(f"\nfrom ten files and twenty questions to a report: {minutes:.1f} minutes\n")
    assert "questions.jsonl: 20 items" in done.stdout
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "Evaluation report" in page
    run = json.loads((tmp_path / "report" / "run.json").read_text(encoding="utf-8"))
    assert set(run["tables"]["source"]) <= {
        "Borrowing a tool",
        "Damage and loss",
        "Giving tools",
        "Helping at the counter",
        "Joining the tool library",
        "Opening hours",
        "Power tools",
        "Repair evenings",
        "Returning a tool",
        "The workshop",
    }
    figures = {figure["name"]: figure["value"] for figure in run["figures"]}
    assert figures["quotes_exact"] == figures["sentences_verbatim"] == 1.0
    assert figures["right_source_any"] >= 0.8
    assert run["curves"]["reliability"] == []  # no probability of another corpus is passed off as one of this


def steps_of(page: Path) -> dict[str, str]:
    """Return the ``run:`` line of each named step of the page's job."""
    (job,) = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    named = re.findall(r"- name: (.+)\n(?: +if: .+\n)? +run: (.+)\n", job)
    assert len(named) == job.count(" run: ")
    return dict(named)


def test_the_commands_of_the_ci_job_gate_a_change_of_content(warm: Path, tmp_path: Path) -> None:
    page = ROOT / "docs" / "ci.md"
    steps = steps_of(page)
    assert list(steps) == ["Install", "Read the documents", "Check the questions", "Ask", "Show", "Gate"]
    assert steps.pop("Install") == 'pip install "backline[eval]"'
    shutil.copytree(HERE / "handbook", tmp_path / "handbook")
    shutil.move(tmp_path / "handbook" / "questions.jsonl", tmp_path / "questions.jsonl")
    (gates,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "gates.toml").write_text(gates, encoding="utf-8")
    shutil.copytree(warm, tmp_path / ".backline")  # a warm cache, as the job has
    settings = {
        "BACKLINE_HOME": ".backline",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "HOME": str(tmp_path),
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def step(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=tmp_path,
            env={**os.environ, **settings, "PATH": path},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert step(steps["Read the documents"]).returncode == 0
    first = step(steps["Ask"].replace(" --against baseline", " --out baseline"))
    assert first.returncode == 0, first.stderr
    for name in ("Check the questions", "Ask", "Show", "Gate"):
        done = step(steps[name])
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    assert "# Evaluation report" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    for place in sorted((tmp_path / "handbook").glob("*.md"))[:6]:
        title = place.read_text(encoding="utf-8").partition("\n")[0]
        place.write_text(f"{title}\n\nThis page is being rewritten.\n", encoding="utf-8")
    assert step(steps["Read the documents"]).returncode == 0
    assert step(steps["Ask"]).returncode == 0
    gate = step(steps["Gate"])
    assert gate.returncode == 1
    assert "✗ FAIL  Key facts all present" in gate.stdout
    assert "left the baseline's interval" in gate.stdout


def test_the_mapping_of_chat_endpoints_fits_a_real_one(home: Path, server: str, tmp_path: Path) -> None:
    rows = [
        {
            "id": "a1",
            "kind": "answer",
            "question": "How long does a back spasm last?",
            "sources": ["causes-of-back-spasms-5095832"],
            "key_facts": [{"say": ["hours to several days", "hours to days", "several hours", "several days"]}],
        },
        {
            "id": "d1",
            "kind": "decline",
            "reason": "out_of_scope",
            "category": "out_of_domain",
            "question": "What is the capital of France?",
        },
    ]
    questions = tmp_path / "mine.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    # As the page says: a copy, with what this endpoint says when it declines.
    shipped = (ROOT / "eval" / "data" / "targets" / "openai-chat.toml").read_text(encoding="utf-8")
    mapping = tmp_path / "ours.toml"
    mapping.write_text(shipped.replace('"I don\'t know",', '"I only know about",'), encoding="utf-8")
    out = tmp_path / "out"
    done = subprocess.run(
        [BACKLINE_EVAL, "run", "--file", str(questions), "--target", str(mapping), "--url", server, "--out", str(out)],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    values = {figure["name"]: figure["value"] for figure in run["figures"]}
    names = ("key_facts_all", "right_source_first", "silence_f1")
    assert [values[name] for name in names] == [1.0, 1.0, 1.0]
