"""R7: told to stop under load, the service says so first and loses nothing that it accepted."""

import json
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.end_to_end.conftest import BACKLINE, environment

BODY = json.dumps({"question": "How long does a back spasm last?"}).encode()


def ask(address: str) -> int:
    request = urllib.request.Request(f"{address}/v1/ask", BODY, {"content-type": "application/json"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - loopback
        json.loads(response.read())
        return int(response.status)


def ready(address: str) -> int:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as response:  # noqa: S310 - loopback
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Askers:
    """Four clients that ask until the service says that it stops, as behind a proxy; what was lost is noted."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.answered = 0
        self.lost: list[str] = []
        self.sent_elsewhere = threading.Event()
        self.threads = [threading.Thread(target=self.keep_asking) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def keep_asking(self) -> None:
        deadline = time.monotonic() + 60
        while not self.sent_elsewhere.is_set() and time.monotonic() < deadline:
            try:
                assert ask(self.address) == 200
                self.answered += 1
            except OSError as error:
                self.lost.append(repr(error))
                return


def start(home: Path) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [BACKLINE, "serve", "--port", str(port)],
        env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while ready(address) != 200:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return process, address


@pytest.mark.drill("R7", day=3, night=50)
def test_sigterm_under_load(home: Path) -> None:
    process, address = start(home)
    try:
        askers = Askers(address)
        while askers.answered < 8:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        while ready(address) == 200:
            assert time.monotonic() - begin < 15
        assert ready(address) == 503
        askers.sent_elsewhere.set()
        assert process.wait(timeout=15) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
        assert time.monotonic() - begin <= 15
        for thread in askers.threads:
            thread.join(timeout=60)
        assert askers.lost == []
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
