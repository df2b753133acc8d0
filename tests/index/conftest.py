"""Fixtures of the index: two small corpora, the fake embedder, and the real model in both its forms, loaded once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.records import Document
from index.embedding import SentenceTransformersEmbedder
from index.model_files import ModelFiles, check_model_files
from index.onnx_embedder import OnnxEmbedder, check_onnx_files
from index.onnx_export import export_onnx
from tests.homes import make_once
from tests.index.fakes import HashingEmbedder, make_document


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushing is a step that is counted, ordered and died at; the time it takes proves nothing."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
def documents() -> list[Document]:
    return [
        make_document(
            "warmth",
            "Warmth and cold",
            ("Heat", "A warm bath relaxes tight muscles. Keep heat packs away from bare skin."),
            ("Ice", "An ice pack can numb soreness. Wrap it in a towel."),
        ),
        make_document(
            "walking",
            "Walking",
            ("Short walks", "Walk a little every hour. Étirez-vous — stretch “gently” 🙂 before a walk."),
        ),
        make_document("private", "House notes", ("Heat", "The warm bath is on the second floor."), collection="clinic"),
    ]


@pytest.fixture
def more_documents(documents: list[Document]) -> list[Document]:
    return [
        *documents,
        make_document("sleeping", "Sleep", ("Mattress", "A pillow under the knees helps side sleepers.")),
    ]


@pytest.fixture(scope="session")
def model() -> ModelFiles:
    return check_model_files()


@pytest.fixture(scope="session")
def reference(model: ModelFiles) -> Iterator[SentenceTransformersEmbedder]:
    """The real model, loaded where nothing had switched off the hub."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TOKENIZERS_PARALLELISM"):
            patch.delenv(name, raising=False)
        yield SentenceTransformersEmbedder(model)


@pytest.fixture(scope="session")
def exports(
    model: ModelFiles, reference: SentenceTransformersEmbedder, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the real model's export, shared by all processes of the run."""
    return make_once(tmp_path_factory, "exports", lambda home: export_onnx(model, home, reference))


@pytest.fixture(scope="session")
def exported(model: ModelFiles, exports: Path) -> OnnxEmbedder:
    """The real model under onnxruntime."""
    return OnnxEmbedder(model, check_onnx_files(model, exports))
