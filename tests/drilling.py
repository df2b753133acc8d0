"""The drills R1-R26: how often each runs by day and by night, and the report of the last night.

A test that belongs to a drill is marked ``@pytest.mark.drill("R6")``. By day (``make test``) it asserts counts and
statuses; with ``NIGHT=1`` (``make drills``) it runs more often, asserts times and rates too, as ratios, and tells
its figures to pytest's ``record_property``. ``drill("R7", day=3, night=50)`` repeats the whole test so often; inside a
test :func:`rounds` chooses. Tests that only make sense by night are marked ``night`` as well.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings

NIGHT = os.environ.get("NIGHT") == "1"
REPORT = Path(__file__).parents[1] / "docs" / "drills.md"
OUTCOMES = REPORT.with_suffix(".json")

DRILLS: Mapping[str, str] = {
    "R1": "`kill -9` at a random time while documents come in: what was acknowledged is there, nothing is half there",
    "R2": "a kill at each step of building and swapping: the old snapshot or the new one, never a mix",
    "R3": "damage to each file of a snapshot: refused by its sha256 before it is parsed, the one before it serves",
    "R4": "the disk full at each write: a problem in time, nothing acknowledged lost, heals",
    "R5": "the database busy or broken: 503 with Retry-After, never half a write",
    "R6": "snapshots swapped under load: no request fails, no reply mixes two",
    "R7": "SIGTERM under load: says so first, loses nothing that it accepted, ends within 15 s",
    "R8": "five times what it carries: refuses early and politely, those let in wait no longer",
    "R9": "200 half-sent requests and 50 slow bodies: others do not notice, all are closed within 15 s",
    "R10": "requests made from the API's own description, with and without a key: nothing undocumented, no fault of ours",
    "R11": "properties under generated examples: sentences, splitting, spans, fusion, citations, addresses, signatures",
    "R12": "broken and hostile files: accepted, or refused with a reason, within 20 s and 512 MB",
    "R13": "uploads that are too large, without length or lying about it: 413, little memory, no litter",
    "R14": "documents that give orders: answers to other questions stay as they are",
    "R15": "addresses that lead inside: refused before a connection, also behind names and redirects",
    "R16": "names that would leave the data folder: labels, never paths",
    "R17": "hostile text in every field of the pages, in Chromium: stays text",
    "R18": "pages of other sites: only allowed ones may call, never with anything of the visitor's",
    "R19": "keys: random, hashed, compared in constant time, with scopes, an end and a successor",
    "R20": "deliveries that are changed, old or sent again: refused",
    "R21": "rates by key: the one too many is told when to come back, in every worker, and no other key notices",
    "R22": "planted names, numbers and keys: in no log, metric or trace; deleting deletes",
    "R23": "half an hour of questions: memory and open files stay flat",
    "R24": "backup and restore: the same answers; a damaged backup is refused",
    "R25": "the whole suite with the loopback interface alone",
    "R26": "licences, bill of materials, no format that runs code",
}


def rounds(day: int, night: int) -> int:
    """Return how often a drill runs now."""
    return night if NIGHT else day


# Hypothesis derandomises by itself where CI is set. No database: a failure prints the example that shows it.
PROPERTY = settings(max_examples=rounds(200, 5_000), deadline=None, database=None)
"""For the properties of R11."""


@dataclass
class Outcome:
    """How one drill ended.

    Attributes:
        drill: Its number.
        tests: Tests by outcome.
        figures: What the tests measured, in the order in which they ran.
        failed: The tests that failed.
        seconds: Time of its tests together.
        date: When it ran.
        machine: Where.
        commit: The state that was tested.
    """

    drill: str
    tests: dict[str, int] = field(default_factory=dict)
    figures: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    date: str = ""
    machine: str = ""
    commit: str = ""


class Reporter:
    """Collects the outcome of each drill of a run, keeps it, and writes the report of all that are kept.

    Args:
        wanted: The drills of this run; a test that belongs to others too says nothing of them.
        outcomes: File with the last outcome of each drill, committed beside the page.
        report: The page that shows them.
    """

    def __init__(self, wanted: Iterable[str], outcomes: Path = OUTCOMES, report: Path = REPORT) -> None:
        self._wanted = frozenset(wanted)
        self._outcomes = outcomes
        self._report = report
        self._commit = _commit()  # what is tested is what was there at the start
        self._found: dict[str, Outcome] = {}
        self._drills_of: dict[str, tuple[str, ...]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember which test belongs to which drill."""
        for item in items:
            self._drills_of[item.nodeid] = drills_of(item)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in one phase of one test."""
        for drill in self._wanted.intersection(self._drills_of.get(report.nodeid, ())):
            outcome = self._found.setdefault(drill, Outcome(drill))
            outcome.seconds += report.duration
            if report.when == "call" or report.outcome != "passed":
                outcome.tests[report.outcome] = outcome.tests.get(report.outcome, 0) + 1
            if report.when == "call":
                outcome.figures += [f"{name} {value}" for name, value in report.user_properties]
            if report.outcome == "failed":
                outcome.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Keep what was found and write the page."""
        if not self._found:
            return
        kept = json.loads(self._outcomes.read_text()) if self._outcomes.exists() else []
        outcomes = {one["drill"]: Outcome(**one) for one in kept}
        for outcome in self._found.values():
            outcome.date = time.strftime("%Y-%m-%d")
            outcome.machine = machine()
            outcome.commit = self._commit
            outcomes[outcome.drill] = outcome
        last = [asdict(outcomes[drill]) for drill in DRILLS if drill in outcomes]
        self._outcomes.write_text(json.dumps(last, ensure_ascii=False, indent=1) + "\n")
        self._report.write_text(page(outcomes.values()))


def drills_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the drills that a test belongs to."""
    found = tuple(str(name) for marker in item.iter_markers("drill") for name in marker.args)
    unknown = set(found) - DRILLS.keys()
    if unknown:
        raise pytest.UsageError(f"{item.nodeid}: there is no drill {', '.join(unknown)}")
    return found


def page(outcomes: Iterable[Outcome]) -> str:
    """Return the report as Markdown; a drill that has not run says so."""
    by_drill = {outcome.drill: outcome for outcome in outcomes}
    lines = [_HEAD]
    for drill, what in DRILLS.items():
        one = by_drill.get(drill)
        if one is None:
            lines.append(f"| {drill} | {what} | not run | | |")
            continue
        tests = ", ".join(f"{count} {name}" for name, count in sorted(one.tests.items()))
        figures = "; ".join(dict.fromkeys(one.figures))
        verdict = "**failed**" if one.failed or not one.tests.get("passed") else "holds"
        lines.append(f"| {drill} | {what} | {verdict}: {tests} | {figures} | {one.date}, {one.seconds:.0f} s |")
    states = sorted({f"{one.machine}, state {one.commit}" for one in by_drill.values()})
    return "\n".join([*lines, "", "Machine: " + "; ".join(states) + ".", *_overload(), ""])


_HEAD = """# Drills

What the service must survive, and how the last night of it went. `make test` runs every drill but the soak, asserting statuses and counts; `make drills` runs them more often, asserts times and rates as ratios, and writes this page (`make drills ONLY="R6 R7"` runs some and keeps the lines of the others). All loads stay on the loopback interface and are bounded in count and time. A test belongs to a drill by its mark, `@pytest.mark.drill("R6")`.

| drill | what | tests | figures | when, how long |
|---|---|---|---|---|"""


def _overload() -> list[str]:
    """Return the lines about the pictures that R8 draws by night, once there are any."""
    images = REPORT.parent / "images"
    return ["", _OVERLOAD] if (images / "overload-wait.svg").exists() else []


_OVERLOAD = """## Under overload

How long those wait who are let in, and how many are answered, from a quarter of what one process carries to five times as much (R8):

![Waiting time against offered load](images/overload-wait.svg)

![Answers a second against offered load](images/overload-answered.svg)"""


def machine() -> str:
    """Name the machine: system, cores, memory."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {pages / 2**30:.0f} GB, Python {platform.python_version()}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=REPORT.parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
