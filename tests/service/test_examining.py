"""What ``backline doctor`` finds, and what it says to do."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.examining import Finding, examine
from service.settings import Settings
from service.storage.database import open_database
from service.storage.keys import create_key


def find(home: Path, what: str, **settings: Any) -> Finding:
    """Return one finding on a home."""
    found = {finding.what: finding for finding in examine(Settings(home=home, **{"port": 1024, **settings}))}
    return found[what]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which something listens that is not Backline."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


def test_nobody_can_ask_a_public_service_without_a_key(home: Path) -> None:
    assert find(home, "keys").ok
    missing = find(home, "keys", host="192.0.2.7")
    assert not missing.ok
    assert "backline keys create" in missing.says
    create_key(open_database(Settings(home=home).database), "desk", ["ask"])
    assert find(home, "keys", hosts="ask.example") == Finding(ok=True, what="keys", says="1 work")


def test_a_key_that_ends_soon_is_named(home: Path) -> None:
    _, key = create_key(open_database(Settings(home=home).database), "desk", ["ask"], lifetime=timedelta(days=3))
    assert key.id in find(home, "keys").says


def test_a_port_that_another_program_has_is_a_fault(home: Path, taken: int) -> None:
    found = find(home, "port", port=taken)
    assert not found.ok
    assert "BACKLINE_PORT" in found.says


def test_an_address_that_is_not_ours_is_a_fault(home: Path) -> None:
    found = find(home, "port", host="192.0.2.7")
    assert not found.ok
    assert "BACKLINE_HOST" in found.says


def test_a_home_without_an_index_is_told_what_to_do(home: Path) -> None:
    found = find(home, "index")
    assert not found.ok
    assert "backline index" in found.says
    assert "backline index" in find(home, "exported model").says


def test_a_damaged_database_is_a_fault(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "backline.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 8_000)
    found = find(home, "database")
    assert not found.ok
    assert "backup" in found.says


def test_what_the_settings_send_out_is_named(home: Path) -> None:
    assert find(home, "leaves this machine").says.startswith("nothing")
    assert "BACKLINE_TRACES_URL" in find(home, "leaves this machine", traces_url="http://127.0.0.1:4318/v1/traces").says
