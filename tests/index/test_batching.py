import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from index.batching import _PROBES, LONG_AT_ONCE, MOST, BatchingEmbedder
from index.embedding import Embedder, Progress
from index.onnx_embedder import OnnxEmbedder
from tests.index.fakes import HashingEmbedder


class Slow(HashingEmbedder):
    """Embeds when it is let; notes each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.batches: list[list[str]] = []
        self.begun = threading.Semaphore(0)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        self.batches.append(list(texts))
        self.begun.release()
        assert self.go.wait(10)
        if any("broken" in text for text in texts):
            raise ValueError("broken")
        return super().embed(texts, progress)


class Leaning(Slow):
    """A model whose vectors lean on the company by the last bit."""

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        vectors = super().embed(texts, progress)
        return vectors if len(texts) == 1 else np.nextafter(vectors, np.float32(2))


class LeaningWhenLong(Slow):
    """A model whose vectors lean on the company where texts are long."""

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        vectors = super().embed(texts, progress)
        if len(texts) > 1:
            long = [row for row, text in enumerate(texts) if len(text.split()) > 50]
            vectors[long] = np.nextafter(vectors[long], np.float32(2))
        return vectors


def probed(inner: Embedder) -> BatchingEmbedder:
    embedder = BatchingEmbedder(inner)
    assert not embedder.shares
    embedder.probe()
    return embedder


def asked_at_once(inner: Slow, texts: Sequence[Sequence[str]]) -> tuple[list[Any], list[list[str]]]:
    """Bring a text that is computed alone, then all others while it is; return what came of each."""
    embedder = probed(inner)
    inner.batches.clear()
    inner.begun = threading.Semaphore(0)
    inner.go.clear()

    def embed(one: Sequence[str]) -> object:
        try:
            return embedder.embed(one)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(len(texts) + 1) as pool:
        pool.submit(embed, ["first"])
        assert inner.begun.acquire(timeout=10)
        others = []
        for number, one in enumerate(texts, 1):
            others.append(pool.submit(embed, one))
            while len(embedder._waiting) < number:
                pass
        inner.go.set()
        results = [one.result(timeout=10) for one in others]
    assert not embedder._computing
    return results, inner.batches[1:]


def test_who_waits_shares_a_batch_and_everyone_gets_their_own_vector() -> None:
    texts = [[f"question {number}"] for number in range(MOST + 3)]
    results, batches = asked_at_once(Slow(), texts)
    assert [len(batch) for batch in batches] == [MOST, 3]
    assert [text for batch in batches for text in batch] == [text for (text,) in texts]  # in the order they came
    for text, vectors in zip(texts, results, strict=True):
        assert np.array_equal(vectors, HashingEmbedder().embed(text))


def test_who_brings_several_texts_waits_for_no_question_and_not_many_are_computed_at_once() -> None:
    inner = Slow()
    embedder = probed(inner)
    inner.batches.clear()
    inner.begun = threading.Semaphore(0)
    inner.go.clear()
    many = [[f"sentence {number}", "another"] for number in range(LONG_AT_ONCE + 1)]
    with ThreadPoolExecutor(5) as pool:
        alone = pool.submit(embedder.embed, ["question"])
        assert inner.begun.acquire(timeout=10)
        long = [pool.submit(embedder.embed, one) for one in many]
        for _ in range(LONG_AT_ONCE):
            assert inner.begun.acquire(timeout=10)
        assert not inner.begun.acquire(timeout=0.1)  # the last has to wait
        inner.go.set()
        assert np.array_equal(alone.result(timeout=10), HashingEmbedder().embed(["question"]))
        for one, texts in zip(long, many, strict=True):
            assert np.array_equal(one.result(timeout=10), HashingEmbedder().embed(texts))


def test_an_error_reaches_everyone_it_concerns_and_nobody_waits_for_ever() -> None:
    results, _ = asked_at_once(Slow(), [["fine"], ["broken"], *([[f"{n}"] for n in range(MOST)])])
    assert [isinstance(one, ValueError) for one in results] == [True] * MOST + [False] * 2


def test_nobody_shares_where_company_changes_a_bit() -> None:
    assert probed(Slow()).shares
    results, batches = asked_at_once(Leaning(), [[f"question {number}"] for number in range(5)])
    assert [len(batch) for batch in batches] == [1] * 5
    assert np.array_equal(results[0], HashingEmbedder().embed(["question 0"]))


def test_long_texts_are_probed_too() -> None:
    assert not probed(LeaningWhenLong()).shares


def test_the_real_model_shares_and_gives_the_same_bits(exported: OnnxEmbedder) -> None:
    shared = probed(exported)
    assert shared.shares
    tokens = [exported.count_tokens(probe) for probe in _PROBES]
    assert (len(tokens), min(tokens), max(tokens)) == (MOST, 3, 60)
    texts = [f"Does {'heat and ' * (n % 5)}rest help after {n} days?" for n in range(40)]
    with ThreadPoolExecutor(12) as pool:
        vectors = list(pool.map(lambda text: shared.embed([text])[0], texts))
    assert np.array_equal(vectors, [exported.embed([text])[0] for text in texts])
    assert (shared.model_id, shared.dimension, shared.token_budget) == (exported.model_id, 384, 256)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    BatchingEmbedder(HashingEmbedder()).embed(["a", "b"], lambda done, of: told.append((done, of)))
    assert told == [(2, 2)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_alone_it_is_the_other_embedder(count: int) -> None:
    texts = [f"text {number}" for number in range(count)]
    assert np.array_equal(BatchingEmbedder(HashingEmbedder()).embed(texts), HashingEmbedder().embed(texts))
