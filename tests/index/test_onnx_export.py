import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index import onnx_export
from index.embedding import Progress, SentenceTransformersEmbedder, least_cosine
from index.errors import ModelFileError
from index.model_files import ModelFiles
from index.onnx_embedder import EXPORT, OnnxEmbedder, check_onnx_files, export_folder, is_outdated
from index.onnx_export import export_apart, export_asked_for, export_onnx
from tests.index.fakes import HashingEmbedder


@pytest.fixture
def copied(exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which "exporting" copies the graph that was made once."""

    def copy(files: ModelFiles, path: Path) -> None:
        for file in export_folder(files.model_id, exports).glob("model.onnx*"):
            shutil.copyfile(file, path.parent / file.name)

    monkeypatch.setattr(onnx_export, "_write_graph", copy)
    monkeypatch.setattr(onnx_export, "_PROBES", ("Ice", "How long does a back spasm last?"))
    return tmp_path / "home"


def test_an_export_has_a_graph_its_weights_and_their_hashes(model: ModelFiles, exports: Path) -> None:
    folder = exports / "all-MiniLM-L6-v2-53aa51172d14-onnx3"
    assert [path.name for path in exports.iterdir()] == [folder.name]
    assert sorted(path.name for path in folder.iterdir()) == ["export.json", "model.onnx", "model.onnx.data"]
    facts = json.loads((folder / EXPORT).read_text())
    assert facts["model"] == model.hashes
    assert sorted(facts["files"]) == ["model.onnx", "model.onnx.data"]
    assert (facts["dimension"], facts["token_budget"], facts["pad_id"], facts["averages"]) == (384, 256, 0, True)


def test_a_whole_export_is_not_made_again(model: ModelFiles, exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "_write_graph", pytest.fail)
    monkeypatch.setattr(onnx_export, "SentenceTransformersEmbedder", pytest.fail)
    assert export_onnx(model, exports) == check_onnx_files(model, exports)


def test_an_export_of_an_earlier_version_is_made_anew(
    model: ModelFiles, exports: Path, reference: SentenceTransformersEmbedder, copied: Path
) -> None:
    assert not is_outdated(model.model_id, copied)  # nothing was exported yet
    earlier = copied / "all-MiniLM-L6-v2-53aa51172d14-onnx2"
    copied.mkdir()
    earlier.symlink_to(export_folder(model.model_id, exports))
    assert is_outdated(model.model_id, copied)
    with pytest.raises(ModelFileError, match="was not exported yet"):
        check_onnx_files(model, copied)
    assert export_onnx(model, copied, reference).path.name == "all-MiniLM-L6-v2-53aa51172d14-onnx3"
    assert not is_outdated(model.model_id, copied)


@pytest.mark.parametrize("name", ["export.json", "model.onnx", "model.onnx.data"])
def test_a_damaged_export_is_made_again(
    name: str, model: ModelFiles, reference: SentenceTransformersEmbedder, copied: Path
) -> None:
    folder = export_onnx(model, copied, reference).path
    (folder / name).write_bytes(b"{}")
    with pytest.raises(ModelFileError):
        check_onnx_files(model, copied)
    assert export_onnx(model, copied, reference) == check_onnx_files(model, copied)


def test_a_graph_with_other_vectors_is_not_kept(
    model: ModelFiles, reference: SentenceTransformersEmbedder, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = OnnxEmbedder._run
    monkeypatch.setattr(OnnxEmbedder, "_run", lambda self, tokens: run(self, [row[::-1] for row in tokens]))
    with pytest.raises(ModelFileError, match=r"does not give the reference's vectors \(cosine 0\."):
        export_onnx(model, copied, reference)
    assert list(copied.iterdir()) == []


def test_a_crash_leaves_no_export(
    model: ModelFiles, reference: SentenceTransformersEmbedder, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx_export, "flush_tree", crash)
    with pytest.raises(OSError, match="No space left"):
        export_onnx(model, copied, reference)
    assert list(copied.iterdir()) == []


def test_the_least_cosine_is_that_of_the_worst_text() -> None:
    class Turned(HashingEmbedder):
        def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
            vectors = super().embed(texts, progress)
            vectors[list(texts).index("ice")] *= -1
            return vectors

    assert least_cosine(HashingEmbedder(), HashingEmbedder(), ["heat", "ice"]) == pytest.approx(1.0)
    assert least_cosine(HashingEmbedder(), Turned(), ["heat", "ice"]) == pytest.approx(-1.0)


def test_an_export_that_is_whole_starts_no_process(
    model: ModelFiles, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.run", pytest.fail)
    assert export_apart(model, exports) == check_onnx_files(model, exports)


def test_an_export_in_a_process_of_its_own_that_fails_says_why(model: ModelFiles, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelFileError, match=r"could not be made \(NotADirectoryError: "):
        export_apart(model, tmp_path / "file" / "exports")


def test_what_the_other_process_does_is_the_export_that_it_was_asked_for(
    model: ModelFiles, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"path": str(model.path), "model_id": model.model_id, "hashes": model.hashes, "home": str(exports)}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(asked)))
    made: list[tuple[ModelFiles, Path]] = []
    monkeypatch.setattr(onnx_export, "export_onnx", lambda files, home: made.append((files, home)))
    export_asked_for()
    assert made == [(model, exports)]
