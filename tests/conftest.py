"""What every test shares: closed sockets, and tests that need a system package."""

import os
import shutil

import pytest

_PROGRAMS = {"chromium": ("chromium",), "nodejs": ("node",), "npm": ("npm",)}
_NOT_RUN = pytest.StashKey[dict[str, int]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_NOT_RUN] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests whose package is missing, and remember how many; with SYSTEM=1 they fail instead."""
    for item in items:
        marker = item.get_closest_marker("needs")
        for package in marker.args if marker else ():
            if all(shutil.which(program) for program in _PROGRAMS[package]):
                continue
            counts = config.stash[_NOT_RUN]
            counts[package] = counts.get(package, 0) + 1
            if os.environ.get("SYSTEM") != "1":
                item.add_marker(pytest.mark.skip(reason=f"the Debian package {package} is missing"))


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
