import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select

from service.cli import main
from service.settings import Settings
from service.storage import migrating
from service.storage.answers import load_answers
from service.storage.database import metadata, open_database
from service.storage.documents import load_document, withdrawn_versions
from service.storage.feedback import load_feedback
from service.storage.keys import list_keys
from service.storage.migrating import SCHEMA, NewerDatabaseError, bring_up_to_date

AS_IT_WAS = Path(__file__).parent / "data" / "version-1.sql"
"""A database with a row in every table, as the last version without steps wrote it."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "backline.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(AS_IT_WAS.read_text())
    return path


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [line for line in connection.iterdump() if "alembic_version" not in line]


def test_a_database_from_before_the_steps_is_brought_up_to_date_in_place(old: Path) -> None:
    engine = open_database(old)
    document = load_document(engine, "doc_1")
    assert document is not None
    assert document.text == "We open at nine."
    assert withdrawn_versions(engine) == {("doc_0", "sha256:cd")}
    assert [(answer.id, answer.question) for answer in load_answers(engine, "")] == [("ans_1", "When?")]
    assert [(given.reason, given.text) for given, _ in load_feedback(engine, "")] == [("wrong", "Ten!")]
    assert [(key.id, key.rate) for key in list_keys(engine)] == [("key_1", 60)]
    with engine.connect() as connection:
        known = [table for table in metadata.sorted_tables if f"CREATE TABLE {table.name} " in AS_IT_WAS.read_text()]
        assert len(known) == 12
        for table in known:
            assert len(connection.execute(select(table)).all()) >= 1, table.name


def test_the_schema_after_the_last_step_is_the_one_that_the_code_speaks_of(old: Path, tmp_path: Path) -> None:
    for path in (old, tmp_path / "new.sqlite"):
        with open_database(path).connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_step_is_named_in_one_place() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA]


def test_a_newer_database_is_refused_by_name_and_left_alone(old: Path) -> None:
    open_database(old).dispose()
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9001'")
    before = dump(old)
    with pytest.raises(NewerDatabaseError, match=f"schema 9001, and this version of Backline knows .* {SCHEMA}"):
        open_database(old)
    assert dump(old) == before


def test_a_step_that_fails_leaves_the_database_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("DROP INDEX ix_outbox_state")  # the step will make it again,
        connection.execute("DROP TABLE marks")  # make this one,
        connection.execute("CREATE INDEX marks ON keys (name)")  # and fall over the name
    before = dump(old)
    with pytest.raises(Exception, match="marks"):
        open_database(old)
    assert dump(old) == before
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchall() == []


def test_what_is_up_to_date_is_not_written(tmp_path: Path) -> None:
    open_database(tmp_path / "b.sqlite").dispose()
    engine = create_engine(f"sqlite:///file:{tmp_path / 'b.sqlite'}?mode=ro&uri=true")
    bring_up_to_date(engine)  # a read-only file would refuse
    assert inspect(engine).has_table("alembic_version")


def test_processes_that_start_together_take_the_steps_once(old: Path) -> None:
    code = "import sys, pathlib; from service.storage.database import open_database; open_database(pathlib.Path(sys.argv[1]))"
    starts = [subprocess.Popen([sys.executable, "-c", code, old], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for start in starts:
        _, said = start.communicate(timeout=120)
        assert (start.returncode, said) == (0, "")
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(SCHEMA,)]


def test_a_command_says_in_one_line_that_the_database_is_newer(
    old: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_database(old).dispose()
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9001'")
    monkeypatch.setattr("service.settings.load_settings", lambda: Settings(home=old.parent))
    monkeypatch.setattr(sys, "argv", ["backline", "keys", "list"])
    with pytest.raises(SystemExit, match="1"):
        main()
    said = capsys.readouterr().err
    assert said.startswith("backline: the database has schema 9001")
    assert said.count("\n") == 1


@pytest.mark.needs("postgresql")
def test_postgresql_gets_the_same_schema_once_from_several_that_start_together(postgresql: str) -> None:
    code = "import sys; from service.storage.database import open_database; open_database(sys.argv[1])"
    starts = [
        subprocess.Popen([sys.executable, "-c", code, postgresql], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for start in starts:
        _, said = start.communicate(timeout=120)
        assert (start.returncode, said) == (0, "")
    engine = open_database(postgresql)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [(SCHEMA,)]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
