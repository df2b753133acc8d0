"""Backline beside other services: the same passages, questions, client and machine, one service after the other.

Every service has one process and may use every core. Its index is built by a command of its own, then it is started,
asked one question after the other, then by 32 askers at once who each wait for their reply before they ask again.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from corpus.records import Passage
from eval.benchmarks.load import Asking, Call, ask, fire, memory_mb
from eval.errors import RunError
from eval.measures.speed import percentiles
from index.snapshot import current_snapshot_id, open_snapshot

COLLECTION = "bench"
ASKERS = 32
PEERS = ("langchain", "txtai")
_PROGRAMS = Path(__file__).with_name("peers")
PORT = 8471
WARM_UP = 20
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Row:
    """One document to index.

    Attributes:
        id: Its id.
        title: Its title.
        text: Its text.
    """

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class System:
    """One service.

    Attributes:
        name: Its name.
        index: Command that builds its index.
        serve: Command that serves it on ``PORT``.
        environment: Variables beside those of this process.
        askings: How a question is put to each of its routes, by name; the first is asked first.
    """

    name: str
    index: tuple[str, ...]
    serve: tuple[str, ...]
    environment: Mapping[str, str]
    askings: Mapping[str, Asking]


@dataclass(frozen=True, slots=True)
class Result:
    """What one route of a service did.

    Attributes:
        name: Service and route.
        passages_per_second: Passages by the time of the whole indexing command.
        first_answer_s: From process start to the first good reply.
        p50_alone_ms: Median wait of one asker.
        per_second: Replies a second to 32 askers.
        p50_together_ms: Median wait of 32 askers.
        ready_mb: Resident memory after the first reply.
        loaded_mb: Resident memory after all questions of all routes so far.
        failed: Share of replies that were not of status 200.
        load_average: Of this machine before the service started, over one minute.
    """

    name: str
    passages_per_second: float
    first_answer_s: float
    p50_alone_ms: float
    per_second: float
    p50_together_ms: float
    ready_mb: float
    loaded_mb: float
    failed: float
    load_average: float


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write documents as Backline ingests them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps({"_id": row.id, "title": row.title, "text": row.text}, ensure_ascii=False) + "\n")


def backline(home: Path, documents: Path) -> System:
    """Return Backline over documents that it ingests into a fresh home."""
    command = str(Path(sys.executable).with_name("backline"))
    return System(
        "Backline",
        (command, "ingest", str(documents), "--collection", COLLECTION),
        (command, "serve", "--port", str(PORT)),
        # All askers of the closed loop may wait; by default the service would send some of them away.
        {"BACKLINE_HOME": str(home), "BACKLINE_MAX_WAITING": str(2 * ASKERS)},
        {"/v1/search": _search, "/v1/ask": _ask},
    )


def peer(name: str, environments: Path, model: Path, passages: Path, folder: Path) -> System:
    """Return another service; its environment must have been made.

    Raises:
        RunError: it was not.
    """
    python = environments / name / "bin" / "python"
    if not python.exists():
        raise RunError(str(python), "is missing: `make bench` makes it")
    program = (str(python), str(_PROGRAMS / f"{name}_service.py"))
    return System(
        {"langchain": "LangChain + FAISS", "txtai": "txtai"}[name],
        (*program, "index", str(model), str(passages), str(folder)),
        (*program, "serve", str(model), str(folder), str(PORT)),
        {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"},
        {"/search": {"langchain": _ask_langchain, "txtai": _ask_txtai}[name]},
    )


def copy_home(clean: Path, home: Path) -> None:
    """Give a run a home of its own, with the model exported and nothing ingested.

    Args:
        clean: Home that is kept from run to run; made when missing.
        home: Home of this run; what is there goes.
    """
    run_command(
        (str(Path(sys.executable).with_name("backline")), "index", "--if-needed"), {"BACKLINE_HOME": str(clean)}
    )
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(clean, home)


def split_passages(home: Path, model_id: str, path: Path) -> list[Passage]:
    """Write the passages that Backline has split the documents into, for the others, and return them."""
    root = home / "snapshots"
    passages = list(open_snapshot(root, model_id, current_snapshot_id(root)).parts[COLLECTION].passages)
    with path.open("w", encoding="utf-8") as lines:
        for passage in passages:
            lines.write(json.dumps({"id": passage.id, "text": passage.embedded_text}, ensure_ascii=False) + "\n")
    return passages


def build(system: System) -> float:
    """Build a system's index and return how many seconds the whole command took."""
    began = time.perf_counter()
    run_command(system.index, system.environment)
    return time.perf_counter() - began


def measure(system: System, questions: Sequence[str], requests: int, per_second: float) -> list[Result]:
    """Start a system, ask it, stop it.

    Args:
        system: The system, with its index built.
        questions: Asked in turn.
        requests: How many are asked, by one asker and by many, a route.
        per_second: Passages a second that its indexing made.
    """
    load_average = os.getloadavg()[0]
    url = f"http://127.0.0.1:{PORT}"
    results = []
    with serving(system) as process:
        first, ready = _first_answer(url, process, questions[0], next(iter(system.askings.values())))
        for route, asking in system.askings.items():
            fire(url, [0.0] * WARM_UP, questions, {}, 1, asking)
            alone = fire(url, [0.0] * requests, questions, {}, 1, asking)
            together = fire(url, [0.0] * requests, questions, {}, ASKERS, asking)
            good = [shot for shot in together if shot.status == 200]
            waits = [
                [1000 * (shot.done - shot.sent) for shot in shots if shot.status == 200] for shots in (alone, good)
            ]
            lasted = max(shot.done for shot in together) - min(shot.sent for shot in together)
            results.append(
                Result(
                    f"{system.name} {route}",
                    per_second,
                    first,
                    percentiles(waits[0]).get("p50", 0.0),
                    len(good) / lasted,
                    percentiles(waits[1]).get("p50", 0.0),
                    ready,
                    memory_mb(process.pid) or 0.0,
                    1 - (len(good) + len(waits[0])) / (2 * requests),
                    load_average,
                )
            )
    return results


def _search(question: str) -> Call:
    body = {"query": question, "top_k": 10, "filters": {"collection": COLLECTION}}
    return Call("POST", "/v1/search", json.dumps(body).encode())


def _ask(question: str) -> Call:
    call = ask(question)
    body = json.loads(call.body or b"{}") | {"filters": {"collection": COLLECTION}}
    return replace(call, body=json.dumps(body).encode())


def _ask_langchain(question: str) -> Call:
    return Call("POST", "/search", json.dumps({"query": question}).encode())


def _ask_txtai(question: str) -> Call:
    return Call("GET", f"/search?query={quote(question)}&limit=10")


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command to its end.

    Raises:
        RunError: it failed.
    """
    done = subprocess.run(  # noqa: S603 - our own commands
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RunError(" ".join(command[:2]), done.stderr.strip()[-500:] or f"ended with {done.returncode}")


@contextmanager
def serving(system: System) -> Iterator["subprocess.Popen[bytes]"]:
    """Serve while the block runs."""
    with subprocess.Popen(  # noqa: S603 - our own commands
        system.serve,
        env={**os.environ, **system.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _first_answer(url: str, process: "subprocess.Popen[bytes]", question: str, asking: Asking) -> tuple[float, float]:
    """Ask until there is a good reply; return the seconds since then and the memory in MB."""
    began = time.perf_counter()
    while time.perf_counter() - began < _START_SECONDS and process.poll() is None:
        if fire(url, [0.0], [question], {}, 1, asking)[0].status == 200:
            return time.perf_counter() - began, memory_mb(process.pid) or 0.0
    raise RunError(url, "does not answer")
