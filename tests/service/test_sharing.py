"""Two machines in one process: two homes, one database, one store."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpus.records import Document, Section, Source, Span
from index.building import build_snapshot
from index.caching import FILE, VIEWS
from index.errors import StoreError
from index.manifest import current_snapshot_id, named_snapshots
from index.publishing import drop_snapshots_with
from index.sharing import SnapshotStore
from index.snapshot import Manifest, open_snapshot
from service import sharing
from service.settings import Settings
from service.sharing import OvertakenError, SharedSnapshots
from service.storage.documents import delete_document, load_documents, store_document, withdrawn_versions
from service.storage.publication import Published, published
from tests.service.fakes import StemEmbedder


@dataclass(frozen=True)
class Machine:
    settings: Settings
    engine: Engine
    shared: SharedSnapshots

    def build(self) -> Manifest:
        changes = self.shared.changes()
        documents = [document("ours", "We are here."), *load_documents(self.engine)]
        cache = self.settings.home / "cache"
        manifest = build_snapshot(documents, StemEmbedder(), self.settings.snapshots, cache=cache)
        drop_snapshots_with(self.settings.snapshots, withdrawn_versions(self.engine))
        self.shared.hand_over(manifest.snapshot_id, changes)
        return manifest

    def documents(self) -> set[str]:
        return set(open_snapshot(self.settings.snapshots, StemEmbedder.model_id).documents)


Make = Callable[[str], Machine]


@pytest.fixture
def machine(engine: Engine, tmp_path: Path) -> Make:
    def make(name: str) -> Machine:
        settings = Settings(home=tmp_path / name)
        return Machine(settings, engine, SharedSnapshots(engine, SnapshotStore(f"file://{tmp_path / 's'}"), settings))

    return make


def document(name: str, text: str) -> Document:
    source = Source(f"src_{name}", name, "P", "P", "", collection="default")
    return Document(f"doc_{name}", source, name, text, (Section(("H",), Span(0, len(text))),))


def test_what_one_builds_the_other_serves_with_its_vectors(machine: Make) -> None:
    one, other = machine("one"), machine("other")
    store_document(one.engine, document("beds", "Beds are firm."))
    assert one.shared.changes() == 1
    built = one.build()
    assert published(other.engine) == Published(built.snapshot_id, 1)
    other.shared.follow()
    assert other.documents() == {"doc_beds", "doc_ours"}
    assert all((other.settings.home / "cache" / name).exists() for name in (FILE, VIEWS))
    assert other.build().snapshot_id == built.snapshot_id


def test_following_leaves_alone_what_is_new_here_until_it_is_handed_over(machine: Make) -> None:
    one, other = machine("one"), machine("other")
    one.build()
    other.shared.follow()
    store_document(one.engine, document("beds", "Beds are firm."))
    newer = build_snapshot(
        [document("ours", "We are here."), *load_documents(one.engine)], StemEmbedder(), one.settings.snapshots
    )
    one.shared.follow()
    assert current_snapshot_id(one.settings.snapshots) == newer.snapshot_id


def test_what_was_deleted_leaves_every_machine_and_the_store(machine: Make, tmp_path: Path) -> None:
    one, other = machine("one"), machine("other")
    store_document(one.engine, document("beds", "Marmalade is firm."))
    one.build()
    other.shared.follow()
    assert delete_document(other.engine, "doc_beds")
    other.build()
    one.shared.follow()
    for each in (one, other):
        assert each.documents() == {"doc_ours"}
        assert len(named_snapshots(each.settings.snapshots)) == 1
    kept = [file for file in tmp_path.rglob("*") if file.is_file() and "sqlite" not in file.name]
    assert len(kept) > 10
    assert not [file for file in kept if b"Marmalade" in file.read_bytes()]


def test_what_nobody_builds_is_built_by_another_after_a_while(machine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = machine("one"), machine("other")
    one.build()
    assert not other.shared.is_behind()
    store_document(one.engine, document("beds", "Beds are firm."))  # and now it dies
    assert not other.shared.is_behind()
    monkeypatch.setattr(sharing, "PATIENCE_SECONDS", 0.0)
    assert other.shared.is_behind()
    other.shared.follow()
    other.build()
    assert not other.shared.is_behind()
    assert other.documents() == {"doc_beds", "doc_ours"}


def test_a_snapshot_with_fewer_changes_takes_no_published_ones_place(machine: Make) -> None:
    one, other = machine("one"), machine("other")
    older = one.build()
    store_document(one.engine, document("beds", "Beds are firm."))
    newer = other.build()
    with pytest.raises(OvertakenError, match="another machine"):
        one.shared.hand_over(older.snapshot_id, 0)
    assert published(one.engine) == Published(newer.snapshot_id, 1)
    one.shared.follow()
    assert one.documents() == {"doc_beds", "doc_ours"}


def test_a_store_that_fails_after_all_were_told_fails_no_build(
    machine: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = machine("one"), machine("other")

    def away(*_: object) -> None:
        raise StoreError("TimeoutError")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(SnapshotStore, "keep_only", away)
        meanwhile.setattr(SnapshotStore, "send_cache", away)
        built = one.build()
    assert published(other.engine) == Published(built.snapshot_id, 0)
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "older snapshots stay in the store",
        "the cache was not sent",
    ]
    other.shared.follow()
    assert other.documents() == {"doc_ours"}
