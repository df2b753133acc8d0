from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.settings import Settings
from service.storage.database import open_database
from service.storage.keys import find_key

Run = Callable[..., Result]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("service.settings.load_settings", lambda: Settings(home=home))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["keys", *arguments])

    return invoke


def test_a_key_is_shown_once_and_listed_without_its_secret(run: Run, home: Path) -> None:
    made = run("create", "front desk", "--scope", "ingest", "--scope", "ask", "--collection", "clinic", "--days", "90")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    key = find_key(open_database(Settings(home=home).database), secret)
    assert key is not None
    assert key.scopes == {"ingest", "ask"}
    assert key.collections == frozenset({"clinic"})
    assert key.name == "front desk"
    assert key.expires is not None
    listed = run("list").stdout
    assert listed == f"{key.id}  works    ask,ingest  clinic  until {key.expires.date()}  front desk\n"


def test_a_revoked_key_is_listed_as_such(run: Run, home: Path) -> None:
    secret = run("create", "desk", "--scope", "ingest").stdout.strip()
    key = find_key(open_database(Settings(home=home).database), secret)
    assert key is not None
    assert run("revoke", key.id).exit_code == 0
    assert "revoked" in run("list").stdout
    again = run("revoke", key.id)
    assert again.exit_code == 1
    assert key.id in again.stderr


def test_an_unknown_scope_names_the_known_ones(run: Run) -> None:
    made = run("create", "desk", "--scope", "everything")
    assert made.exit_code == 2
    assert "ask, search, ingest, feedback, admin, eval" in made.stderr
    assert made.stdout == ""
