from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.settings import Settings
from service.storage.counters import DAY, Limit, open_counters
from service.storage.database import open_database
from service.storage.widget import current_signing_key, find_signing_key, is_paused

Run = Callable[..., Result]
SITE = "https://clinic.example"


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, widget_origins=(SITE,), widget_daily=10, widget_daily_total=20)


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("service.settings.load_settings", lambda: settings)
    return lambda *arguments: CliRunner().invoke(app, ["widget", *arguments])


def test_pausing_and_resuming(run: Run, settings: Settings) -> None:
    database = open_database(settings.database)
    for command, paused in (("pause", True), ("pause", True), ("resume", False)):
        assert run(command).exit_code == 0
        assert is_paused(database) is paused


def test_status_tells_the_switch_and_what_was_used(run: Run, settings: Settings) -> None:
    counters = open_counters(settings.counters)
    for _ in range(3):
        counters.use([Limit(f"day:{SITE}", 10, DAY), Limit("day:*", 20, DAY)])
    assert run("status").stdout == f"answering\n{SITE}  3 of 10 questions today\nall  3 of 20 questions today\n"
    run("pause")
    assert run("status").stdout.startswith("paused\n")


def test_rotating_ends_the_keys_that_signed(run: Run, settings: Settings) -> None:
    database = open_database(settings.database)
    before = current_signing_key(database)
    assert find_signing_key(database, before.id) == before
    assert run("rotate").exit_code == 0
    assert find_signing_key(database, before.id) is None
    assert current_signing_key(database).id != before.id
