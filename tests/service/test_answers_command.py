from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.settings import Settings
from service.storage.answers import StoredAnswer, load_answers, moment, store_answers
from service.storage.database import open_database

Run = Callable[..., Result]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("service.settings.load_settings", lambda: Settings(home=home))
    return lambda *arguments: CliRunner().invoke(app, ["answers", *arguments])


def store(home: Path) -> None:
    rows = [("a", "one", 0), ("b", "one", 12), ("c", "two", 12), ("d", "two", 30)]
    given = [StoredAnswer(f"ans_{n}", "key_1", f"conv_{c}", "default", "?", "{}", moment(days)) for n, c, days in rows]
    store_answers(open_database(Settings(home=home).database), given)


def left(home: Path) -> list[str]:
    return [answer.id for answer in load_answers(open_database(Settings(home=home).database), "")]


@pytest.mark.parametrize(
    ("arguments", "said", "kept"),
    [
        (("--conversation", "conv_one"), "2 answers are deleted", ["ans_c", "ans_d"]),
        (("--older-than", "20"), "1 answers are deleted", ["ans_a", "ans_b", "ans_c"]),
        (("--older-than", "0"), "4 answers are deleted", []),
        (("--conversation", "conv_none"), "0 answers are deleted", ["ans_a", "ans_b", "ans_c", "ans_d"]),
    ],
)
def test_answers_are_deleted(run: Run, home: Path, arguments: tuple[str, str], said: str, kept: list[str]) -> None:
    store(home)
    result = run("delete", *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == said
    assert left(home) == kept


@pytest.mark.parametrize("arguments", [(), ("--conversation", "c", "--older-than", "3")])
def test_one_choice_is_needed(run: Run, home: Path, arguments: tuple[str, ...]) -> None:
    store(home)
    assert run("delete", *arguments).exit_code == 2
    assert len(left(home)) == 4
