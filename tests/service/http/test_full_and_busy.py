"""R4 and R5: a database without room, and one that is busy or breaks off, while documents come in."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from service.following import Follower
from service.storage.documents import load_documents
from service.triage.loading import Rules
from service.triage.screening import load_rules
from tests.drilling import rounds
from tests.service.http.serving import Service, open_service
from tests.service.http.test_app import check_problem

TEXT = "Walk a little every day. " * 800
BREAKS = rounds(20, 200)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def service(home: Path, rules: Rules) -> Iterator[Service]:
    opened = open_service(home, rules, keep_answers=0)
    with opened.client:
        yield opened


class Faults:
    """Holds a database to a size, or breaks off what it does; every connection hears of it when it is taken."""

    def __init__(self, service: Service) -> None:
        self.most_pages: int | None = None
        self.break_at = 0
        event.listen(service.database, "checkout", self._taken)
        event.listen(service.database, "before_cursor_execute", self._begun)

    def _taken(self, connection: DBAPIConnection, _record: ConnectionPoolEntry, _proxy: object) -> None:
        raw: Any = connection
        raw.set_progress_handler(None, 1)
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {self.most_pages or 2**30}")
        cursor.close()

    def _begun(self, connection: Connection, *_: object) -> None:
        """Let the database break off inside the statement that is counted down to."""
        self.break_at -= 1
        if self.break_at == 0:
            raw: Any = connection.connection.dbapi_connection
            raw.set_progress_handler(lambda: 1, 3)


def stored(service: Service) -> dict[str, str]:
    return {document.id: document.version for document in load_documents(service.database)}


def is_whole(service: Service) -> bool:
    with closing(sqlite3.connect(service.desk.settings.home / "backline.sqlite")) as database:
        checks: list[tuple[str]] = database.execute("PRAGMA integrity_check").fetchall()
    return checks == [("ok",)]


@pytest.mark.drill("R4")
def test_without_room_for_the_next_page_nothing_is_half_stored_and_it_heals(service: Service) -> None:
    key, faults = service.key(), Faults(service)
    assert service.client.post("/v1/documents", json={"text": "Kept before."}, headers=key).status_code == 202
    service.wait_for_build()
    before = stored(service)
    with service.database.connect() as connection:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    refusals = 0
    while True:
        faults.most_pages = pages + refusals
        response = service.client.post("/v1/documents", json={"text": TEXT}, headers=key)
        if response.status_code == 202:
            break
        check_problem(response, 507, "disk-full")
        assert int(response.headers["retry-after"]) > 0
        refusals += 1
        assert stored(service) == before
        assert service.client.get("/v1/documents").status_code == 200
        assert "Kept before." in service.found("kept before")
        assert refusals < 50
    assert refusals >= 5  # twenty thousand characters take as many pages
    faults.most_pages = None
    assert service.client.post("/v1/documents", json={"text": "Kept behind."}, headers=key).status_code == 202
    assert len(stored(service)) == 3
    assert is_whole(service)


@pytest.mark.drill("R4")
def test_a_file_that_cannot_be_written_for_want_of_room_is_told_the_same(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    key = service.key()
    monkeypatch.setattr("service.ingesting.store_documents", full)
    check_problem(service.client.post("/v1/documents", json={"text": "Walk."}, headers=key), 507, "disk-full")


@pytest.mark.drill("R5")
def test_a_database_that_breaks_off_anywhere_stores_all_or_nothing(service: Service) -> None:
    key, faults = service.key(), Faults(service)
    whole: dict[str, str] = {}
    statuses = set()
    chance = random.Random(5)  # noqa: S311 - a seed, no secret
    for number in range(BREAKS):
        faults.break_at = chance.randint(1, 9)
        response = service.client.post("/v1/documents", json={"text": f"{number}. {TEXT}"}, headers=key)
        faults.break_at = 0
        statuses.add(response.status_code)
        if response.status_code == 202:
            (row,) = response.json()["data"]
            whole[row["id"]] = row["version"]
        else:
            check_problem(response, 503, "not-ready")
            assert int(response.headers["retry-after"]) > 0
        assert whole.items() <= stored(service).items()
    assert statuses == {202, 503}
    assert len(stored(service)) <= BREAKS
    assert all(document.text.endswith(TEXT.strip()) for document in load_documents(service.database))
    assert is_whole(service)


@pytest.mark.drill("R5", night=10)
def test_a_database_that_another_holds_is_waited_for_and_then_told(service: Service) -> None:
    key = service.key()

    def impatient(connection: DBAPIConnection, _record: object, _proxy: object) -> None:
        connection.cursor().execute("PRAGMA busy_timeout = 20")

    event.listen(service.database, "checkout", impatient)
    with closing(sqlite3.connect(service.desk.settings.home / "backline.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        response = service.client.post("/v1/documents", json={"text": "Walk."}, headers=key)
        check_problem(response, 503, "not-ready")
        assert int(response.headers["retry-after"]) > 0
        assert service.client.post("/v1/search", json={"query": "walking"}).status_code == 200
        other.rollback()
    assert stored(service) == {}
    assert service.client.post("/v1/documents", json={"text": "Walk."}, headers=key).status_code == 202


def test_a_file_of_the_index_that_is_changed_under_the_service_is_told_and_never_quoted(service: Service) -> None:
    key = service.key()
    assert service.client.post("/v1/documents", json={"text": "Keep the towel dry."}, headers=key).status_code == 202
    service.wait_for_build()
    snapshot = service.desk.replier.answerer.retriever.snapshot
    for path in (service.desk.settings.snapshots / snapshot.id).rglob("passages.jsonl"):
        path.write_bytes(path.read_bytes().replace(b"towel", b"vowel"))
    response = service.client.post("/v1/search", json={"query": "towel"})
    check_problem(response, 503, "not-ready")
    assert int(response.headers["retry-after"]) > 0
    assert service.client.get("/readyz").json()["status"] == "degraded"
    follower = next(one for one in service.desk.background if isinstance(one, Follower))
    follower.look()  # the one before is whole
    assert service.found("back spasm")
    assert "was changed" not in str(service.client.get("/readyz").json()["reasons"])
