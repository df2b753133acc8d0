from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.settings import Settings
from service.storage.collections import load_collection, note_fetched
from service.storage.database import open_database

Run = Callable[..., Result]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("service.settings.load_settings", lambda: Settings(home=home))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["collections", *arguments])

    return invoke


def test_what_is_said_of_a_collection_is_listed(run: Run) -> None:
    said = ("--scope", "I know our beds.", "--question", "How firm is it?", "--disclaimer", "No promise.")
    assert run("set", "beds", *said).exit_code == 0
    assert run("list").stdout.splitlines() == [
        "beds  0 documents  may be published",
        "    about: I know our beds.",
        "    for example: How firm is it?",
        "    disclaimer: No promise.",
        "default  0 documents  may be published",
    ]
    assert run("set", "beds").exit_code == 2
    refused = run("set", "default", "--scope", "Mine.")
    assert refused.exit_code == 2
    assert "the shipped collection describes itself" in refused.stderr


def test_a_licence_is_confirmed_where_pages_were_fetched_and_nowhere_else(run: Run, home: Path) -> None:
    engine = open_database(Settings(home=home).database)
    note_fetched(engine, "pages")
    assert "pages  0 documents  this machine only: its licence is not confirmed" in run("list").stdout
    refused = run("confirm-licence", "pagse")
    assert refused.exit_code == 2
    assert "nothing was fetched" in refused.stderr
    assert run("confirm-licence", "pages").exit_code == 0
    assert load_collection(engine, "pages").publishable
