import gc
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from eval import cli
from eval.benchmarks.load import Level, Plan, Shot, check_address, fire, knee, memory_mb, run_load, send_times, sum_up
from eval.errors import LoadError
from eval.measures.speed import percentiles

SERVICE_SECONDS = 0.05


@contextmanager
def slow_server(seconds: float = SERVICE_SECONDS, refuse_after: int | None = None) -> Iterator[str]:
    """Answer one question at a time, each after ``seconds``; from the ``refuse_after``-th on with 503."""
    served = [0]

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            time.sleep(seconds)  # the slowness that is to be measured
            served[0] += 1
            status = 503 if refuse_after is not None and served[0] > refuse_after else 200
            self.send_response(status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: object) -> None:
            pass

    class Patient(HTTPServer):
        request_queue_size = 128

    server = Patient(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_closed_loop_would_flatter_a_server_that_falls_behind() -> None:
    with slow_server() as url:
        # One after the other, nobody ever waits for anybody: each reply takes its service time.
        closed: list[float] = []
        for _ in range(10):
            shots = fire(url, [0.0], ["q"], {}, connections=1)
            closed.append(1000 * (shots[0].done - shots[0].sent))
        # Twice as many as it can serve: the queue grows, and with it the wait.
        level = run_load(url, Plan((40.0,), 1.5, seed=None), ["q"])[0]
    assert level.sent == 60
    assert level.statuses == {"200": 60}
    assert level.waits_ms["p95"] > 5 * percentiles(closed)["p50"]
    assert level.answered < 30


def test_a_question_that_finds_every_connection_taken_waits_on_our_side() -> None:
    with slow_server() as url:
        shots = fire(url, [0.0, 0.0, 0.0, 0.0], ["q"], {}, connections=1)
    ordered = sorted(shots, key=lambda shot: shot.done)
    assert ordered[-1].wait_ms >= 4 * 1000 * SERVICE_SECONDS
    assert 1000 * (ordered[-1].done - ordered[-1].sent) < ordered[-1].wait_ms
    assert sum_up(4, 1.0, shots).late >= 0.5


def test_failures_are_counted_by_status_and_never_waited_for() -> None:
    with slow_server(0.0, refuse_after=3) as url:
        levels = run_load(url, Plan((10.0, 20.0), 1.0, seed=None, connections=1), ["q"])
    assert [level.statuses for level in levels] == [{"200": 3, "503": 7}]  # most failed: no second level
    assert levels[0].failed == pytest.approx(0.7)
    assert knee(levels) is None
    nobody = run_load(url, Plan((5.0,), 1.0, seed=None), ["q"])
    assert nobody[0].statuses == {"none": 5}
    assert nobody[0].waits_ms == {}


@pytest.mark.parametrize(
    ("reply", "status", "asked"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", 0, 1),  # cut short: not asked again, it may have counted
        (b"", 0, 1),
        (b"SMTP what\r\n\r\n", 0, 1),
        (b"HTTP/1.1 503 No\r\nRETRY-AFTER: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 503, 1),
    ],
)
def test_a_reply_counts_only_when_it_is_whole(reply: bytes, status: int, asked: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = []

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                taken.append(connection.recv(65_536))
                connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        (shot,) = fire(f"http://127.0.0.1:{listener.getsockname()[1]}", [0.0], ["q"], {}, connections=1)
        thread.join(5)
    assert (shot.status, shot.retry_after, len(taken)) == (status, "7" if status == 503 else "", asked)


def test_nothing_is_left_to_the_collector_that_is_switched_off() -> None:
    gc.collect()
    with slow_server(0.0) as url:
        fire(url, [0.0] * 50, ["q"], {}, connections=1)
        left = [one for one in gc.get_objects() if type(one).__name__ == "_Reply"]
    assert not left


def test_times_are_drawn_beforehand_and_repeat() -> None:
    assert send_times(4, 1, None) == [0.0, 0.25, 0.5, 0.75]
    drawn = send_times(50, 20, 7)
    assert drawn == send_times(50, 20, 7) != send_times(50, 20, 8)
    assert drawn == sorted(drawn)
    assert 0 < drawn[0] <= drawn[-1] < 20
    assert 900 < len(drawn) < 1100  # 1,000 expected, three deviations are 95
    gaps = [later - earlier for earlier, later in pairwise(drawn)]
    longer = sum(gap > 1 / 50 for gap in gaps) / len(gaps)
    assert longer == pytest.approx(0.368, abs=0.05)  # of exponential gaps, one in e is longer than the mean


def level(offered: float, answered: float, p95: float, failed: int = 0) -> Level:
    statuses = {"200": 100 - failed} | ({"500": failed} if failed else {})
    waits = {"p50": p95 / 2, "p95": p95, "p99": 2 * p95}
    return Level(offered, 100, 100 / offered, answered, waits, statuses, 0.0)


def test_the_knee_is_the_last_load_that_is_carried() -> None:
    fine = [level(1, 1, 30), level(5, 5, 40), level(10, 9.8, 60)]
    assert knee(fine) == 10
    assert knee([*fine, level(20, 15, 100)]) == 10  # falls behind
    assert knee([*fine, level(20, 20, 151)]) == 10  # slowed down more than five times
    assert knee([*fine, level(20, 20, 150), level(40, 40, 90, failed=2)]) == 20
    assert knee([level(1, 1, 30), level(5, 3, 40), level(10, 10, 30)]) == 1
    assert knee([]) is None
    # Six questions in five seconds, the last of them just before the end: its reply comes after it.
    assert knee([Level(1, 6, 5.0, 1.1, {"p50": 360, "p95": 480, "p99": 490}, {"200": 6}, 0.0)]) == 1


def test_a_level_is_summed_up_from_the_intended_times() -> None:
    shots = [Shot(0.0, 0.0, 0.1, 200), Shot(1.0, 1.5, 1.9, 200), Shot(1.5, 1.5, 1.6, 429)]
    found = sum_up(2, 2.0, shots, 80.0)
    assert found.statuses == {"200": 2, "429": 1}
    assert found.waits_ms["p50"] == pytest.approx(500)
    assert (found.sent, found.answered, found.memory_mb) == (3, 1.0, 80.0)
    assert found.late == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("rates", "seconds"), [((), 1.0), ((0.0,), 1.0), ((5.0, 2.0), 1.0), ((1.0,), 0.0), ((1000.0,), 60.0), ((1.0,), 1e6)]
)
def test_a_plan_is_bounded(rates: tuple[float, ...], seconds: float) -> None:
    with pytest.raises(LoadError):
        Plan(rates, seconds)


def test_other_machines_are_left_alone_unless_told_otherwise() -> None:
    for own in ("http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"):
        check_address(own, anywhere=False)
    for other in ("http://192.0.2.1", "https://example.org"):
        with pytest.raises(LoadError, match="--anywhere"):
            check_address(other, anywhere=False)
        check_address(other, anywhere=True)
    with pytest.raises(LoadError, match="no address"):
        check_address("127.0.0.1:8000", anywhere=True)


def test_memory_is_read_where_the_system_shows_it() -> None:
    import os

    own = memory_mb(os.getpid())
    assert own is None or 10 < own < 100_000
    assert memory_mb(2**22 + 1) is None


def test_the_command_writes_figures_and_a_drawing(tmp_path: Path) -> None:
    with slow_server(0.0) as url:
        arguments = ["load", "--url", url, "--rates", "5,10", "--seconds", "1", "--even", "--out", str(tmp_path)]
        result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert "questions a second" in result.output
    body = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    assert [row["sent"] for row in body["levels"]] == [5, 10]
    drawing = ET.fromstring((tmp_path / "load.svg").read_text(encoding="utf-8"))  # noqa: S314 - our own drawing
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    refused = CliRunner().invoke(cli.app, ["load", "--url", "http://192.0.2.1", "--out", str(tmp_path)])
    assert refused.exit_code == 1
    assert CliRunner().invoke(cli.app, ["load", "--rates", "fast"]).exit_code == 2
