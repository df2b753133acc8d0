import hashlib
import json
from pathlib import Path

import pytest

from corpus.records import Document
from index.building import build_snapshot
from index.errors import DamagedSnapshotError, ForeignSnapshotError, NoSnapshotError
from index.manifest import (
    FORMAT,
    Manifest,
    check_files,
    current_snapshot_id,
    named_snapshots,
    read_manifest,
    snapshot_folder,
)
from tests.index.fakes import HashingEmbedder

NAME = "snap_0123456789abcdef"
MANIFEST = Manifest(
    FORMAT, "hashing@1", 16, {"version": 1}, {}, {"documents": 0}, {}, {"a.txt": {"bytes": 3, "sha256": "0" * 64}}
)


def _store(root: Path, content: bytes) -> str:
    name = "snap_" + hashlib.sha256(content).hexdigest()[:16]
    (root / name).mkdir()
    (root / name / "manifest.json").write_bytes(content)
    return name


def test_a_name_is_made_from_the_bytes_of_the_manifest(tmp_path: Path) -> None:
    assert MANIFEST.snapshot_id == "snap_" + hashlib.sha256(MANIFEST.to_bytes()).hexdigest()[:16]
    assert _store(tmp_path, MANIFEST.to_bytes()) == MANIFEST.snapshot_id
    assert read_manifest(tmp_path, MANIFEST.snapshot_id) == MANIFEST


def test_the_order_of_entries_does_not_change_the_name() -> None:
    one = Manifest(4, "m", 2, {"version": 1, "budget": 2}, {}, {}, {}, {})
    other = Manifest(4, "m", 2, {"budget": 2, "version": 1}, {}, {}, {}, {})
    assert one.snapshot_id == other.snapshot_id


def test_the_manifest_lists_every_file(documents: list[Document], tmp_path: Path) -> None:
    manifest = build_snapshot(documents, HashingEmbedder(), tmp_path)
    folder = tmp_path / manifest.snapshot_id
    on_disk = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert set(on_disk) == {*manifest.files, "manifest.json"}
    for name, facts in manifest.files.items():
        content = on_disk[name].read_bytes()
        kind = "flat, half floats" if name.endswith("questions.faiss") else "flat"
        measured = {"index": kind, "recall_at_10": 1.0} if name.endswith(".faiss") else {}
        assert facts == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} | measured
    check_files(tmp_path, manifest.snapshot_id, manifest)


@pytest.mark.parametrize("change", [{"format": 6}, {"format": 8, "shards": []}, {"format": "7"}])
def test_another_format_is_refused_by_the_name_of_both(change: dict[str, object], tmp_path: Path) -> None:
    fields = json.loads(MANIFEST.to_bytes()) | change
    name = _store(tmp_path, json.dumps(fields).encode())
    with pytest.raises(ForeignSnapshotError, match=f"snapshot format {change['format']}, .* format 7"):
        read_manifest(tmp_path, name)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"null", b'{"format": 7}', b'{"format": 7, "x": 2}'])
def test_what_is_no_manifest_is_refused_even_under_its_own_name(content: bytes, tmp_path: Path) -> None:
    name = _store(tmp_path, content)
    with pytest.raises(DamagedSnapshotError, match=r"manifest\.json is not a manifest"):
        read_manifest(tmp_path, name)


def test_a_manifest_of_another_name_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _store(tmp_path, MANIFEST.to_bytes())
    (tmp_path / name).rename(tmp_path / NAME)
    monkeypatch.setattr("index.manifest.json.loads", pytest.fail)
    with pytest.raises(DamagedSnapshotError, match=rf"manifest\.json has the content of {name}"):
        read_manifest(tmp_path, NAME)


@pytest.mark.drill("R16")
@pytest.mark.parametrize(
    "name", ["", "..", "../snap_0123456789abcdef", "snap_0123456789abcdeF", NAME + "\n", NAME + "/x", "/etc", "snap_\0"]
)
def test_what_can_be_no_name_never_becomes_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(NoSnapshotError, match="there is no snapshot"):
        snapshot_folder(tmp_path, name)
    with pytest.raises(NoSnapshotError):
        read_manifest(tmp_path, name)


def test_the_current_snapshot_is_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text(f"{NAME}\nsnap_1111111111111111\n")
    assert current_snapshot_id(tmp_path) == NAME
    assert named_snapshots(tmp_path) == [NAME, "snap_1111111111111111"]


def test_without_a_pointer_there_is_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(NoSnapshotError, match="there is no index yet"):
        current_snapshot_id(tmp_path)
    assert named_snapshots(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"\0" * 44, b"snap_0123", b"\xff\xfe", b"../../etc\n", b"\n" + NAME.encode()])
def test_a_damaged_pointer_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(DamagedSnapshotError, match="CURRENT names no snapshot"):
        current_snapshot_id(tmp_path)


def test_a_pointer_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").mkdir()
    with pytest.raises(DamagedSnapshotError, match="CURRENT cannot be read"):
        current_snapshot_id(tmp_path)


def test_lines_that_are_no_names_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_bytes(b"\0\0\n" + NAME.encode() + b"\n../x\n" + NAME.encode() + b"\n\xff\n")
    assert named_snapshots(tmp_path) == [NAME]


def test_a_file_is_hashed_once_and_again_when_it_was_changed(
    documents: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = build_snapshot(documents, HashingEmbedder(), tmp_path)
    hashed: list[str] = []

    def noted(path: Path) -> str:
        hashed.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr("index.manifest.sha256_of", noted)
    monkeypatch.setattr("index.manifest._checked", {})
    check_files(tmp_path, manifest.snapshot_id, manifest)
    assert len(hashed) == len(manifest.files)
    check_files(tmp_path, manifest.snapshot_id, manifest)
    assert len(hashed) == len(manifest.files)
    path = tmp_path / manifest.snapshot_id / "documents.jsonl"
    path.write_bytes(path.read_bytes())
    check_files(tmp_path, manifest.snapshot_id, manifest)
    assert hashed[len(manifest.files) :] == ["documents.jsonl"]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedSnapshotError):
        check_files(tmp_path, manifest.snapshot_id, manifest)
    monkeypatch.setattr("index.manifest._MOST_CHECKED", 2)
    path.write_bytes(path.read_bytes()[:-1] + b"\n")
    check_files(tmp_path, manifest.snapshot_id, manifest)
