"""What every test shares: closed sockets, and tests that need a system package."""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drilling import DRILLS, NIGHT, Reporter, drills_of, rounds
from tests.homes import build_once
from tests.servers import open_milvus_lite, open_postgresql, open_redis, open_s3

NODE_MODULES = Path(__file__).parent / "node_modules"
"""What ``tests/package-lock.json`` names; ``make test`` installs it with npm."""

_PROGRAMS = {
    "chromium": ("chromium",),
    "curl": ("curl",),
    "gettext-base": ("envsubst",),
    "iproute2": ("ip", "unshare"),
    "nginx-light": ("/usr/sbin/nginx",),
    "nodejs": ("node",),
    "npm": ("npm",),
    "openssl": ("openssl",),
    "postgresql": ("pg_lsclusters",),
    "redis-server": ("redis-server",),
    "request-tracker5": ("rt-setup-database-5", "/usr/share/request-tracker5/libexec/rt-server"),
    "systemd": ("systemd-analyze",),
}
_NOT_RUN = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--drills", help="run the tests of these drills alone ('R6 R7', or 'all') and report them")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_NOT_RUN] = {}
    wanted = (config.getoption("--drills") or "").split()
    if wanted:
        config.pluginmanager.register(Reporter(DRILLS if wanted == ["all"] else wanted), "drills")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not asked for; skip tests whose package is missing, and remember how many."""
    wanted = (config.getoption("--drills") or "").split()
    chosen = [item for item in items if _is_wanted(item, wanted)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen
    for item in items:
        marker = item.get_closest_marker("needs")
        for package in marker.args if marker else ():
            missing = _missing(package)
            if not missing:
                continue
            counts = config.stash[_NOT_RUN]
            counts[missing] = counts.get(missing, 0) + 1
            if os.environ.get("SYSTEM") != "1":
                item.add_marker(pytest.mark.skip(reason=f"missing: {missing}"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat a test as often as its drill's mark says, by day or by night."""
    for marker in metafunc.definition.iter_markers("drill"):
        count = rounds(marker.kwargs.get("day", 1), marker.kwargs.get("night", 1))
        if count > 1:
            metafunc.fixturenames.append("drill_round")
            metafunc.parametrize("drill_round", range(count))


def _is_wanted(item: pytest.Item, drills: list[str]) -> bool:
    """Whether a test runs: by day all but those of the night, with ``--drills`` those of the drills."""
    if item.get_closest_marker("night") and not NIGHT:
        return False
    mine = drills_of(item)
    return not drills or bool(set(drills) & {*mine} or (drills == ["all"] and mine))


def _missing(package: str) -> str:
    """Name what a test lacks, or return ""."""
    if not all(shutil.which(program) for program in _PROGRAMS[package]):
        return f"the Debian package {package}"
    if package == "npm" and not NODE_MODULES.is_dir():
        return "tests/node_modules (make test installs it)"
    return ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for package, count in config.stash[_NOT_RUN].items():
        terminalreporter.write_sep("!", f"NOT RUN: {count} tests need {package}", red=True, bold=True)
        terminalreporter.write_line("SYSTEM=1 make test installs it with apt-get and runs them.")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that claims the whole system may not leave a test out."""
    if os.environ.get("SYSTEM") == "1" and session.config.stash[_NOT_RUN]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave the machine."""
    import socket

    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple):
            host = str(address[0])
            if not (host.startswith("127.") or host in {"::1", "localhost"}):
                pytest.fail(f"a test tried to reach {host}")
        real(self, address)  # type: ignore[arg-type] # any family's address goes through

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the shipped corpus's index, shared by all processes of the run: take a copy to change it."""
    return build_once(tmp_path_factory)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL, without a database's name."""
    with open_postgresql() as address:
        yield address


@pytest.fixture
def postgresql(postgresql_server: str) -> str:
    """The address of a new, empty database."""
    import psycopg

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload, unused-ignore] # a name of our own
    return f"{postgresql_server}/{name}"


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a Redis."""
    with open_redis() as address:
        yield address


@pytest.fixture(scope="session")
def milvus_server() -> Iterator[str]:
    """The address of a Milvus."""
    with open_milvus_lite() as address:
        yield address


@pytest.fixture(scope="session")
def s3_server() -> Iterator[dict[str, str]]:
    """The variables that lead to a store that speaks S3."""
    with open_s3() as variables:
        yield variables


@pytest.fixture(params=["folder", "s3"])
def store_address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store of snapshots, of each kind in turn."""
    if request.param == "folder":
        return f"file://{tmp_path / 'shared'}"
    for name, value in request.getfixturevalue("s3_server").items():
        monkeypatch.setenv(name, value)
    return f"s3://snapshots/{secrets.token_hex(6)}"
