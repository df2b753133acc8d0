"""Every drill has tests, and the report says what was run."""

import ast
import json
from pathlib import Path

import pytest

from tests.drilling import DRILLS, OUTCOMES, REPORT, Outcome, Reporter, page

TESTS = Path(__file__).parent


def marked() -> set[str]:
    """Return the drills that some test is marked for."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.drill":
                found |= {str(ast.literal_eval(name)) for name in node.args}
    return found


def test_every_drill_has_a_test() -> None:
    assert marked() == set(DRILLS)


def test_the_report_has_a_line_for_every_drill_and_hides_no_failure() -> None:
    whole = Outcome("R6", {"passed": 2}, ["swaps 50", "swaps 50"], [], 61.4, "2026-11-29", "Linux, 2 cores", "abc")
    broken = Outcome("R7", {"passed": 1, "failed": 1}, [], ["a::b"], 5.0, "2026-11-29", "Linux, 2 cores", "abc")
    skipped = Outcome("R8", {"skipped": 1}, [], [], 0.1, "2026-11-29", "Linux, 2 cores", "abc")
    rows = {
        line.split(" | ")[0].strip("| "): line for line in page([whole, broken, skipped]).splitlines() if "| R" in line
    }
    assert list(rows) == list(DRILLS)
    assert "| holds: 2 passed | swaps 50 | 2026-11-29, 61 s |" in rows["R6"]
    assert "**failed**" in rows["R7"]
    assert "**failed**" in rows["R8"]
    assert "not run" in rows["R9"]


def test_what_ran_is_kept_and_what_ran_before_stays(tmp_path: Path) -> None:
    for drill, outcome in (("R6", "passed"), ("R7", "failed")):
        reporter = Reporter([drill], tmp_path / "drills.json", tmp_path / "drills.md")
        reporter._drills_of = {"a::b": (drill, "R9")}
        report = pytest.TestReport("a::b", ("a", 1, "b"), {}, outcome, None, "call", user_properties=[("swaps", 50)])  # type: ignore[arg-type] # either word is one
        reporter.pytest_runtest_logreport(report)
        reporter.pytest_sessionfinish()
    rows = [line for line in (tmp_path / "drills.md").read_text().splitlines() if line.startswith("| R")]
    assert "| holds: 1 passed | swaps 50 |" in rows[5]
    assert "| **failed**: 1 failed |" in rows[6]
    assert "not run" in rows[7]
    assert "not run" in rows[8]


def test_the_committed_report_has_a_line_for_every_drill_and_shows_what_failed() -> None:
    rows = [line for line in REPORT.read_text().splitlines() if line.startswith("| R")]
    assert [row.split(" | ")[0] for row in rows] == [f"| {drill}" for drill in DRILLS]
    failed = {one["drill"] for one in json.loads(OUTCOMES.read_text()) if one["failed"]}
    assert {row.split(" | ")[0].removeprefix("| ") for row in rows if "**failed**" in row} == failed
