"""Two engines held against each other on the same passages, vectors and questions: do they find the same?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from corpus.records import Passage
from corpus.splitting import split_document
from eval.benchmarks.pairs import Pair, documents_of
from eval.measures.retrieval import ndcg_at
from index.embedding import Embedder
from index.engines.protocol import PassageEngine, search_fused

CUTOFF = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two engines found for the same questions.

    Attributes:
        passages: Passages in each.
        questions: Questions that were asked.
        same_dense: Share of questions with the same ten nearest passages, as sets.
        same_order: Share of questions with the same ten in the same order.
        ndcg: nDCG@10 of the fused search, by engine.
        dense_ms: Median time of a dense search, milliseconds, by engine.
        fused_ms: Median time of a fused search, milliseconds, by engine.
    """

    passages: int
    questions: int
    same_dense: float
    same_order: float
    ndcg: Mapping[str, float]
    dense_ms: Mapping[str, float]
    fused_ms: Mapping[str, float]


def first_passages(pairs: Sequence[Pair], embedder: Embedder, most: int) -> list[Passage]:
    """Split the answers in order until there are so many passages; a collection that is smaller gives all."""
    passages: list[Passage] = []
    for document in documents_of(pairs):
        passages += split_document(document, embedder.count_tokens, embedder.token_budget)
        if len(passages) >= most:
            break
    return passages[:most]


def compare_engines(
    engines: Mapping[str, PassageEngine],
    questions: Sequence[str],
    vectors: NDArray[np.float32],
    relevant: Sequence[str],
) -> Comparison:
    """Ask two engines, which hold the same passages, the same questions.

    Args:
        engines: The two, by name.
        questions: The questions.
        vectors: Their embeddings, shape ``(questions, dimension)``.
        relevant: The document that answers each question.

    Raises:
        ValueError: they are not two, or do not hold as many passages.
    """
    if len(engines) != 2 or len({len(engine) for engine in engines.values()}) != 1:
        raise ValueError("two engines are compared, with the same passages")
    dense: dict[str, list[list[str]]] = {name: [] for name in engines}
    gains: dict[str, list[float]] = {name: [] for name in engines}
    dense_ms: dict[str, list[float]] = {name: [] for name in engines}
    fused_ms: dict[str, list[float]] = {name: [] for name in engines}
    for question, vector, document in zip(questions, vectors, relevant, strict=True):
        for name, engine in engines.items():
            began = perf_counter()
            near = engine.search_dense(vector, CUTOFF)
            dense_ms[name].append(1_000 * (perf_counter() - began))
            began = perf_counter()
            fused = search_fused(engine, question, vector, CUTOFF)
            fused_ms[name].append(1_000 * (perf_counter() - began))
            dense[name].append([one.passage.id for one in near])
            documents = list(dict.fromkeys(one.passage.document_id for one in fused))
            gains[name].append(ndcg_at(documents, {document: 1}, CUTOFF))
    pairs = list(zip(*dense.values(), strict=True))
    return Comparison(
        passages=len(next(iter(engines.values()))),
        questions=len(questions),
        same_dense=fmean(set(one) == set(other) for one, other in pairs),
        same_order=fmean(one == other for one, other in pairs),
        ndcg={name: fmean(values) for name, values in gains.items()},
        dense_ms={name: median(values) for name, values in dense_ms.items()},
        fused_ms={name: median(values) for name, values in fused_ms.items()},
    )
