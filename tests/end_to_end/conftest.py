"""The real model, the real index, the real server on loopback."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.drilling import rounds

BACKLINE = str(Path(sys.executable).with_name("backline"))
START_SECONDS = rounds(120, 600)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "BACKLINE_HOME": str(home), "HOME": str(home.parent)}


def run(home: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [BACKLINE, *arguments],
        env={**environment(home), **extra},
        capture_output=True,
        text=True,
        timeout=rounds(300, 1_800),
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def home(warm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the shipped corpus's index."""
    return shutil.copytree(warm, tmp_path_factory.mktemp("user") / "var")


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start_serving(home: Path, *options: str, **extra: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a home on a free port until the block ends; keywords are further variables of its environment."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = home.parent / f"serve-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [BACKLINE, "serve", "--port", str(port), *options],
            env={**environment(home), **extra}, stdout=output, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{address}/readyz", timeout=2):  # noqa: S310 - our own loopback address
                    break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    pytest.fail(f"the service did not start: {log.read_text()}")
                time.sleep(0.2)
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def serving(home: Path, **extra: str) -> Iterator[str]:
    """Serve a home on a free port until the block ends, and yield its address."""
    with start_serving(home, **extra) as (address, _process):
        yield address


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[str]:
    """The address of a running service."""
    with serving(home) as address:
        yield address
