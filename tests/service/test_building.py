from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from index.building import build_snapshot
from index.manifest import Manifest
from service.building import publish_stored
from service.settings import Settings
from service.sharing import OvertakenError
from service.storage.database import open_database
from service.storage.publication import published
from tests.index.fakes import make_document
from tests.service.fakes import StemEmbedder


@pytest.mark.needs("postgresql")
def test_who_loses_the_lock_while_it_builds_publishes_nothing(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = make_document("ours", "Guide", ("H", "We help."))
    monkeypatch.setattr("service.building.load_shipped_documents", lambda: [ours])
    monkeypatch.setattr("service.building.load_questions", tuple)
    monkeypatch.setattr("service.storage.locking._LOOK_SECONDS", 0.0)
    places = {"home": tmp_path / "home", "database_url": postgresql, "snapshots_url": f"file://{tmp_path / 'shared'}"}
    settings = Settings.model_validate(places)
    database = open_database(settings.database)

    def cut_off(*args: Any, **options: Any) -> Manifest:
        with database.connect() as connection:
            kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            assert connection.execute(text(kill)).scalar()
        return build_snapshot(*args, **options)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("service.building.build_snapshot", cut_off)
        with pytest.raises(OvertakenError, match="backline index"):
            publish_stored(settings, StemEmbedder())
    assert published(database) is None
    manifest = publish_stored(settings, StemEmbedder())
    row = published(database)
    assert row is not None
    assert row.snapshot_id == manifest.snapshot_id
    database.dispose()
