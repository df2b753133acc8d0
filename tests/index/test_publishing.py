"""Publishing is killed before, and inside, every step that touches the disk; what is left must open as old or new."""

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from corpus.records import Document
from corpus.splitting import split_document
from index import parts, publishing
from index.building import build_snapshot
from index.dense import DenseIndex
from index.errors import DamagedSnapshotError, NoSnapshotError
from index.lexical import LexicalIndex
from index.manifest import current_snapshot_id, named_snapshots
from index.parts import RemotePart
from index.snapshot import activate_snapshot, drop_snapshots_with, open_newest_intact, open_snapshot
from index.weighing import WordCounts
from tests.index.fakes import HashingEmbedder, make_document

MODEL = "hashing@1"


class Killed(BaseException):
    """The process ends here: nothing after it may touch the disk, not even cleaning up."""


class FaultPoints:
    """Counts the steps that touch the disk and ends the process at one of them.

    A step that writes is ended with half of its content written; every other step is ended before it begins. A full
    disk is another fault: it ends nothing, and what needs no room goes on.
    """

    def __init__(self, kill_at: int | None, *, full: bool = False) -> None:
        self.kill_at = kill_at
        self.full = full
        self.steps: list[str] = []

    def end(self, name: str) -> None:
        if not self.full:
            raise Killed
        if name not in {"unlink", "rmdir", "rmtree"}:
            raise OSError(errno.ENOSPC, "no room")

    def wrap(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            if self.kill_at is not None and len(self.steps) >= self.kill_at:
                self.end(name)
            self.steps.append(name)
            if len(self.steps) == self.kill_at:
                if name in {"write_bytes", "write_text"}:
                    file, content = arguments[:2]
                    original(file, content[: len(content) // 2], **options)
                self.end(name)
            return original(*arguments, **options)

        return step


@contextmanager
def fault_points(kill_at: int | None = None, *, full: bool = False) -> Iterator[FaultPoints]:
    points = FaultPoints(kill_at, full=full)
    with pytest.MonkeyPatch.context() as patch:
        for owner, names in (
            (os, ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir")),
            (shutil, ("rmtree",)),
            (Path, ("write_bytes", "write_text")),
            (DenseIndex, ("save",)),
            (LexicalIndex, ("save",)),
            (publishing, ("write_documents",)),
            (parts, ("write_lines", "write_passages")),
        ):
            for name in names:
                patch.setattr(owner, name, points.wrap(name, getattr(owner, name)))
        yield points


def _kill_everywhere(
    prepare: Callable[[Path], object], act: Callable[[Path], object], tmp_path: Path
) -> Iterator[Path]:
    """Yield the folder as it is left by a kill at each step of ``act``."""
    prepared, whole = tmp_path / "prepared", tmp_path / "whole"
    prepare(prepared)
    shutil.copytree(prepared, whole)
    with fault_points() as counted:
        act(whole)
    assert "replace" in counted.steps
    for step in range(1, len(counted.steps) + 1):
        root = tmp_path / f"killed-{step}"
        shutil.copytree(prepared, root)
        with fault_points(step) as points, pytest.raises(Killed):
            act(root)
        assert len(points.steps) == step
        yield root


@pytest.mark.drill("R4")
def test_a_disk_that_is_full_from_any_step_on_leaves_the_old_or_the_new_snapshot_and_no_litter(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    publish_old, publish_new = _build(documents), _build(more_documents)
    old, new = publish_old(tmp_path / "prepared"), publish_new(tmp_path / "reference")
    shutil.copytree(tmp_path / "prepared", tmp_path / "whole")
    with fault_points() as counted:
        publish_new(tmp_path / "whole")
    outcomes = []
    for step in range(1, len(counted.steps) + 1):
        root = tmp_path / f"full-{step}"
        shutil.copytree(tmp_path / "prepared", root)
        with fault_points(step, full=True), suppress(OSError):
            publish_new(root)
        snapshot, damage = open_newest_intact(root, MODEL)
        assert damage is None
        outcomes.append(snapshot.id)
        assert not list(root.glob(".building-*"))
        assert publish_new(root) == new
        _assert_tidy(root)
    assert outcomes == sorted(outcomes, key=[old, new].index)
    assert set(outcomes) == {old, new}


def _build(documents: list[Document]) -> Callable[[Path], str]:
    return lambda root: build_snapshot(documents, HashingEmbedder(), root).snapshot_id


def _assert_tidy(root: Path) -> None:
    assert {path.name for path in root.iterdir()} == {".lock", "CURRENT", *named_snapshots(root)}


@pytest.mark.drill("R2", night=20)
def test_a_kill_at_any_step_of_the_first_publishing_leaves_nothing_or_the_new_snapshot(
    documents: list[Document], tmp_path: Path
) -> None:
    publish = _build(documents)
    new = publish(tmp_path / "reference")
    outcomes = []
    for root in _kill_everywhere(Path.mkdir, publish, tmp_path):
        try:
            outcomes.append(open_snapshot(root, MODEL).id)
        except NoSnapshotError:
            outcomes.append("none")
        assert publish(root) == new
        assert open_snapshot(root, MODEL).id == new
        _assert_tidy(root)
    assert set(outcomes) == {"none", new}
    assert outcomes == sorted(outcomes)  # once it is there, it stays


@pytest.mark.drill("R2", night=20)
def test_a_kill_at_any_step_of_publishing_leaves_the_old_or_the_new_snapshot_whole(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    publish_old, publish_new = _build(documents), _build(more_documents)
    old, new = publish_old(tmp_path / "a"), publish_new(tmp_path / "b")
    expected = {old: 3, new: 4}
    outcomes = []
    for root in _kill_everywhere(publish_old, publish_new, tmp_path):
        snapshot, error = open_newest_intact(root, MODEL)
        assert error is None
        assert len(snapshot.documents) == expected[snapshot.id]
        outcomes.append(snapshot.id)
        publish_new(root)
        assert open_snapshot(root, MODEL).id == new
        assert named_snapshots(root) == [new, old]
        _assert_tidy(root)
    at = outcomes.index(new)
    assert outcomes == [old] * at + [new] * (len(outcomes) - at)
    assert at > 0


@pytest.mark.drill("R2", night=20)
def test_publishing_what_is_current_already_never_takes_it_away(
    documents: list[Document],
    tmp_path: Path,
) -> None:
    publish = _build(documents)
    for root in _kill_everywhere(publish, publish, tmp_path):
        assert open_snapshot(root, MODEL).id == publish(root)
        _assert_tidy(root)


@pytest.mark.drill("R2", night=20)
def test_a_kill_while_a_damaged_snapshot_is_mended_leaves_the_one_before_it(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    publish_old, publish_new = _build(documents), _build(more_documents)

    def prepare(root: Path) -> None:
        publish_old(root)
        (root / publish_new(root) / "parts/0/passages.faiss").write_bytes(b"")

    old = publish_old(tmp_path / "reference")
    for root in _kill_everywhere(prepare, publish_new, tmp_path):
        snapshot, error = open_newest_intact(root, MODEL)
        assert (snapshot.id == old) == (error is not None)
        assert publish_new(root) == open_snapshot(root, MODEL).id
        _assert_tidy(root)


@pytest.mark.drill("R2", night=20)
def test_a_kill_at_any_step_of_rolling_back_leaves_one_of_the_two(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    publish_old, publish_new = _build(documents), _build(more_documents)
    old = publish_old(tmp_path / "reference")

    def prepare(root: Path) -> None:
        publish_old(root)
        publish_new(root)

    outcomes = []
    for root in _kill_everywhere(prepare, lambda root: activate_snapshot(root, old), tmp_path):
        outcomes.append(open_snapshot(root, MODEL).id == old)
        activate_snapshot(root, old)
        assert open_snapshot(root, MODEL).id == old
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {False, True}


def test_everything_is_on_the_disk_before_its_name_is(documents: list[Document], tmp_path: Path) -> None:
    flushed: list[str] = []
    patch = pytest.MonkeyPatch()
    fsync, rename, replace = os.fsync, os.rename, os.replace

    def flush(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def move(source: Path, target: Path) -> None:
        flushed.append(f"rename to {'snapshot' if target.name.startswith('snap_') else target.name}")
        (replace if target.name == "CURRENT" else rename)(source, target)

    with patch.context() as patched:
        patched.setattr(os, "fsync", flush)
        patched.setattr(os, "rename", move)
        patched.setattr(os, "replace", move)
        manifest = build_snapshot(documents, HashingEmbedder(), tmp_path)
    renamed, pointed = flushed.index("rename to snapshot"), flushed.index("rename to CURRENT")
    files = {Path(name).name for name in manifest.files} | {"manifest.json", "passage-words", "sentence-words"}
    assert files <= set(flushed[:renamed])
    assert flushed[renamed - 1].startswith(".building-")
    assert flushed[renamed + 1 :] == [tmp_path.name, ".CURRENT.new", "rename to CURRENT", tmp_path.name]
    assert pointed == len(flushed) - 2


@pytest.mark.parametrize("step", range(1, 9))
def test_a_full_disk_leaves_the_old_snapshot_and_no_litter(
    step: int,
    documents: list[Document],
    more_documents: list[Document],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = _build(documents)(tmp_path)
    calls = 0

    def full(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == step:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        _build(more_documents)(tmp_path)
    assert open_snapshot(tmp_path, MODEL).id == old
    _assert_tidy(tmp_path)


def test_the_current_snapshot_and_the_two_before_it_are_kept(tmp_path: Path) -> None:
    names = [_build([make_document("a", "A", ("H", f"Text {n}."))])(tmp_path) for n in range(5)]
    assert named_snapshots(tmp_path) == names[:1:-1]
    assert sorted(path.name for path in tmp_path.glob("snap_*")) == sorted(names[2:])
    assert all(open_snapshot(tmp_path, MODEL, name).id == name for name in names[2:])


def test_rolling_back_and_forward_changes_the_pointer_alone(tmp_path: Path) -> None:
    first, second, third = [_build([make_document("a", "A", ("H", f"Text {n}."))])(tmp_path) for n in range(3)]
    activate_snapshot(tmp_path, second)
    assert current_snapshot_id(tmp_path) == second
    assert named_snapshots(tmp_path) == [second, third, first]
    activate_snapshot(tmp_path, third)
    assert named_snapshots(tmp_path) == [third, second, first]
    activate_snapshot(tmp_path, third)
    assert named_snapshots(tmp_path) == [third, second, first]
    assert open_snapshot(tmp_path, MODEL).id == third


def test_snapshots_with_what_was_deleted_are_removed_and_the_current_one_stays(tmp_path: Path) -> None:
    deleted = make_document("secret", "Note", ("Heat", "The marmalade is in the attic."))
    other = make_document("other", "Note", ("Heat", "A warm bath."))
    third = make_document("third", "Note", ("Ice", "Wrap it."))
    names = [
        build_snapshot(some, HashingEmbedder(), tmp_path).snapshot_id
        for some in ([deleted, other], [other], [other, third])
    ]
    withdrawn = [(deleted.id, deleted.version), (other.id, "sha256:older"), (third.id, third.version)]
    assert drop_snapshots_with(tmp_path, withdrawn) == names[:1]
    assert named_snapshots(tmp_path) == [names[2], names[1]]
    assert sorted(folder.name for folder in tmp_path.glob("snap_*")) == sorted(names[1:])
    assert drop_snapshots_with(tmp_path, withdrawn) == []


def test_snapshots_that_count_words_of_what_was_deleted_elsewhere_are_removed(tmp_path: Path) -> None:
    ours, deleted, other, third = (
        make_document(name, "Note", ("Heat", said))
        for name, said in (("ours", "Rest."), ("secret", "Marmalade."), ("other", "A bath."), ("third", "Wrap it."))
    )
    embedder = HashingEmbedder()

    def publish(*elsewhere: Document) -> str:
        passages = [p for one in elsewhere for p in split_document(one, embedder.count_tokens, embedder.token_budget)]
        remote = {"ward": RemotePart("ward 0", str(len(elsewhere)), WordCounts.of(passages))}
        return build_snapshot([ours], embedder, tmp_path, remote=remote).snapshot_id

    names = [publish(deleted, other), publish(other), publish(other, third)]
    assert drop_snapshots_with(tmp_path, []) == []
    assert drop_snapshots_with(tmp_path, [(deleted.id, deleted.version)]) == names[:1]
    assert named_snapshots(tmp_path) == [names[2], names[1]]


def test_dropping_where_nothing_was_published_does_nothing(tmp_path: Path) -> None:
    assert drop_snapshots_with(tmp_path, [("doc_x", "sha256:x")]) == []


def test_activating_what_is_not_there_or_damaged_is_refused_and_changes_nothing(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    old, current = _build(documents)(tmp_path), _build(more_documents)(tmp_path)
    for name in ("snap_0123456789abcdef", "../" + old, old + "\n", ""):
        with pytest.raises(NoSnapshotError):
            activate_snapshot(tmp_path, name)
    (tmp_path / old / "parts/0/passages.faiss").write_bytes(b"x")
    with pytest.raises(DamagedSnapshotError):
        activate_snapshot(tmp_path, old)
    assert current_snapshot_id(tmp_path) == current


def test_activating_in_a_folder_that_is_not_there_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(NoSnapshotError):
        activate_snapshot(tmp_path / "nowhere", "snap_0123456789abcdef")
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_pointer_is_mended_by_publishing(documents: list[Document], tmp_path: Path) -> None:
    name = _build(documents)(tmp_path)
    (tmp_path / "CURRENT").write_bytes(b"\0" * 22)
    assert _build(documents)(tmp_path) == name == open_snapshot(tmp_path, MODEL).id


def test_publishers_wait_for_each_other(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    jobs = [threading.Thread(target=_build(kept), args=(tmp_path,)) for kept in (documents, more_documents) * 3]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(timeout=60)
    assert len(named_snapshots(tmp_path)) == 2
    assert open_newest_intact(tmp_path, MODEL)[1] is None
    _assert_tidy(tmp_path)


def test_a_swap_under_load_shows_each_reader_one_whole_snapshot(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    publish_old, publish_new = _build(documents), _build(more_documents)
    expected = {publish_old(tmp_path): 3, publish_new(tmp_path): 4}
    stop = threading.Event()
    seen: list[tuple[str, int]] = []
    failures: list[BaseException] = []

    def read() -> None:
        while not stop.is_set():
            try:
                snapshot = open_snapshot(tmp_path, MODEL)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test fails with it
                failures.append(error)
                return
            seen.append((snapshot.id, len(snapshot.documents)))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(5):
        publish_old(tmp_path)
        publish_new(tmp_path)
    stop.set()
    for reader in readers:
        reader.join(timeout=60)
    assert failures == []
    assert len(seen) >= 2
    assert all(expected[name] == count for name, count in seen)
