import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from service.storage.locking import AdvisoryLock, lock_for, wait_for


def test_one_holds_it_until_it_gives_it_back(engine: Engine, tmp_path: Path) -> None:
    one, other = (lock_for(engine, tmp_path / ".build.lock") for _ in range(2))
    assert (one.take(), one.take(), one.held()) == (True, True, True)
    assert (other.take(), other.held()) == (False, False)
    one.release()
    assert not one.held()
    assert other.take()
    other.release()


def test_locks_of_other_names_do_not_meet(engine: Engine, tmp_path: Path) -> None:
    one, other = (lock_for(engine, tmp_path / name) for name in (".a.lock", ".b.lock"))
    assert (one.take(), other.take()) == (True, True)
    one.release()
    other.release()


def test_who_is_told_to_stop_waits_no_longer(engine: Engine, tmp_path: Path) -> None:
    one, other = (lock_for(engine, tmp_path / ".build.lock") for _ in range(2))
    assert one.take()
    stopped = threading.Event()
    threading.Timer(0.1, stopped.set).start()
    assert not wait_for(other, stopped, 0.02)
    threading.Timer(0.1, one.release).start()
    assert wait_for(other, threading.Event(), 0.02)
    other.release()


@pytest.mark.needs("postgresql")
def test_a_connection_that_broke_has_lost_the_lock_and_another_gets_it(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.storage.locking._LOOK_SECONDS", 0.0)
    engine = create_engine(postgresql.replace("postgresql://", "postgresql+psycopg://"))
    one, other = AdvisoryLock(engine, "x"), AdvisoryLock(engine, "x")
    assert one.take()
    assert one.held()
    with engine.connect() as connection:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        assert connection.execute(text(kill)).scalar()
    assert not one.held()
    assert other.take()
    assert not one.take()
    other.release()
    engine.dispose()
