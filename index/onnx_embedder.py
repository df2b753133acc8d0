"""The embedding model under onnxruntime: the same weights without torch. The only file that imports onnxruntime."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.records import Span
from index.embedding import Progress, TokenCounter, means_of_parts, parts_alone, shifted
from index.errors import ModelFileError
from index.manifest import sha256_of
from index.model_files import ModelFiles

GRAPH = "model.onnx"
EXPORT = "export.json"
FORMAT = 3
"""Counted up with every change to the graph: an export of an earlier format is made anew."""

Run = Callable[[NDArray[np.int64], NDArray[np.int64]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Token numbers and mask of a batch in; one unit vector a row out, and one vector a token."""

_FACTS = frozenset({"model", "files", "dimension", "token_budget", "pad_id", "averages"})
_BATCH = 32
_BATCH_TOKENS = 4_096
"""Most tokens of a batch, padding included: attention takes memory by the square of their number a text."""
_STRETCH = 1.25
_SLACK = 4
"""A batch ends before a text of more than 1.25 times the tokens of its first, and four."""


@dataclass(frozen=True, slots=True)
class OnnxFiles:
    """A checked export of one model.

    Attributes:
        path: The folder.
        dimension: Length of a vector.
        token_budget: Most tokens of one text, special tokens included.
        pad_id: Token that fills up the shorter texts of a batch.
        averages: Whether the vector of a text is the mean of its tokens, at unit length.
    """

    path: Path
    dimension: int
    token_budget: int
    pad_id: int
    averages: bool = True


def export_folder(model_id: str, home: Path) -> Path:
    """Return the folder below ``home`` in which the export of a model lies, or would."""
    return home / f"{model_id.replace('@', '-')}-onnx{FORMAT}"


def is_outdated(model_id: str, home: Path) -> bool:
    """Whether an earlier version exported a model below ``home``, and this one has not yet."""
    folder = export_folder(model_id, home)
    return not folder.exists() and any(home.glob(f"{folder.name.removesuffix(str(FORMAT))}*"))


def check_onnx_files(files: ModelFiles, home: Path) -> OnnxFiles:
    """Find the export of a model and check every file before anything parses it.

    The checks find damage, not malice: who can write into the folder can also write the list of hashes.

    Args:
        files: The checked model that was exported.
        home: Folder of all exports.

    Raises:
        ModelFileError: there is no export, it is another model's, or a file is missing or changed.
    """
    folder = export_folder(files.model_id, home)
    facts = _read_facts(folder)
    if facts.get("model") != files.hashes:
        raise ModelFileError(folder / EXPORT, f"is an export of another model than {files.model_id}; export it again")
    for name, expected in facts["files"].items():
        try:
            actual = sha256_of(folder / name)
        except OSError as error:
            raise ModelFileError(folder / name, f"cannot be read ({error.strerror}); export it again") from error
        if actual != expected:
            raise ModelFileError(
                folder / name, f"has the sha256 {actual[:12]}… instead of {str(expected)[:12]}…; export it again"
            )
    return OnnxFiles(folder, facts["dimension"], facts["token_budget"], facts["pad_id"], facts["averages"])


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((folder / EXPORT).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelFileError(folder / EXPORT, "is missing: the model was not exported yet") from error
    except (OSError, ValueError) as error:
        raise ModelFileError(folder / EXPORT, "is not readable; export it again") from error
    if not isinstance(facts, dict) or not facts.keys() >= _FACTS:
        raise ModelFileError(folder / EXPORT, "is not readable; export it again")
    return facts


class OnnxEmbedder:
    """The reference's vectors within rounding, at half its latency and without its libraries.

    Its model id is the reference's: the export is held to the reference on values when it is made, and snapshots of
    one open with the other. Safe to call from several threads.

    Args:
        files: The model, for its tokenizer and its name.
        exported: Its checked export.
        threads: Threads of one call. One a worker is right for a busy server: two that wait for a core are slower
            than one.
        run: What computes the graph; None takes onnxruntime.
    """

    def __init__(self, files: ModelFiles, exported: OnnxFiles, threads: int = 1, run: Run | None = None) -> None:
        from tokenizers import Tokenizer

        self._compute = run or _onnxruntime_run(exported, threads)
        self._files = files
        self._exported = exported
        self._tokenizer = Tokenizer.from_file(str(files.path / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(exported.token_budget)

    @property
    def model_id(self) -> str:
        """See :class:`index.embedding.Embedder`."""
        return self._files.model_id

    @property
    def dimension(self) -> int:
        """See :class:`index.embedding.Embedder`."""
        return self._exported.dimension

    @property
    def token_budget(self) -> int:
        """See :class:`index.embedding.Embedder`."""
        return self._exported.token_budget

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return one unit vector a text; batches go by number of tokens, so order does not cost padding."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for rows, made, _ in self._computed(self._encode(texts), progress):
            vectors[rows] = made
        return vectors

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """See :class:`index.embedding.Embedder`."""
        if not self._exported.averages:
            return self.embed(texts, progress), parts_alone(self, texts, parts)
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        means: list[NDArray[np.float32]] = [vectors[:0]] * len(texts)
        encoded = self._encode(texts)
        for rows, made, tokens in self._computed(encoded, progress):
            vectors[rows] = made
            for row, vector, own in zip(rows, made, tokens, strict=True):
                means[row] = means_of_parts(own, encoded[row].offsets, shifted(texts[row], parts[row]), vector)
        return vectors, means

    def count_tokens(self, text: str) -> int:
        """See :class:`index.embedding.Embedder`."""
        return self._counter.count(text)

    @cached_property
    def _counter(self) -> TokenCounter:
        return TokenCounter(self._files.path)

    def _encode(self, texts: Sequence[str]) -> list[Any]:
        encodings: list[Any] = self._tokenizer.encode_batch([text.strip() for text in texts])
        return encodings

    def _computed(
        self, encoded: Sequence[Any], progress: Progress | None
    ) -> Iterator[tuple[list[int], NDArray[np.float32], NDArray[np.float32]]]:
        """Yield the rows of each batch, a vector for each, and the vectors of its tokens."""
        tokens = [encoding.ids for encoding in encoded]
        order = sorted(range(len(tokens)), key=lambda row: (len(tokens[row]), row))
        done = 0
        for rows in _batches(order, [len(row) for row in tokens]):
            yield rows, *self._run([tokens[row] for row in rows])
            done += len(rows)
            if progress is not None:
                progress(done, len(order))

    def _run(self, tokens: Sequence[Sequence[int]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        longest = max(len(row) for row in tokens)
        ids = np.full((len(tokens), longest), self._exported.pad_id, dtype=np.int64)
        mask = np.zeros((len(tokens), longest), dtype=np.int64)
        for row, numbers in enumerate(tokens):
            ids[row, : len(numbers)] = numbers
            mask[row, : len(numbers)] = 1
        return self._compute(ids, mask)


def _onnxruntime_run(exported: OnnxFiles, threads: int) -> Run:
    import onnxruntime  # type: ignore[import-untyped] # it ships none

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Every text has another length: patterns of memory that are kept for each would only grow.
    options.enable_mem_pattern = False
    session = onnxruntime.InferenceSession(str(exported.path / GRAPH), options, providers=["CPUExecutionProvider"])

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        vectors, tokens = session.run(None, {"input_ids": ids, "attention_mask": mask})
        return vectors, tokens

    return run


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Cut rows that are ordered by length into batches of texts so alike that little of a batch is padding."""
    batch: list[int] = []
    for row in order:
        full = len(batch) == _BATCH or (len(batch) + 1) * lengths[row] > _BATCH_TOKENS
        if batch and (full or lengths[row] > _STRETCH * lengths[batch[0]] + _SLACK):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
