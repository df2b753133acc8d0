from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select, update

from service.storage.database import open_database, signing_keys
from service.storage.widget import SigningKey, current_signing_key, find_signing_key


def age(engine: Engine, key: SigningKey, by: timedelta) -> None:
    created = (datetime.now(UTC) - by).isoformat()
    with engine.begin() as connection:
        connection.execute(update(signing_keys).where(signing_keys.c.id == key.id).values(created=created))


def test_a_key_signs_for_a_day_and_verifies_for_two(engine: Engine) -> None:
    first = current_signing_key(engine)
    age(engine, first, timedelta(hours=23))
    assert current_signing_key(engine) == first
    age(engine, first, timedelta(hours=25))
    second = current_signing_key(engine)
    assert second.id != first.id
    assert second.secret != first.secret
    assert len(second.secret) == 32
    assert find_signing_key(engine, first.id) == first
    age(engine, first, timedelta(hours=49))
    assert find_signing_key(engine, first.id) is None
    age(engine, second, timedelta(hours=25))
    current_signing_key(engine)
    with engine.connect() as connection:
        assert first.id not in connection.execute(select(signing_keys.c.id)).scalars().all()


def test_a_signing_key_does_not_print_its_secret(engine: Engine) -> None:
    key = current_signing_key(engine)
    assert key.secret.hex() not in repr(key)
    assert str(key.secret) not in repr(key)


def test_a_database_without_the_newer_columns_gets_them(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "b.sqlite")
    with engine.begin() as connection:
        for newer in ("alembic_version", "document_changes", "publication", "installation", "indexed", "indexing_jobs"):
            connection.exec_driver_sql(f"DROP TABLE {newer}")
        connection.exec_driver_sql("ALTER TABLE keys DROP COLUMN rate")
        connection.exec_driver_sql(
            "INSERT INTO keys (id, name, hash, scopes, created) VALUES ('key_1', 'old', 'h', '[]', '2026-01-01')"
        )
    engine.dispose()
    with open_database(tmp_path / "b.sqlite").connect() as connection:
        assert connection.exec_driver_sql("SELECT id, rate FROM keys").all() == [("key_1", None)]
