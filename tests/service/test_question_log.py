"""Questions are logged for whoever wants it, without identifiers, and go in time."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.question_log import QuestionLog, delete_older
from service.settings import Settings
from service.triage.screening import load_rules
from tests.service.http.serving import open_service

PLANTED = ("zebra.quokka@example.org", "+44 20 7946 0958", "bl_ABCDEFGHIJKLMNOP123456")


def lines(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_nothing_is_logged_unless_it_is_asked_for(home: Path) -> None:
    service = open_service(home, load_rules())
    with service.client as client:
        assert client.post("/v1/ask", json={"question": "How long does a back spasm last?"}).status_code == 200
    assert not service.desk.settings.question_log.exists()


@pytest.mark.drill("R22")
def test_what_is_logged_has_no_identifiers(home: Path) -> None:
    service = open_service(home, load_rules(), log_questions=7)
    question = f"How long does a back spasm last? Write to {PLANTED[0]}, call {PLANTED[1]}, my key is {PLANTED[2]}."
    with service.client as client:
        assert client.post("/v1/ask", json={"question": question}).status_code == 200
        body = {"messages": [{"role": "user", "content": "I cannot feel my legs and my back hurts"}]}
        assert client.post("/v1/chat/completions", json=body).status_code == 200
    folder = service.desk.settings.question_log
    first, second = lines(folder)
    assert first["question"].startswith("How long does a back spasm last? Write to [e-mail], call [number]")
    assert second["level"] == "emergency"
    (file,) = folder.iterdir()
    assert all(word not in file.read_text() for word in PLANTED)
    assert file.stat().st_mode & 0o077 == 0


def test_files_go_with_their_time(tmp_path: Path) -> None:
    for day in ("2026-01-01", "2026-01-07", "2026-01-08", "notes"):
        (tmp_path / f"{day}.jsonl").write_text("{}\n")
    assert delete_older(tmp_path, 7, date(2026, 1, 15)) == 2
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["2026-01-08", "notes"]
    QuestionLog(tmp_path, 0).start()
    assert [path.stem for path in tmp_path.iterdir()] == ["notes"]


def test_a_question_that_cannot_be_written_costs_nobody_anything(tmp_path: Path) -> None:
    (tmp_path / "questions").write_text("a file where the folder should be")
    QuestionLog(tmp_path / "questions", 7).write("Why?", "answered", None)
    assert (tmp_path / "questions").is_file()


def test_an_operator_deletes_by_age(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=home)
    settings.question_log.mkdir(parents=True)
    (settings.question_log / "2020-01-01.jsonl").write_text("{}\n")
    monkeypatch.setattr("service.settings.load_settings", lambda: settings)
    done = CliRunner().invoke(app, ["questions", "delete", "--older-than", "30"])
    assert (done.exit_code, done.stdout) == (0, "1 days of questions are deleted\n")
    assert list(settings.question_log.iterdir()) == []
