import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval import cli, evaluating
from eval.datasets import load_set
from tests.eval.fakes import FakeTarget, always_abstain
from tests.eval.test_datasets import ALARM, ANSWER, DECLINE, NEAR, written

runner = CliRunner()


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four items in a file, and a fake service in place of our own."""
    path = written(tmp_path, ANSWER, DECLINE, ALARM, NEAR)
    items = load_set(path).items
    monkeypatch.setattr(evaluating, "open_target", lambda *_: FakeTarget(items))
    return path


def test_run_prints_a_table_and_writes_its_files(sets: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = runner.invoke(cli.app, ["run", "--file", str(sets), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "Red flags caught" in result.output
    assert "95 % interval" in result.output
    assert "RF01  1/1" in result.output
    body = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert body["about"]["sets"] == [{"name": "mine", "sha256": load_set(sets).sha256, "items": 4, "asked": 4}]
    failures = [json.loads(line) for line in (out / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["kind"]) for row in failures] == [("a1", "fact_missing")]
    assert "# Evaluation report" in (out / "report.md").read_text(encoding="utf-8")


def test_a_limit_is_spread_over_the_set(sets: Path, tmp_path: Path) -> None:
    result = runner.invoke(cli.app, ["run", "--file", str(sets), "--out", str(tmp_path / "o"), "--limit", "2"])
    assert result.exit_code == 0, result.output
    assert "mine (2 of 4)" in result.output
    assert "Red flags caught" in result.output


def test_the_report_half_is_logged(sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.jsonl"
    monkeypatch.setattr(evaluating, "shipped_path", lambda _name, _split: sets)
    request = evaluating.Request(split="report", out=tmp_path / "o", sets=("answers",))
    for _ in range(2):
        evaluating.evaluate(request, FakeTarget(load_set(sets).items), log=log)
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 2
    assert rows[0]["sets"][0]["sha256"] == load_set(sets).sha256
    assert rows[0]["figures"]["flags_caught"]["value"] == 1.0
    assert rows[0]["created"]


def test_robustness_asks_each_question_in_its_changed_forms(sets: Path, tmp_path: Path) -> None:
    # The fake knows the questions as they stand alone: every change that changes something fails.
    result = runner.invoke(cli.app, ["run", "--file", str(sets), "--out", str(tmp_path / "o"), "--robustness"])
    assert result.exit_code == 0, result.output
    assert "Same outcome when shouted                    0.0 %" in result.output


def test_a_baseline_of_other_questions_is_refused_before_anything_is_asked(sets: Path, tmp_path: Path) -> None:
    first = runner.invoke(cli.app, ["run", "--file", str(sets), "--out", str(tmp_path / "before")])
    assert first.exit_code == 0
    changed = written(tmp_path, ANSWER, DECLINE, ALARM)
    arguments = ["run", "--file", str(changed), "--out", str(tmp_path / "after"), "--against", str(tmp_path / "before")]
    result = runner.invoke(cli.app, arguments)
    assert result.exit_code == 1
    assert "is not the same set in both runs" in result.output
    assert not (tmp_path / "after").exists()


def test_validate_explains_and_exits_1(tmp_path: Path, sets: Path) -> None:
    assert runner.invoke(cli.app, ["validate", str(sets)]).exit_code == 0
    bad = written(tmp_path, {**ANSWER, "sources": []})
    result = runner.invoke(cli.app, ["validate", str(bad)])
    assert result.exit_code == 1
    assert f'{bad}:1: "sources" is empty' in result.output


def test_gate_and_compare_read_runs(sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = load_set(sets).items
    runner.invoke(cli.app, ["run", "--file", str(sets), "--out", str(tmp_path / "good")])
    monkeypatch.setattr(evaluating, "open_target", lambda *_: FakeTarget(items, always_abstain))
    runner.invoke(cli.app, ["run", "--file", str(sets), "--out", str(tmp_path / "bad")])
    limits = tmp_path / "gates.toml"
    limits.write_text('[[gate]]\nmeasure = "flags_caught"\nat_least = 0.9\nwhy = "w"\n', encoding="utf-8")
    good = runner.invoke(cli.app, ["gate", str(tmp_path / "good"), "--limits", str(limits)])
    assert (good.exit_code, "✓ pass  Red flags caught" in good.output) == (0, True)
    bad = runner.invoke(cli.app, ["gate", str(tmp_path / "bad"), "--limits", str(limits)])
    assert (bad.exit_code, "✗ FAIL  Red flags caught" in bad.output) == (1, True)
    compared = runner.invoke(cli.app, ["compare", str(tmp_path / "good"), str(tmp_path / "bad")])
    assert compared.exit_code == 0
    assert "Needless refusals" in compared.output
    as_json = runner.invoke(cli.app, ["compare", str(tmp_path / "good"), str(tmp_path / "bad"), "--json"])
    assert {"figure", "test", "won", "lost"} <= json.loads(as_json.output)[0].keys()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--split", "all"],
        ["run", "--set", "none"],
        ["run", "--header", "no colon", "--file", "x"],
        ["run", "--limit", "0"],
    ],
)
def test_wrong_use_exits_2(arguments: list[str]) -> None:
    assert runner.invoke(cli.app, arguments).exit_code == 2


def test_a_missing_set_or_run_exits_1(tmp_path: Path) -> None:
    assert runner.invoke(cli.app, ["run", "--file", str(tmp_path / "absent.jsonl")]).exit_code == 1
    assert runner.invoke(cli.app, ["gate", str(tmp_path)]).exit_code == 1
    assert runner.invoke(cli.app, ["compare", str(tmp_path), str(tmp_path)]).exit_code == 1


def test_help_answers_at_once_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['backline-eval', '--help']\n"
        "import eval.cli\n"
        "try: eval.cli.main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('numpy', 'torch', 'service', 'index') if name in sys.modules])"
    )
    started = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    taken = time.perf_counter() - started
    assert result.stdout.rstrip().endswith("[]")
    assert taken < 2.0, "the goal is half a second; a busy machine gets more"
