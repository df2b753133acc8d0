"""Whether bf16 is taken: by a check of values on this machine, never by hope."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index import fast
from index.fast import EXACT, FAST, Check, choose_embedder, compare, holds, read_check, write_check
from index.model_files import ModelFiles
from index.onnx_embedder import OnnxFiles, Run, check_onnx_files
from tests.index.fakes import HashingEmbedder

TEXTS = [f"{number} minutes of walking on day {number % 7}" for number in range(500)]
HERE = "openvino 1, a processor"


class Shifted(HashingEmbedder):
    """Vectors that are a little, or much, beside those of another embedder."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by

    def embed(self, texts: Sequence[str], progress: object = None) -> NDArray[np.float32]:
        del progress
        vectors = super().embed(texts)
        vectors = vectors + self.by * np.roll(vectors, 1, axis=1)
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


@pytest.mark.parametrize(("by", "passed"), [(0.0, True), (0.0005, True), (0.2, False)])
def test_the_check_is_of_values_and_of_what_is_found(by: float, passed: bool) -> None:  # noqa: FBT001 - a case
    check = compare(Shifted(by), HashingEmbedder(), TEXTS, HERE, "sha")
    assert check.passed is passed
    assert (check.least_cosine > 0.9999) is passed
    assert check.texts == 500


@pytest.mark.parametrize(("least", "same", "passed"), [(0.9999, 0.99, True), (0.9998, 1.0, False), (1.0, 0.98, False)])
def test_both_limits_must_hold(least: float, same: float, passed: bool) -> None:  # noqa: FBT001 - a case
    assert Check(HERE, "sha", 500, least, same).passed is passed


def test_a_check_counts_for_one_graph_one_processor_and_one_version() -> None:
    check = Check(HERE, "sha", 500, 1.0, 1.0)
    assert holds(check, HERE, "sha")
    assert not holds(check, "openvino 2, a processor", "sha")
    assert not holds(check, HERE, "other")
    assert not holds(None, HERE, "sha")
    assert not holds(Check(HERE, "sha", 500, 0.9, 1.0), HERE, "sha")


def test_a_check_is_kept_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    exported = OnnxFiles(tmp_path / "model-onnx1", 384, 256, 0)
    check = Check(HERE, "sha", 500, 0.99995, 0.995)
    assert read_check(exported) is None
    write_check(exported, check)
    assert read_check(exported) == check
    (tmp_path / "model-onnx1.bf16.json").write_text("{}")
    assert read_check(exported) is None


@pytest.fixture
def fresh(model: ModelFiles, exports: Path, tmp_path: Path) -> OnnxFiles:
    """An export in a folder of its own, where no check was made."""
    made = check_onnx_files(model, exports)
    (tmp_path / made.path.name).symlink_to(made.path)
    return OnnxFiles(tmp_path / made.path.name, made.dimension, made.token_budget, made.pad_id)


def wrong_run(_exported: OnnxFiles, _threads: int = 1) -> Run:
    def run(ids: NDArray[np.int64], _mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        vectors = np.zeros((len(ids), 384), dtype=np.float32)
        vectors[:, 0] = 1.0
        return vectors, np.zeros((*ids.shape, 384), dtype=np.float32)

    return run


def test_what_fails_the_check_is_not_used(model: ModelFiles, fresh: OnnxFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "runtime", lambda: HERE)
    monkeypatch.setattr(fast, "bf16_run", wrong_run)
    _, backend = choose_embedder(model, fresh, probes=lambda: TEXTS)
    assert backend == EXACT
    check = read_check(fresh)
    assert check is not None
    assert not check.passed


def test_without_a_check_or_the_library_nothing_changes(
    model: ModelFiles, fresh: OnnxFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "runtime", lambda: HERE)
    assert choose_embedder(model, fresh)[1] == EXACT
    monkeypatch.setattr(fast, "runtime", lambda: None)
    assert choose_embedder(model, fresh, probes=lambda: TEXTS)[1] == EXACT
    assert read_check(fresh) is None


@pytest.mark.skipif(
    find_spec("openvino") is None or fast.runtime() is None, reason="the extra fast, or bf16, is missing"
)
def test_bf16_is_repeatable_and_near_the_exact_vectors(model: ModelFiles, fresh: OnnxFiles) -> None:
    embedder, backend = choose_embedder(model, fresh, probes=lambda: TEXTS)
    check = read_check(fresh)
    assert check is not None
    assert check.least_cosine >= 0.9999
    assert (backend == FAST) is check.passed
    assert np.array_equal(embedder.embed(TEXTS[:3]), embedder.embed(TEXTS[:3]))
