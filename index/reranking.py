"""A second look at the best passages: question and passage are read together.

Off unless a model is named (``BACKLINE_RERANKER``). It costs a forward pass for each passage that is looked at, and
torch in the serving process.
"""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.embedding import close_the_hub
from index.errors import ModelFileError
from index.model_files import check_reranker_files

RERANKED = 20
"""Passages that are looked at again; those behind them keep their order."""


class Reranker(Protocol):
    """Anything that says how well passages answer a question."""

    def score(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score a text, higher is better, shape ``(len(texts),)``."""
        ...


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers on the CPU, from checked files alone. Safe to call from several threads.

    Args:
        path: Folder of the model: ``config.json``, ``tokenizer.json`` and safetensors.

    Raises:
        ModelFileError: the folder is no such model with one score, or holds a pickle.
    """

    def __init__(self, path: Path) -> None:
        check_reranker_files(path)
        close_the_hub()
        from sentence_transformers import CrossEncoder

        try:
            _check_kind(path)
            self._model = CrossEncoder(
                str(path), device="cpu", local_files_only=True, trust_remote_code=False, num_labels=1
            )
        except Exception as error:
            reason = f"is no cross-encoder with one score ({type(error).__name__}: {error})"
            raise ModelFileError(path, reason) from error
        # A fast tokenizer is told how to pad at each call, which it refuses while another call borrows it.
        self._lock = threading.Lock()

    def score(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """See :class:`Reranker`; the same texts give the same scores."""
        pairs = [(question, text) for text in texts]
        with self._lock:
            scores = self._model.predict(pairs, show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(scores, dtype=np.float32)


def _check_kind(path: Path) -> None:
    """Refuse a model without a layer that scores: the library would make one up by chance."""
    named = json.loads((path / "config.json").read_text(encoding="utf-8")).get("architectures") or []
    if not any(name.endswith("ForSequenceClassification") for name in named):
        raise ValueError(f"its architecture is {', '.join(named) or 'not named'}")
