"""Load: how long do people wait when questions keep coming, whether or not the service keeps up?

Questions are sent at times that are drawn before the first one is sent, and the wait is counted from the intended
time. A generator that sends the next question when the last one is answered slows down with the service and leaves
out just the waits that people would have had (coordinated omission). Here a question that finds every connection
taken waits on our side, and that wait counts.

Source: B. Schroeder, A. Wierman, M. Harchol-Balter (2006), Open versus closed: a cautionary tale, NSDI.
"""

import gc
import json
import math
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection, RemoteDisconnected
from ipaddress import ip_address
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from httptools import HttpParserError, HttpResponseParser

from eval.errors import LoadError
from eval.measures.speed import percentiles

MOST_REQUESTS = 20_000
MOST_SECONDS = 900.0
CONNECTIONS = 64
TIMEOUT_SECONDS = 15.0
KEPT_UP = 0.95
SLOWED = 5.0
_LEAST_SLOW_MS = 50.0
_MOST_FAILED = 0.01
_GIVE_UP_FAILED = 0.5
_LATE_SECONDS = 0.02
_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        method: HTTP method.
        path: Path and query, behind the address of the service.
        body: JSON, or None for none.
    """

    method: str
    path: str
    body: bytes | None = None


Asking = Callable[[str], Call]
"""How a question is put to a service."""


def ask(question: str) -> Call:
    """Put a question to ``/v1/ask``."""
    return Call("POST", "/v1/ask", json.dumps({"question": question, "mode": "extractive"}).encode())


@dataclass(frozen=True, slots=True)
class Shot:
    """One question of a load.

    Attributes:
        intended: When it should have been sent, in seconds from the start of its level.
        sent: When it was.
        done: When its reply was there, or it had failed.
        status: HTTP status, 0 where no reply came.
        retry_after: What the reply says of when to come back, "" where it says nothing.
    """

    intended: float
    sent: float
    done: float
    status: int
    retry_after: str = ""

    @property
    def wait_ms(self) -> float:
        """Milliseconds from the intended time to the end of the reply."""
        return 1000 * (self.done - self.intended)


@dataclass(frozen=True, slots=True)
class Level:
    """One offered load.

    Attributes:
        offered: Questions a second that were to be sent.
        sent: How many were; chance makes it a little more or less than offered.
        seconds: How long the level lasted.
        answered: Replies of status 2xx a second, until the last reply.
        waits_ms: p50, p95 and p99 of the waits for them, from the intended time.
        statuses: Count by status; ``none`` where no reply came.
        late: Share that went out more than 20 ms late: no connection was free, or our own machine was busy.
        memory_mb: Resident memory of the service after the level, None where it is not known.
    """

    offered: float
    sent: int
    seconds: float
    answered: float
    waits_ms: Mapping[str, float]
    statuses: Mapping[str, int]
    late: float
    memory_mb: float | None = None

    @property
    def failed(self) -> float:
        """Share without a reply of status 2xx."""
        good = sum(count for status, count in self.statuses.items() if status.startswith("2"))
        return 1 - good / self.sent if self.sent else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, bounded in count and time.

    Attributes:
        rates: Questions a second, level by level, rising.
        seconds: How long each level lasts.
        seed: Of the times and of the order of the questions; None spaces them evenly, in their order.
        connections: Most questions under way at once.
    """

    rates: tuple[float, ...]
    seconds: float
    seed: int | None = 1
    connections: int = CONNECTIONS

    def __post_init__(self) -> None:
        """Refuse what would never end or has nothing to send."""
        if not self.rates or min(self.rates) <= 0 or self.seconds <= 0 or self.connections < 1:
            raise LoadError("rates, seconds and connections must all be above 0")
        if list(self.rates) != sorted(self.rates):
            raise LoadError("rates must rise: the knee is looked for from below")
        if sum(self.rates) * self.seconds > MOST_REQUESTS or len(self.rates) * self.seconds > MOST_SECONDS:
            raise LoadError(
                f"at most {MOST_REQUESTS} questions and {MOST_SECONDS:.0f} seconds: fewer or shorter levels"
            )


def send_times(rate: float, seconds: float, seed: int | None) -> list[float]:
    """Return when to send, in seconds from the start, rising.

    Args:
        rate: Questions a second.
        seconds: How long.
        seed: Of a Poisson process, as people come who do not know of each other; None spaces evenly.
    """
    if seed is None:
        return [number / rate for number in range(int(rate * seconds))]
    rng = np.random.default_rng([seed, int(rate * 1000)])
    gaps = rng.exponential(1 / rate, size=int(rate * seconds * 2) + 50)
    times = np.cumsum(gaps)
    return [float(at) for at in times[times < seconds]]


def mixed(questions: Sequence[str], seed: int | None) -> list[str]:
    """Return the questions in an order by chance, so that loads of different length ask the same mix of them.

    Sets are written theme by theme, and questions differ in what they cost: the first few hundred of one are no sample.

    Args:
        questions: In any order.
        seed: Of the order; None leaves it.
    """
    if seed is None:
        return list(questions)
    return [questions[at] for at in np.random.default_rng(seed).permutation(len(questions))]


def check_address(url: str, *, anywhere: bool) -> None:
    """Refuse every machine but this one, unless told otherwise.

    Raises:
        LoadError: the address is not of the loopback interface, or no address.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise LoadError("--url is no address such as http://127.0.0.1:8000")
    try:
        own = ip_address(parts.hostname).is_loopback
    except ValueError:
        own = parts.hostname == "localhost"
    if not own and not anywhere:
        raise LoadError("that is not this machine; --anywhere, if its owner wants it to be put under load")


def run_load(
    url: str,
    plan: Plan,
    questions: Sequence[str],
    headers: Mapping[str, str] | None = None,
    pid: int | None = None,
    watch: Callable[[Level], None] | None = None,
) -> list[Level]:
    """Put each level on the service, one after the other, with a pause until the last reply between them.

    After a level on which most questions fail no further one follows.

    Args:
        url: A service that speaks ``/v1/ask``.
        plan: What to send.
        questions: Asked in turn, mixed by the plan's seed.
        headers: Sent with each request.
        pid: Process of the service on this machine, for its memory.
        watch: Told of each level when it ends.
    """
    levels: list[Level] = []
    questions = mixed(questions, plan.seed)
    for rate in plan.rates:
        times = send_times(rate, plan.seconds, plan.seed)
        shots = fire(url, times, questions, headers or {}, plan.connections)
        level = sum_up(rate, plan.seconds, shots, memory_mb(pid) if pid is not None else None)
        levels.append(level)
        if watch is not None:
            watch(level)
        if level.failed > _GIVE_UP_FAILED:
            break
    return levels


def fire(
    url: str,
    times: Sequence[float],
    questions: Sequence[str],
    headers: Mapping[str, str],
    connections: int,
    asking: Asking = ask,
) -> list[Shot]:
    """Send one question at each time and wait for all replies.

    With every time 0 it is a closed loop: each connection sends its next question when its last reply is there.

    Nothing is collected as garbage meanwhile: with a few hundred thousand shots in memory a collection holds up every
    connection for a tenth of a second and more, and that is no wait of the service.
    """
    waiting: queue.SimpleQueue[tuple[float, Call] | None] = queue.SimpleQueue()
    shots: list[Shot] = []
    start = time.perf_counter() + 0.05
    workers = [
        threading.Thread(target=_work, args=(url, headers, waiting, shots, start), daemon=True)
        for _ in range(min(connections, max(len(times), 1)))
    ]
    with _nothing_collected():
        for worker in workers:
            worker.start()
        for place, at in enumerate(times):
            call = asking(questions[place % len(questions)])
            time.sleep(max(0.0, start + at - time.perf_counter()))
            waiting.put((at, call))
        for _ in workers:
            waiting.put(None)
        for worker in workers:
            worker.join()
    return shots


@contextmanager
def _nothing_collected() -> Iterator[None]:
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def sum_up(rate: float, seconds: float, shots: Sequence[Shot], memory: float | None = None) -> Level:
    """Sum one level up; only replies of status 2xx have a wait, the others are counted by status."""
    good = [shot for shot in shots if 200 <= shot.status < 300]
    statuses = Counter(str(shot.status) if shot.status else "none" for shot in shots)
    return Level(
        offered=rate,
        sent=len(shots),
        seconds=seconds,
        answered=len(good) / max([seconds, *(shot.done for shot in shots)]),
        waits_ms=percentiles([shot.wait_ms for shot in good]),
        statuses=dict(sorted(statuses.items())),
        late=sum(shot.sent - shot.intended > _LATE_SECONDS for shot in shots) / len(shots) if shots else 0.0,
        memory_mb=memory,
    )


def knee(levels: Sequence[Level]) -> float | None:
    """Return the highest offered load that the service carries, None where it carries not even the first.

    A level is carried when at least 95 % of what is offered is answered, at most 1 % fails, and p95 stays within five
    times that of the first level (within 50 ms where that is more). The first level that is not carried ends it. The
    last replies may take as long as that after the level has ended: they were no slower for it.
    """
    carried = None
    for level in levels:
        limit = max(SLOWED * levels[0].waits_ms.get("p95", 0.0), _LEAST_SLOW_MS)
        kept_up = level.answered >= KEPT_UP * level.sent / (level.seconds + limit / 1000)
        if not kept_up or level.failed > _MOST_FAILED or level.waits_ms.get("p95", math.inf) > limit:
            break
        carried = level.offered
    return carried


def memory_mb(pid: int) -> float | None:
    """Return the resident memory of a process and its children in MB, None where it cannot be read."""
    total = 0.0
    try:
        for one in (pid, *_children(pid)):
            lines = Path(f"/proc/{one}/status").read_text(encoding="ascii").splitlines()
            total += next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
    except (OSError, StopIteration):
        return None
    return total


def levels_as_json(levels: Sequence[Level], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that was measured, for ``load.json``."""
    rows = [
        {
            "offered_per_second": level.offered,
            "sent": level.sent,
            "seconds": level.seconds,
            "answered_per_second": level.answered,
            **{f"{name}_ms": value for name, value in level.waits_ms.items()},
            "statuses": dict(level.statuses),
            "late": level.late,
            "memory_mb": level.memory_mb,
        }
        for level in levels
    ]
    return {**about, "knee_per_second": knee(levels), "levels": rows}


def _work(
    url: str,
    headers: Mapping[str, str],
    waiting: "queue.SimpleQueue[tuple[float, Call] | None]",
    shots: list[Shot],
    start: float,
) -> None:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    sent_with = {"host": parts.netloc, "content-type": "application/json", **headers}
    while (shot := waiting.get()) is not None:
        at, call = shot
        sent = time.perf_counter() - start
        status, retry_after = _send(connection, parts.path.rstrip("/"), call, sent_with)
        shots.append(Shot(at, sent, time.perf_counter() - start, status, retry_after))
    connection.close()


def _send(connection: HTTPConnection, base: str, call: Call, headers: Mapping[str, str]) -> tuple[int, str]:
    """Return status and Retry-After, 0 where no reply came; a kept connection that was closed is opened anew, once.

    Head and body go out together, as most clients send them: ``http.client`` sends two packets, which wake the service
    twice. The reply is parsed in C for the same reason: what asks shares the machine with what answers.
    """
    request = _request(base, call, headers)
    for kept in (connection.sock is not None, False):
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.sendall(request)
            reply = _Reply.read(connection.sock)
            if not reply.outlived:
                connection.close()
        except (RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            connection.close()
            if not kept:
                return 0, ""
        except (OSError, HttpParserError):
            connection.close()
            return 0, ""
        else:
            return reply.status, reply.retry_after
    return 0, ""


class _Reply:
    """One reply, told of by the parser as it comes in; it must say where it ends, by its length or in chunks."""

    def __init__(self) -> None:
        self.status = 0
        self.retry_after = ""
        self.outlived = True
        self._is_whole = False

    @classmethod
    def read(cls, connection: socket) -> "_Reply":
        """Read one whole reply.

        Raises:
            RemoteDisconnected: the connection had ended before it.
            OSError: it ended within it.
            HttpParserError: that is no HTTP.
        """
        reply, parsed = cls(), 0
        parser = HttpResponseParser(reply)
        while not reply._is_whole:
            data = connection.recv(_AT_ONCE)
            if not data:
                raise OSError("cut short") if parsed else RemoteDisconnected("kept no longer")
            parser.feed_data(data)
            parsed += len(data)
        reply.status, reply.outlived = parser.get_status_code(), parser.should_keep_alive()
        return reply

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header."""
        if name.lower() == b"retry-after":
            self.retry_after = value.decode("latin-1")

    def on_message_complete(self) -> None:
        """Take in the end."""
        self._is_whole = True


def _request(base: str, call: Call, headers: Mapping[str, str]) -> bytes:
    sent_with = headers if call.body is None else {**headers, "content-length": str(len(call.body))}
    lines = [f"{call.method} {base}{call.path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent_with.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (call.body or b"")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(one) for one in path.read_text(encoding="ascii").split()]
    return [one for child in found for one in (child, *_children(child))]
