"""What the embedding model has of the time, and how far it is from what the processor could do."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from index.batching import BatchingEmbedder
from index.embedding import MeteredEmbedder, TokenCounter
from index.model_files import ModelFiles
from index.retrieving import Filters
from service.answering.records import Question
from service.application import load_parts
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Embedding:
    """What the embedding model has of Backline's time, in one thread, without HTTP.

    Attributes:
        share_of_search: Share of a search that it takes.
        share_of_ask: Share of a whole cited answer.
        question_ms: Time of one question.
        question_tokens: Mean tokens of a question.
        limit_ms: What its floating-point operations would take at the machine's measured peak.
        peak_gflops: That peak: the best matrix product of one thread in single precision.
    """

    share_of_search: float
    share_of_ask: float
    question_ms: float
    question_tokens: float
    limit_ms: float
    peak_gflops: float


def measure_embedding(
    settings: Settings, files: ModelFiles, questions: Sequence[str], collection: str
) -> tuple[Embedding, str]:
    """Measure what the model has of Backline's time, and how far it is from what the processor could do.

    Args:
        settings: They name the home.
        files: The checked model.
        questions: Asked one after the other.
        collection: What is asked.

    Returns:
        That, and what runs the model.
    """
    parts = load_parts(settings)
    metered = MeteredEmbedder(parts.embedder)
    replier, _ = replace(parts, asked=BatchingEmbedder(metered)).open_newest()
    shares = []
    alone = 0.0
    for asked in (False, True):
        for question in questions[:20]:
            replier.answerer.retriever.search(question, 10, Filters(collection=collection))
        metered.seconds, metered.embedded = 0.0, 0
        began = time.perf_counter()
        for question in questions:
            if asked:
                replier.reply(Question(question, collection=collection))
            else:
                replier.answerer.retriever.search(question, 10, Filters(collection=collection))
        shares.append(metered.seconds / (time.perf_counter() - began))
        alone = alone or 1000 * metered.seconds / metered.embedded
    counter = TokenCounter(files.path)
    tokens = [counter.count(question) for question in questions]
    peak = gemm_peak()
    shape = json.loads((files.path / "config.json").read_text(encoding="utf-8"))
    limit = sum(forward_flops(count, shape) for count in tokens) / len(tokens) / peak / 1e6
    return Embedding(shares[0], shares[1], alone, sum(tokens) / len(tokens), limit, peak), parts.backend


def forward_flops(tokens: int, shape: Mapping[str, int]) -> float:
    """Return the floating-point operations of one forward pass of an encoder, a multiplication and an addition two.

    Args:
        tokens: Length of the text.
        shape: ``hidden_size``, ``intermediate_size`` and ``num_hidden_layers`` of the model.
    """
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    projections = 2 * tokens * (4 * hidden * hidden + 2 * hidden * inner)
    attention = 4 * tokens * tokens * hidden
    return float(shape["num_hidden_layers"] * (projections + attention))


def gemm_peak() -> float:
    """Return the best rate of a matrix product of one thread in single precision, in GFLOP/s."""
    program = (
        "import numpy as n,time as t;a=n.ones((1536,1536),n.float32);b=[]\n"
        "for _ in range(9):\n s=t.perf_counter();a@a;b.append(t.perf_counter()-s)\n"
        "print(2*1536**3/min(b)/1e9)"
    )
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], env={**os.environ, **threads}, capture_output=True, text=True, check=True
    )
    return float(done.stdout)
