"""``backline migrate`` and ``backline work``: what is refused before anything is touched."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.cli.moving import _to_do
from service.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BACKLINE_HOME", str(tmp_path / "home"))
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("mysql://db/x",), "the target is postgresql://"),
        (("home",), "the database that is in use"),
        (("postgresql://db/x", "--milvus", "milvus:19530"), "http://host:19530"),
    ],
)
def test_a_wrong_target_is_told(given: tuple[str, ...], said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["migrate", *given])
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "home").exists()


def test_a_milvus_needs_a_shared_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKLINE_DATABASE_URL", "postgresql://db.internal/backline")
    load_settings.cache_clear()
    result = CliRunner().invoke(app, ["migrate", "home", "--milvus", "http://milvus.internal:19530"])
    assert (result.exit_code, "at home everything is searched" in result.stderr) == (2, True)


def test_what_has_to_be_set_and_unset_is_said(tmp_path: Path) -> None:
    postgresql, milvus = {"database_url": "postgresql://db/x"}, {"engine": "milvus", "milvus_uri": "http://m:19530"}
    home, on_postgresql, on_milvus = (
        Settings.model_validate({"home": tmp_path, **some}) for some in ({}, postgresql, {**postgresql, **milvus})
    )
    assert _to_do(home, on_postgresql) == "set BACKLINE_DATABASE_URL"
    assert _to_do(on_milvus, on_postgresql) == "set BACKLINE_DATABASE_URL, unset BACKLINE_ENGINE"
    assert "BACKLINE_ENGINE=milvus" in _to_do(home, on_milvus)
    assert "and BACKLINE_ENGINE" in _to_do(on_milvus, home)


def test_there_is_nothing_to_work_at_without_a_milvus() -> None:
    result = CliRunner().invoke(app, ["work"])
    assert (result.exit_code, "BACKLINE_ENGINE=milvus" in result.stderr) == (2, True)
