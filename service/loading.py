"""The embedding model, loaded while something else is done.

Hashing its files and making ready to run it take a core, but hardly the interpreter: ``backline serve`` lets that go on
while it imports the rest of the service.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.batching import BatchingEmbedder
    from index.embedding import Embedder
    from index.model_files import ModelFiles
    from service.settings import Settings


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The model that serves.

    Attributes:
        files: Its checked files.
        embedder: The embedder.
        asked: The same for questions: those that wait share a batch.
        backend: What runs it: ``onnxruntime``, ``openvino bf16`` or ``torch``.
    """

    files: "ModelFiles"
    embedder: "Embedder"
    asked: "BatchingEmbedder"
    backend: str


def load_model(settings: "Settings") -> LoadedModel:
    """Check and load the model.

    Raises:
        ModelFileError: the model is missing or changed.
    """
    from index.batching import BatchingEmbedder
    from index.model_files import check_model_files
    from service.building import load_embedder

    files = check_model_files(settings.model)
    embedder, backend = load_embedder(files, settings)
    return LoadedModel(files, embedder, BatchingEmbedder(embedder), backend)


def begin_loading(settings: "Settings") -> "Future[LoadedModel]":
    """Load the model in a thread; what :func:`load_model` raises is raised when the result is asked for."""
    with_one = ThreadPoolExecutor(1, thread_name_prefix="loading")
    loading = with_one.submit(load_model, settings)
    with_one.shutdown(wait=False)
    return loading
