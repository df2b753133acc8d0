"""The reference embedder with the real model."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.records import Span
from index.embedding import SentenceTransformersEmbedder, TokenCounter
from index.model_files import check_model_files

TEXTS = [
    "Heat can relax tight muscles.",
    "Ice",
    "",
    "How long does a back spasm last, and when should I worry about it?",
    "Étirez-vous — stretch “gently” 🙂",
    *[f"Sentence {n} about the lower back and {'rest ' * (n // 3)}" for n in range(40)],
]


@pytest.fixture(scope="module")
def vectors(reference: SentenceTransformersEmbedder) -> NDArray[np.float32]:
    return reference.embed(TEXTS)


def test_the_hub_is_switched_off(reference: SentenceTransformersEmbedder) -> None:
    assert reference.model_id == "all-MiniLM-L6-v2@53aa51172d14"
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TOKENIZERS_PARALLELISM")
    assert [os.environ[name] for name in names] == ["1", "1", "1", "false"]


def test_vectors_are_float32_of_unit_length_and_dimension_384(
    reference: SentenceTransformersEmbedder, vectors: NDArray[np.float32]
) -> None:
    assert vectors.shape == (45, 384)
    assert vectors.dtype == np.dtype("float32")
    assert reference.dimension == 384
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(45), abs=1e-6)


def test_the_order_and_company_of_texts_do_not_matter(
    reference: SentenceTransformersEmbedder, vectors: NDArray[np.float32]
) -> None:
    assert np.abs(reference.embed(TEXTS[::-1])[::-1] - vectors).max() <= 1e-5
    alone = np.concatenate([reference.embed([text]) for text in TEXTS[:5]])
    assert np.abs(alone - vectors[:5]).max() <= 1e-5


def test_the_same_texts_give_the_same_bits(
    reference: SentenceTransformersEmbedder, vectors: NDArray[np.float32]
) -> None:
    assert np.array_equal(reference.embed(TEXTS), vectors)


def test_threads_that_embed_at_once_use_the_tokenizer_in_turn(
    reference: SentenceTransformersEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, inside, most = reference._model.encode, threading.Semaphore(6), []

    def encode(*given: Any, **options: Any) -> Any:
        with inside:
            most.append(6 - inside._value)
            time.sleep(0.01)
            return real(*given, **options)

    monkeypatch.setattr(reference._model, "encode", encode)
    with ThreadPoolExecutor(6) as pool:
        whole = [pool.submit(reference.embed, ["Ice"]) for _ in range(6)]
        cut = [pool.submit(reference.embed_parts, ["Heat helps."], [[Span(0, 4)]]) for _ in range(6)]
    assert len([one.result() for one in whole]) == len([one.result() for one in cut]) == 6
    assert max(most) == 1


def test_what_means_the_same_is_nearer(reference: SentenceTransformersEmbedder) -> None:
    question, near, far = reference.embed(
        ["How long does a back spasm last?", "Duration of muscle spasms in the back", "The train leaves at noon."]
    )
    assert float(question @ near) > 0.7
    assert float(question @ far) < 0.2


def test_progress_is_told_and_nothing_embeds_to_nothing(reference: SentenceTransformersEmbedder) -> None:
    told: list[tuple[int, int]] = []
    reference.embed(TEXTS, lambda done, of: told.append((done, of)))
    assert told == [(32, 45), (45, 45)]
    assert reference.embed([]).shape == (0, 384)


def test_tokens_are_counted_with_the_special_ones_and_beyond_the_budget(
    reference: SentenceTransformersEmbedder,
) -> None:
    assert reference.token_budget == 256
    # [CLS] back spa ##sms [SEP]
    assert reference.count_tokens("back spasms") == 5
    assert reference.count_tokens("") == 2
    assert reference.count_tokens("back " * 1000) == 1002


def test_the_counter_knows_the_models_words() -> None:
    vocabulary = TokenCounter(check_model_files().path).vocabulary()
    assert {"back", "yoga", "##ing"} <= set(vocabulary)
    assert "[CLS]" in vocabulary
