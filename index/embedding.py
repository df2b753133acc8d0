"""Texts into unit vectors."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.records import Span
from index.model_files import ModelFiles

Progress = Callable[[int, int], None]
"""Called with texts done and texts in all."""

_BATCH = 32


class Embedder(Protocol):
    """Anything that turns texts into vectors of one dimension."""

    @property
    def model_id(self) -> str:
        """Name and hash of the model: vectors of different ids may not be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def token_budget(self) -> int:
        """Most tokens of one text, special tokens included; what is longer would be cut off."""
        ...

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return one unit vector a text, shape ``(len(texts), dimension)``."""
        ...

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """Return what :meth:`embed` does, and a unit vector for each part of each text as it reads there.

        Args:
            texts: The texts.
            parts: Spans of each, in code points.
            progress: Told of the texts.

        Returns:
            Vectors of the texts, shape ``(len(texts), dimension)``, and for each text those of its parts, shape
            ``(parts, dimension)``: the mean of a part's tokens, or the text's own vector where it has none. Of a model
            whose vectors are no means of tokens, each part's vector is that of the part alone.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Return the tokens of a text, special tokens included."""
        ...


class SentenceTransformersEmbedder:
    """The reference embedder: sentence-transformers on the CPU, from checked files alone.

    Loading takes seconds and some 400 MB; construct it once. The hub is switched off in this process before the
    library loads. Safe to call from several threads: they take turns, because its tokenizer serves one at a time.
    """

    def __init__(self, files: ModelFiles) -> None:
        close_the_hub()
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # the library types only part

        self._files = files
        self._model = SentenceTransformer(str(files.path), device="cpu", local_files_only=True, trust_remote_code=False)
        self._model.eval()
        self._counter = TokenCounter(files.path)
        self._turn = threading.Lock()

    @property
    def model_id(self) -> str:
        """See :class:`Embedder`."""
        return self._files.model_id

    @property
    def dimension(self) -> int:
        """See :class:`Embedder`."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def token_budget(self) -> int:
        """See :class:`Embedder`."""
        return int(self._model.max_seq_length or 256)

    @property
    def averages(self) -> bool:
        """Whether the vector of a text is the mean of its tokens, at unit length."""
        kinds = {type(module).__name__ for module in self._model}
        modes = {getattr(module, "pooling_mode", "mean") for module in self._model}
        return kinds <= {"Transformer", "Pooling", "Normalize"} and modes == {"mean"}

    @property
    def pad_id(self) -> int:
        """Token that fills up the shorter texts of a batch."""
        return int(self._model.tokenizer.pad_token_id or 0)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return one unit vector a text; batches go by length, so order does not cost padding.

        The same texts give the same vectors: the batch of a text depends only on the list that it comes in.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda row: (len(texts[row]), row))
        for begin in range(0, len(order), _BATCH):
            rows = order[begin : begin + _BATCH]
            with self._turn:
                encoded: Any = self._model.encode(
                    [texts[row] for row in rows],
                    batch_size=_BATCH,
                    convert_to_numpy=True,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            vectors[rows] = encoded
            if progress is not None:
                progress(min(begin + _BATCH, len(order)), len(order))
        return vectors

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """See :class:`Embedder`."""
        vectors = self.embed(texts, progress)
        if not self.averages:
            return vectors, parts_alone(self, texts, parts)
        means = []
        for text, own, vector in zip(texts, parts, vectors, strict=True):
            with self._turn:
                told: Any = self._model.encode(
                    text.strip(), output_value="token_embeddings", convert_to_numpy=False, show_progress_bar=False
                )
                encoded = self._model.tokenizer(
                    text.strip(), return_offsets_mapping=True, truncation=True, max_length=self.token_budget
                )
            means.append(means_of_parts(told.numpy(), encoded["offset_mapping"], shifted(text, own), vector))
        return vectors, means

    def count_tokens(self, text: str) -> int:
        """See :class:`Embedder`."""
        return self._counter.count(text)


class MeteredEmbedder:
    """Another embedder, with the time that it takes: what is left of a build's time is ours to save.

    Attributes:
        embedded: Texts so far.
        seconds: Seconds so far, by the clock.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.embedded = 0
        self.seconds = 0.0

    @property
    def model_id(self) -> str:
        """See :class:`Embedder`."""
        return self._embedder.model_id

    @property
    def dimension(self) -> int:
        """See :class:`Embedder`."""
        return self._embedder.dimension

    @property
    def token_budget(self) -> int:
        """See :class:`Embedder`."""
        return self._embedder.token_budget

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """See :class:`Embedder`."""
        began = time.perf_counter()
        vectors = self._embedder.embed(texts, progress)
        self.seconds += time.perf_counter() - began
        self.embedded += len(texts)
        return vectors

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """See :class:`Embedder`."""
        began = time.perf_counter()
        made = self._embedder.embed_parts(texts, parts, progress)
        self.seconds += time.perf_counter() - began
        self.embedded += len(texts)
        return made

    def count_tokens(self, text: str) -> int:
        """See :class:`Embedder`."""
        return self._embedder.count_tokens(text)


class TokenCounter:
    """Counts tokens as the model does, without the model: the tokenizer alone loads in milliseconds."""

    def __init__(self, model: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, text: str) -> int:
        """Return the tokens of ``text``, special tokens included."""
        return len(self._tokenizer.encode_batch_fast([text])[0].ids)

    def vocabulary(self) -> list[str]:
        """Return the pieces that the model knows."""
        return list(self._tokenizer.get_vocab(with_added_tokens=False))


def parts_alone(embedder: Embedder, texts: Sequence[str], parts: Sequence[Sequence[Span]]) -> list[NDArray[np.float32]]:
    """Return for each text the vectors of its parts, each embedded as if it stood alone."""
    made = embedder.embed([part.slice(text) for text, own in zip(texts, parts, strict=True) for part in own])
    ends = np.cumsum([len(own) for own in parts])
    return np.split(made, ends[:-1]) if len(parts) else []


def least_cosine(one: Embedder, other: Embedder, texts: Sequence[str]) -> float:
    """Return the lowest cosine between the vectors that two embedders give to the same text, or to half of it."""
    halves = [[Span(0, (len(text) + 1) // 2)] for text in texts]
    made = (embedder.embed_parts(texts, halves) for embedder in (one, other))
    ours, theirs = (np.concatenate([vectors, *parts]) for vectors, parts in made)
    return float(np.einsum("ij,ij->i", ours, theirs).min())


def shifted(text: str, parts: Sequence[Span]) -> list[tuple[int, int]]:
    """Return begin and end of each part in a text without the white space that it begins with."""
    lead = len(text) - len(text.lstrip())
    return [(part.start - lead, part.end - lead) for part in parts]


def means_of_parts(
    tokens: NDArray[np.float32],
    offsets: Sequence[tuple[int, int]],
    parts: Sequence[tuple[int, int]],
    vector: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return a unit vector for each part of a text: the mean of its tokens.

    Args:
        tokens: What the model says of each token, shape ``(at least tokens, dimension)``.
        offsets: Begin and end of each token in the text, in order; both 0 for special tokens.
        parts: Begin and end of each part.
        vector: The text's, shape ``(dimension,)``: for a part that no token is in.

    Returns:
        Shape ``(parts, dimension)``.
    """
    begins, ends = np.array(offsets, dtype=np.int64).reshape(-1, 2).T
    means = np.empty((len(parts), len(vector)), dtype=np.float32)
    for row, (begin, end) in enumerate(parts):
        inside = np.flatnonzero((begins < end) & (ends > begin) & (ends > begins))
        mean = tokens[inside].mean(axis=0) if len(inside) else vector
        length = np.linalg.norm(mean)
        means[row] = mean / length if length else vector
    return means


def close_the_hub() -> None:
    """Keep every library of this process away from model hubs and telemetry."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
