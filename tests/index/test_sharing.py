from pathlib import Path
from typing import BinaryIO

import obstore
import pytest
from obstore.store import ObjectStore

from corpus.records import Document
from index.building import build_snapshot
from index.errors import DamagedSnapshotError, ForeignSnapshotError, NoSnapshotError, StoreError
from index.manifest import MANIFEST, current_snapshot_id
from index.publishing import receive_snapshot
from index.sharing import SnapshotStore
from index.snapshot import open_snapshot
from tests.index.fakes import HashingEmbedder

MODEL = "hashing@1"


@pytest.fixture
def here(tmp_path: Path, documents: list[Document], embedder: HashingEmbedder) -> tuple[Path, str]:
    root = tmp_path / "here"
    return root, build_snapshot(documents, embedder, root).snapshot_id


def test_what_is_sent_arrives_whole_and_becomes_current(
    here: tuple[Path, str], store_address: str, tmp_path: Path
) -> None:
    root, name = here
    SnapshotStore(store_address).send(root, name)
    there = tmp_path / "there"
    SnapshotStore(store_address).bring(there, name)
    assert current_snapshot_id(there) == name
    assert open_snapshot(there, MODEL).documents == open_snapshot(root, MODEL).documents
    SnapshotStore(store_address).send(root, name)  # again: nothing to do
    SnapshotStore(store_address).bring(there, name)


@pytest.mark.parametrize("file", [MANIFEST, "documents.jsonl", "parts/0/passages.faiss"])
def test_what_arrives_changed_is_refused_and_the_current_one_stays(
    here: tuple[Path, str], tmp_path: Path, documents: list[Document], embedder: HashingEmbedder, file: str
) -> None:
    root, name = here
    there = tmp_path / "there"
    before = build_snapshot(documents[:1], embedder, there).snapshot_id

    def fetch(wanted: str, target: Path) -> None:
        content = bytearray((root / name / wanted).read_bytes())
        if wanted == file:
            content[len(content) // 2] ^= 1
        target.write_bytes(content)

    with pytest.raises((DamagedSnapshotError, ForeignSnapshotError)):
        receive_snapshot(there, name, fetch)
    assert open_snapshot(there, MODEL).id == before
    assert [folder.name for folder in there.iterdir() if folder.is_dir()] == [before]


def test_a_manifest_cannot_name_a_file_outside_its_folder(here: tuple[Path, str], tmp_path: Path) -> None:
    import hashlib
    import json

    root, name = here
    manifest = json.loads((root / name / MANIFEST).read_bytes())
    manifest["files"]["../../escaped"] = {"bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    content = json.dumps(manifest).encode()
    forged = "snap_" + hashlib.sha256(content).hexdigest()[:16]

    def fetch(wanted: str, target: Path) -> None:
        target.write_bytes(content if wanted == MANIFEST else b"x")

    with pytest.raises(DamagedSnapshotError, match="outside its folder"):
        receive_snapshot(tmp_path / "there", forged, fetch)
    assert not list(tmp_path.rglob("escaped"))


def test_a_transfer_that_breaks_off_leaves_nothing_and_works_the_next_time(
    here: tuple[Path, str], tmp_path: Path
) -> None:
    root, name = here
    there = tmp_path / "there"

    def whole(wanted: str, target: Path) -> None:
        target.write_bytes((root / name / wanted).read_bytes())

    def broken(wanted: str, target: Path) -> None:
        if wanted.endswith("passages.faiss"):
            raise StoreError("TimeoutError")
        whole(wanted, target)

    with pytest.raises(StoreError):
        receive_snapshot(there, name, broken)
    assert [folder.name for folder in there.iterdir() if folder.is_dir()] == []
    receive_snapshot(there, name, whole)
    assert current_snapshot_id(there) == name


def test_what_is_damaged_in_the_store_is_sent_again_and_nothing_else(
    here: tuple[Path, str], store_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, name = here
    store, put, sent = SnapshotStore(store_address), obstore.put, []
    store.send(root, name)
    put(store._store, f"{name}/documents.jsonl", b"cut")
    obstore.delete(store._store, f"{name}/parts/0/passages.faiss")
    with pytest.raises(NoSnapshotError):
        store.bring(tmp_path / "there", name)

    def noted(to: ObjectStore, path: str, content: BinaryIO) -> None:
        sent.append(path.removeprefix(f"{name}/"))
        put(to, path, content)

    monkeypatch.setattr("index.sharing.obstore.put", noted)
    store.send(root, name)
    assert sorted(sent) == ["documents.jsonl", "parts/0/passages.faiss"]
    store.bring(tmp_path / "there", name)
    assert open_snapshot(tmp_path / "there", MODEL).id == name


def test_the_store_keeps_what_it_is_told_to_keep(
    here: tuple[Path, str], store_address: str, tmp_path: Path, documents: list[Document], embedder: HashingEmbedder
) -> None:
    root, first = here
    second = build_snapshot(documents[:1], embedder, root).snapshot_id
    store = SnapshotStore(store_address)
    store.send(root, first)
    store.send(root, second)
    store.keep_only([second])
    with pytest.raises(NoSnapshotError):
        store.bring(tmp_path / "there", first)
    store.bring(tmp_path / "there", second)


def test_the_cache_of_embeddings_goes_along(store_address: str, tmp_path: Path) -> None:
    store = SnapshotStore(store_address)
    store.bring_cache(tmp_path / "b" / "embeddings.sqlite")
    assert not (tmp_path / "b" / "embeddings.sqlite").exists()
    (tmp_path / "embeddings.sqlite").write_bytes(b"vectors")
    store.send_cache(tmp_path / "embeddings.sqlite")
    store.bring_cache(tmp_path / "b" / "embeddings.sqlite")
    assert [file.read_bytes() for file in (tmp_path / "b").iterdir()] == [b"vectors"]


def test_of_a_cache_that_grew_too_large_to_share_the_older_copy_goes(
    store_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, file = SnapshotStore(store_address), tmp_path / "embeddings.sqlite"
    file.write_bytes(b"vectors")
    store.send_cache(file)
    monkeypatch.setattr("index.sharing.MOST_CACHE_BYTES", 3)
    for _ in range(2):
        store.send_cache(file)
        store.bring_cache(tmp_path / "b" / "embeddings.sqlite")
        assert list((tmp_path / "b").iterdir()) == []


def test_a_cache_that_came_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, file = SnapshotStore(f"file://{tmp_path / 'shared'}"), tmp_path / "here" / "embeddings.sqlite"
    (tmp_path / "embeddings.sqlite").write_bytes(b"vectors")
    store.send_cache(tmp_path / "embeddings.sqlite")
    copy, asides = SnapshotStore._copy, []

    def slow(self: SnapshotStore, name: str, target: Path) -> None:
        copy(self, name, target)
        asides.append(target)
        if len(asides) == 1:
            store.bring_cache(file)  # another worker does the same
            file.write_bytes(b"in use")

    monkeypatch.setattr(SnapshotStore, "_copy", slow)
    store.bring_cache(file)
    assert len(set(asides)) == 2
    assert [one.read_bytes() for one in file.parent.iterdir()] == [b"in use"]


def test_a_store_that_does_not_answer_is_an_error_of_ours(here: tuple[Path, str], tmp_path: Path) -> None:
    root, name = here
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError):
        SnapshotStore(f"file://{tmp_path / 'file' / 'below'}")
    store = SnapshotStore(f"file://{tmp_path / 'shared'}")
    (tmp_path / "shared" / name).write_text("in the way")
    with pytest.raises(StoreError, match="BACKLINE_SNAPSHOTS_URL"):
        store.send(root, name)
