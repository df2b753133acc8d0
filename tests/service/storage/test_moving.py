import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, select, text

from service.storage.answers import StoredAnswer, load_answers, store_answers
from service.storage.database import Place, metadata, open_database
from service.storage.moving import MoveError, copy_database
from tests.service.storage.test_migrating import AS_IT_WAS


@pytest.fixture
def full(tmp_path: Path) -> Engine:
    """A file with a row in every table of the first version."""
    path = tmp_path / "full" / "backline.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(AS_IT_WAS.read_text())
    return open_database(path)


def content(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table)).all()))
            for table in metadata.sorted_tables
            if table.name != "publication"
        }


@pytest.mark.needs("postgresql")
def test_everything_goes_to_postgresql_and_back_unchanged(full: Engine, postgresql: str, tmp_path: Path) -> None:
    many = [
        StoredAnswer(f"ans_m{n}", "a", "c", "d", f"Wie? 🙂 {n}", "{}", "2026-11-04T08:00:00Z") for n in range(1_203)
    ]
    store_answers(full, many)
    server, back = open_database(postgresql), open_database(tmp_path / "back" / "backline.sqlite")
    counts = copy_database(full, server)
    assert (counts["answers"], counts["keys"], counts["outbox"]) == (1_204, 1, 1)
    assert content(server) == content(full)
    copy_database(server, back)
    assert content(back) == content(full)
    for engine in (server, back):
        newer = StoredAnswer("ans_new", "a", "c", "d", "Next?", "{}", "2026-11-05T08:00:00Z")
        store_answers(engine, [newer])
        assert [answer.id for answer in load_answers(engine, "")][-1] == "ans_new"
        engine.dispose()


def test_what_is_not_empty_is_not_filled(full: Engine, engine: Engine) -> None:
    store_answers(engine, [StoredAnswer("ans_x", "a", "c", "d", "?", "{}", "2026-11-04T08:00:00Z")])
    before = content(engine)
    with pytest.raises(MoveError, match="answers has rows"):
        copy_database(full, engine)
    assert content(engine) == before


def test_what_arrives_changed_is_not_kept(full: Engine, tmp_path: Path) -> None:
    place: Place = tmp_path / "target.sqlite"
    target = open_database(place)
    with target.begin() as connection:
        connection.execute(text("CREATE TRIGGER spoil AFTER INSERT ON keys BEGIN UPDATE keys SET name = 'other'; END"))
    with pytest.raises(MoveError, match="keys arrived changed"):
        copy_database(full, target)
    assert not any(content(create_engine(f"sqlite:///{place}")).values())
