from pathlib import Path

import pytest
from pydantic import ValidationError

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


def test_sites_are_written_as_browsers_send_them() -> None:
    settings = Settings(widget_origins="https://Clinic.example:443 http://127.0.0.1:8080 http://gym.example:80")  # type: ignore[arg-type] # as the environment gives it
    assert settings.widget_origins == ("https://clinic.example", "http://127.0.0.1:8080", "http://gym.example")


@pytest.mark.parametrize(
    "wrong",
    ["*", "clinic.example", "https://*.clinic.example", "https://clinic.example/", "null", "file://x", "https://"],
)
def test_what_is_no_site_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="https://name"):
        Settings(widget_origins=wrong)  # type: ignore[arg-type] # as the environment gives it


@pytest.mark.parametrize(
    "wrong", ["*", "https://ask.example", "ask.example:8000", "ab.de:80", "ask.example/x", "*.example"]
)
def test_what_is_no_host_name_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="without scheme"):
        Settings(hosts=wrong)  # type: ignore[arg-type] # as the environment gives it


def test_host_names_are_taken_in_any_case() -> None:
    assert Settings(hosts="Ask.Example [::2] 10.0.0.5").hosts == ("ask.example", "::2", "10.0.0.5")  # type: ignore[arg-type] # as the environment gives it


SECRET = f"whsec_{'c2VjcmV0' * 4}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"handoff_url": "https://desk.example.org/"}, "set BACKLINE_HANDOFF_SECRET too"),
        ({"handoff_secret": "quokka", "handoff_url": "https://desk.example.org/"}, "at least 24 bytes"),
        ({"handoff_secret": SECRET, "handoff_url": "http://desk.example.org/"}, "use https"),
        ({"handoff_secret": SECRET, "handoff_url": "https://10.0.0.7/"}, "BACKLINE_HANDOFF_ALLOW"),
        ({"handoff_secret": SECRET, "handoff_url": "ftp://desk.example.org/"}, "BACKLINE_HANDOFF_ALLOW"),
    ],
)
def test_a_hand_over_that_cannot_work_is_told_at_the_start(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate(given)


def test_a_machine_inside_is_handed_over_to_when_it_is_allowed() -> None:
    given = {
        "handoff_secret": f"{SECRET} {SECRET}",
        "handoff_allow": "10.0.0.7:8080",
        "handoff_url": "http://10.0.0.7:8080/h",
    }
    settings = Settings.model_validate(given)
    assert len(settings.handoff_secrets.split()) == 2
    assert SECRET not in repr(settings)


def test_a_shared_database_takes_the_place_of_the_file_and_its_password_is_not_printed() -> None:
    address = "postgresql://backline:tr0ub4dor@db.internal/backline"
    settings = Settings.model_validate({"database_url": address})
    assert settings.database == address
    assert "tr0ub4dor" not in repr(settings)
    with pytest.raises(ValidationError, match="postgresql://user"):
        Settings.model_validate({"database_url": "mysql://x"})


def test_a_milvus_is_named_with_its_address() -> None:
    settings = Settings(engine="milvus", milvus_uri="http://milvus.internal:19530")
    assert settings.engine == "milvus"
    assert Settings().engine == "embedded"
    with pytest.raises(ValidationError, match="needs the address"):
        Settings(engine="milvus")
    with pytest.raises(ValidationError, match="http://host:19530"):
        Settings(milvus_uri="milvus:19530")
