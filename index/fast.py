"""The exported model in bf16, where the processor has it. The only file that imports openvino.

The choice is automatic and checked: when an index is built, vectors made in bf16 are held against those in full
precision on this machine, with this version of the library. Only a check that was passed lets bf16 be used.
"""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding import Embedder, least_cosine
from index.manifest import sha256_of
from index.model_files import ModelFiles
from index.onnx_embedder import EXPORT, GRAPH, OnnxEmbedder, OnnxFiles, Run

_log = logging.getLogger(__name__)

EXACT = "onnxruntime"
FAST = "openvino bf16"
"""What runs the model, as ``/readyz`` says."""

LEAST_COSINE = 0.9999
LEAST_SAME = 0.99
"""Share of questions whose ten nearest texts must be the same."""

MOST_QUESTIONS = 200
_MULTIPLE = 8
"""Lengths are filled up to multiples of it: fewer shapes to prepare for."""


@dataclass(frozen=True, slots=True)
class Check:
    """How bf16 did against full precision.

    Attributes:
        runtime: Version of the library, and the processor.
        graph: sha256 of the list of the export's hashes.
        texts: Texts that were compared.
        least_cosine: Lowest cosine of the two vectors of a text.
        same_top_10: Share of questions whose ten nearest texts are the same.
    """

    runtime: str
    graph: str
    texts: int
    least_cosine: float
    same_top_10: float

    @property
    def passed(self) -> bool:
        """Whether the difference is too small to show."""
        return self.least_cosine >= LEAST_COSINE and self.same_top_10 >= LEAST_SAME


def runtime() -> str | None:
    """Name library and processor; None where the extra ``fast`` is not installed or the processor has no bf16."""
    try:
        installed = version("openvino")
    except PackageNotFoundError:
        return None
    flags = _processor()
    return f"openvino {installed}, {flags[0]}" if "amx_bf16" in flags[1] or "avx512_bf16" in flags[1] else None


def _processor() -> tuple[str, frozenset[str]]:
    name, flags = "", frozenset[str]()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n", 1)[0].split("\n")
    except OSError:
        return name, flags
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() == "flags":
            flags = frozenset(value.split())
    return name, flags


def bf16_run(exported: OnnxFiles, threads: int = 1) -> Run:
    """Compile the exported graph for bf16; safe to call from several threads."""
    import openvino

    compiled = openvino.Core().compile_model(
        str(exported.path / GRAPH),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"},
    )
    requests = threading.local()

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if not hasattr(requests, "mine"):
            requests.mine = compiled.create_infer_request()
        more = -ids.shape[1] % _MULTIPLE
        inputs = {
            "input_ids": np.pad(ids, ((0, 0), (0, more)), constant_values=exported.pad_id),
            "attention_mask": np.pad(mask, ((0, 0), (0, more))),
        }
        vectors, tokens = (np.array(made, dtype=np.float32) for made in requests.mine.infer(inputs).values())
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), tokens

    return run


def choose_embedder(
    files: ModelFiles, exported: OnnxFiles, threads: int = 1, probes: Callable[[], Sequence[str]] | None = None
) -> tuple[OnnxEmbedder, str]:
    """Return the quickest embedder that holds on this machine, and what runs it.

    Args:
        files: The checked model.
        exported: Its checked export.
        threads: Cores of one call.
        probes: At least 500 texts for a check where none was made here yet, which takes seconds; None makes none.
    """
    here, graph = runtime(), sha256_of(exported.path / EXPORT)
    if here is None:
        return OnnxEmbedder(files, exported, threads), EXACT
    try:
        check = read_check(exported)
        if probes is not None and (check is None or (check.runtime, check.graph) != (here, graph)):
            fast = OnnxEmbedder(files, exported, threads, bf16_run(exported, threads))
            check = compare(fast, OnnxEmbedder(files, exported, threads), probes(), here, graph)
            write_check(exported, check)
        if holds(check, here, graph):
            return OnnxEmbedder(files, exported, threads, bf16_run(exported, threads)), FAST
    except (ImportError, RuntimeError) as error:
        _log.warning("bf16 is not used: %s", type(error).__name__)
    return OnnxEmbedder(files, exported, threads), EXACT


def compare(fast: Embedder, exact: Embedder, texts: Sequence[str], runtime_name: str, graph: str) -> Check:
    """Hold one embedder to the other on values and on what they find.

    Args:
        fast: What is checked.
        exact: What it is held to.
        texts: At least 500, all different; the first ``MOST_QUESTIONS`` are the questions too.
        runtime_name: What :func:`runtime` says.
        graph: sha256 of the list of the export's hashes.
    """
    ours, theirs = fast.embed(texts), exact.embed(texts)
    found = []
    for vectors in (ours, theirs):
        cosines = vectors[:MOST_QUESTIONS] @ vectors.T
        found.append([frozenset(row[:10].tolist()) for row in np.argsort(-cosines, axis=1, kind="stable")])
    same = [one == other for one, other in zip(*found, strict=True)]
    least = min(least_cosine(fast, exact, texts[:MOST_QUESTIONS]), float(np.einsum("ij,ij->i", ours, theirs).min()))
    return Check(runtime_name, graph, len(texts), least, sum(same) / len(same))


def read_check(exported: OnnxFiles) -> Check | None:
    """Return the check that was made of an export, or None where there is none that can be read."""
    try:
        return Check(**json.loads(_path(exported).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_check(exported: OnnxFiles, check: Check) -> None:
    """Keep a check beside its export."""
    aside = _path(exported).with_suffix(".new")
    aside.write_text(json.dumps(asdict(check), indent=1) + "\n", encoding="utf-8")
    aside.replace(_path(exported))


def holds(check: Check | None, runtime_name: str | None, graph: str) -> bool:
    """Whether a check allows bf16 here: it was passed, by this graph, on this processor, with this library."""
    return check is not None and check.passed and (check.runtime, check.graph) == (runtime_name, graph)


def _path(exported: OnnxFiles) -> Path:
    return exported.path.with_name(f"{exported.path.name}.bf16.json")
