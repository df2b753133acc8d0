"""R25: everything works with the loopback interface alone, in a network namespace of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Root keeps all users, which PostgreSQL's tests need; anybody else becomes root of a namespace of one user.
ALONE = (
    *("unshare", "--net", *(() if os.getuid() == 0 else ("--map-root-user",))),
    *("sh", "-c", 'ip link set lo up && exec "$@"', "alone"),
)


def alone(*command: str, seconds: int = 300, **extra: str) -> "subprocess.CompletedProcess[str]":
    """Run a command where there is no other interface than the loopback one."""
    environment = {name: value for name, value in os.environ.items() if name != "NIGHT"}
    return subprocess.run(
        [*ALONE, *command], env={**environment, **extra}, cwd=ROOT, capture_output=True, text=True, timeout=seconds,
        check=False,
    )  # fmt: skip


def need_namespaces() -> None:
    if alone("true", seconds=20).returncode != 0:
        pytest.skip("this machine gives no network namespaces")


@pytest.mark.needs("iproute2")
@pytest.mark.drill("R25")
def test_there_is_no_way_out_and_yet_the_door_the_store_and_the_search_pass_their_tests() -> None:
    need_namespaces()
    out = alone(sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 9), timeout=3)")
    assert "Network is unreachable" in out.stderr
    some = ("tests/index/test_retrieving.py", "tests/service/storage/test_keys.py", "tests/service/http/test_app.py")
    done = alone(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *some)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.night
@pytest.mark.needs("iproute2")
@pytest.mark.drill("R25")
def test_the_whole_suite_passes_there(record_property: Callable[[str, object], None]) -> None:
    need_namespaces()
    options = ("-q", "-n", "3", "--dist", "loadfile", "-p", "no:cacheprovider", "--ignore", __file__)
    done = alone(sys.executable, "-m", "pytest", *options, seconds=7_200)
    record_property("the suite", done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:])
    assert done.returncode == 0, done.stdout[-5000:]
