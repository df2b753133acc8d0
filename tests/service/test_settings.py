from pathlib import Path

import pytest

from service.settings import Settings, environment_text


def test_defaults_stay_on_this_machine() -> None:
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.snapshots == Path("var/snapshots")


def test_the_environment_changes_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BACKLINE_HOME", str(tmp_path))
    monkeypatch.setenv("BACKLINE_EMERGENCY_NUMBERS", "144, 112")
    monkeypatch.setenv("BACKLINE_CRISIS_LINES", "Line one 123, Line two 456")
    settings = Settings()
    assert settings.database == tmp_path / "backline.sqlite"
    assert settings.emergency_numbers == ("144", "112")
    assert settings.crisis_lines == ("Line one 123", "Line two 456")


def test_a_text_comes_out_of_the_environment_as_it_went_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Q", 'it\'s "$HOME" `id`\nnext')
    assert environment_text("Q") == 'it\'s "$HOME" `id`\nnext'
