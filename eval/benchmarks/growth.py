"""Growth: how long do searches take, and what do they still find, as passages become many?

Texts are sentences of real answers, and beyond those their perturbations: a sentence with a few words of another in the
place of its own. Vectors are the model's for the first sentences and, for all others, one of these plus a step of
fixed length in a direction drawn by seed: embedding a million texts would take hours and say nothing more about search.
Questions and their vectors are real.
"""

import gc
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.sentences import split_sentences
from eval.benchmarks.load import memory_mb
from eval.benchmarks.pairs import Pair
from eval.measures.speed import percentiles
from index.caching import embed_cached
from index.dense import DenseIndex, nearest_rows, recall_of
from index.embedding import Embedder, Progress
from index.fusion import fuse
from index.lexical import LexicalIndex, stems
from index.retrieving import DEPTH

STEP = 0.5
"""Length of the step from a real vector to a made one: their cosine is about .89."""

_CUTOFF = 10
_WORDS_CHANGED = 0.2
_SHORTEST = 20
_BLOCK = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured with so many passages.

    Attributes:
        passages: How many.
        real: How many of the texts are real sentences.
        embedded: How many of the vectors are the model's.
        index: Kind of the dense index that was chosen.
        recall_at_10: Share of the ten nearest that it finds for real questions, against exact search.
        dense_build_s: Time to build the dense index, the measuring of its recall included.
        lexical_build_s: Time to build the lexical one.
        memory_mb: Resident memory with both, texts and vectors gone.
        dense_ms: p50, p95, p99 of the dense search for ``DEPTH`` hits, without embedding the question.
        lexical_ms: The same of the lexical one.
        fused_ms: The same of both and their fusion.
        load_average: Of this machine when the size began.
    """

    passages: int
    real: int
    embedded: int
    index: str
    recall_at_10: float
    dense_build_s: float
    lexical_build_s: float
    memory_mb: float
    dense_ms: Mapping[str, float]
    lexical_ms: Mapping[str, float]
    fused_ms: Mapping[str, float]
    load_average: float


def real_sentences(pairs: Sequence[Pair]) -> list[str]:
    """Return the different sentences of all answers, in an order by seed: every part of it has all subjects."""
    found = {
        text: None
        for pair in pairs
        for span in split_sentences(pair.answer)
        if len(text := span.slice(pair.answer)) >= _SHORTEST
    }
    sentences = list(found)
    random.Random(1).shuffle(sentences)  # noqa: S311 (a repeatable order)
    return sentences


def grown_texts(sentences: Sequence[str], count: int) -> Iterator[str]:
    """Yield so many texts: every sentence, then each with words of others, and so on."""
    for number in range(count):
        sentence = sentences[number % len(sentences)]
        yield sentence if number < len(sentences) else _perturbed(sentence, sentences, number)


def grown_vectors(real: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return so many unit vectors: the real ones, then each with a step away from it, and so on."""
    rows = np.empty((count, real.shape[1]), dtype=np.float32)
    for begin in range(0, count, _BLOCK):
        places = np.arange(begin, min(begin + _BLOCK, count))
        block = real[places % len(real)]
        steps = np.random.default_rng(begin).standard_normal(block.shape, dtype=np.float32)
        steps *= STEP / np.linalg.norm(steps, axis=1, keepdims=True)
        block = np.where((places < len(real))[:, None], block, block + steps)
        rows[places] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return rows


def measure_growth(
    pairs: Sequence[Pair],
    asked: Sequence[str],
    sizes: Sequence[int],
    embedder: Embedder,
    embedded: int,
    out: Path,
    told: Callable[[str], None],
    progress: Progress | None = None,
) -> list[Size]:
    """Build both indexes at each size and ask them all questions.

    Args:
        pairs: Real questions and answers.
        asked: Questions to search for.
        sizes: Passages, rising.
        embedder: The model.
        embedded: Sentences whose vectors are the model's.
        out: Where embeddings are kept.
        told: Told of each size when it is done.
        progress: Told of what is embedded.
    """
    sentences = real_sentences(pairs)
    real = embed_cached(sentences[:embedded], embedder, out / "sentences", progress)
    questions = embed_cached(asked, embedder, out / "questions")
    measured = []
    for size in sizes:
        measured.append(_measure(sentences, real, size, asked, questions))
        told(f"{size} passages: done")
    return measured


def as_json(sizes: Sequence[Size]) -> str:
    """Return everything that was measured."""
    return json.dumps([asdict(size) for size in sizes], indent=1) + "\n"


def render(sizes: Sequence[Size]) -> str:
    """Return it as a Markdown table."""
    heads = (
        *("passages", "dense index", "recall@10", "build s: dense, words", "memory MB", "dense p50, p99 ms"),
        *("words p50, p99 ms", "fused p50, p99 ms", "load average"),
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for one in sizes:
        times = " | ".join(f"{ms['p50']:.2f}, {ms['p99']:.2f}" for ms in (one.dense_ms, one.lexical_ms, one.fused_ms))
        lines.append(
            f"| {one.passages} | {one.index} | {one.recall_at_10:.3f} | {one.dense_build_s:.1f},"
            f" {one.lexical_build_s:.1f} | {one.memory_mb:.0f} | {times} | {one.load_average:.1f} |"
        )
    return "\n".join(lines) + "\n"


def _measure(
    sentences: Sequence[str],
    real: NDArray[np.float32],
    size: int,
    asked: Sequence[str],
    questions: NDArray[np.float32],
) -> Size:
    load_average = os.getloadavg()[0]
    began = time.perf_counter()
    lexical = LexicalIndex.build(list(grown_texts(sentences, size)))
    lexical_s = time.perf_counter() - began
    vectors = grown_vectors(real, size)
    wanted = nearest_rows(questions, vectors, _CUTOFF)
    began = time.perf_counter()
    dense = DenseIndex.build(vectors)
    dense_s = time.perf_counter() - began
    del vectors
    gc.collect()
    found = [[hit.row for hit in dense.search(vector, _CUTOFF)] for vector in questions]
    times: dict[str, list[float]] = {"dense": [], "lexical": [], "fused": []}
    for question, vector in zip(asked, questions, strict=True):
        at = [time.perf_counter()]
        near = dense.search(vector, DEPTH)
        at.append(time.perf_counter())
        by_words = lexical.search(question, DEPTH)
        at.append(time.perf_counter())
        fuse([near], by_words, len(stems(question)))
        at.append(time.perf_counter())
        for name, seconds in (("dense", at[1] - at[0]), ("lexical", at[2] - at[1]), ("fused", at[3] - at[0])):
            times[name].append(1_000 * seconds)
    return Size(
        passages=size,
        real=min(size, len(sentences)),
        embedded=min(size, len(real)),
        index=dense.kind,
        recall_at_10=recall_of(np.array(found), wanted),
        dense_build_s=dense_s,
        lexical_build_s=lexical_s,
        memory_mb=memory_mb(os.getpid()) or 0.0,
        dense_ms=percentiles(times["dense"]),
        lexical_ms=percentiles(times["lexical"]),
        fused_ms=percentiles(times["fused"]),
        load_average=load_average,
    )


def _perturbed(sentence: str, sentences: Sequence[str], number: int) -> str:
    draw = random.Random(number)  # noqa: S311 (a repeatable draw)
    words = sentence.split()
    others = sentences[draw.randrange(len(sentences))].split()
    for _ in range(max(1, round(_WORDS_CHANGED * len(words)))):
        words[draw.randrange(len(words))] = draw.choice(others)
    return " ".join(words)
