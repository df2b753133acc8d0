import os
from pathlib import Path

import pytest

from index.flushing import flush, flush_tree


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda opened: names.append(Path(f"/proc/self/fd/{opened}").readlink().name))
    return names


def test_what_is_inside_is_flushed_before_the_folder_that_names_it(tmp_path: Path, flushed: list[str]) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("a.txt", "inner/b.txt"):
        (tmp_path / name).write_text("x")
    flush_tree(tmp_path)
    assert flushed == ["b.txt", "inner", "a.txt", tmp_path.name]


def test_one_file_is_flushed(tmp_path: Path, flushed: list[str]) -> None:
    (tmp_path / "a.txt").write_text("x")
    flush(tmp_path / "a.txt")
    assert flushed == ["a.txt"]


def test_no_descriptor_stays_open_when_flushing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="Input/output error"):
        flush(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
