"""Backline beside other services, as a table and as JSON."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict

from eval.benchmarks.physical_limit import Embedding
from eval.benchmarks.side_by_side import Result

_COLUMNS = (
    *("service", "indexing, passages/s", "start → first answer s", "one asker p50 ms", "32 askers req/s", "p50 ms"),
    *("memory MB ready, loaded", "failed", "load average"),
)


def ratios(ours: Result, peers: Sequence[Result]) -> dict[str, float]:
    """Return each figure of ours by that of the better peer."""
    return {
        "requests/s, 32 askers": ours.per_second / max(peer.per_second for peer in peers),
        "p50, one asker": ours.p50_alone_ms / min(peer.p50_alone_ms for peer in peers),
        "memory": ours.loaded_mb / min(peer.loaded_mb for peer in peers),
        "indexing": ours.passages_per_second / max(peer.passages_per_second for peer in peers),
        "start to first answer": ours.first_answer_s / min(peer.first_answer_s for peer in peers),
    }


def render(
    results: Sequence[Result], ours: int, embedding: Embedding, passages: int, questions: int, backend: str
) -> str:
    """Return everything as Markdown.

    Args:
        results: Ours first.
        ours: How many of them are ours.
        embedding: What the model has of the time.
        passages: Passages in each index.
        questions: Different questions.
        backend: What runs our model.
    """
    about = f"{passages} passages, {questions} questions, {os.cpu_count()} cores, one process each; {backend}"
    lines = [about, "", "| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    lines += [
        f"| {one.name} | {one.passages_per_second:.1f} | {one.first_answer_s:.2f} | {one.p50_alone_ms:.1f} "
        f"| {one.per_second:.1f} | {one.p50_together_ms:.0f} | {one.ready_mb:.0f}, {one.loaded_mb:.0f} "
        f"| {100 * one.failed:.1f} % | {one.load_average:.1f} |"
        for one in results
    ]
    held = [(one.name, ratios(one, results[ours:])) for one in results[:ours]]
    lines += ["", f"| to the better peer | {' | '.join(held[0][1])} |", f"|---|{'---|' * len(held[0][1])}"]
    lines += [f"| {name} | {' | '.join(f'{value:.2f} ×' for value in found.values())} |" for name, found in held]
    lines += ["", _of_embedding(embedding)]
    return "\n".join(lines) + "\n"


def _of_embedding(found: Embedding) -> str:
    return (
        f"The model has {100 * found.share_of_search:.0f} % of the time of a search and"
        f" {100 * found.share_of_ask:.0f} % of that of a whole answer (one thread, without HTTP). A question of"
        f" {found.question_tokens:.1f} tokens takes it {found.question_ms:.2f} ms; its operations at the measured peak"
        f" of {found.peak_gflops:.0f} GFLOP/s would take {found.limit_ms:.2f} ms:"
        f" {found.question_ms / found.limit_ms:.1f} times the limit."
    )


def as_json(results: Sequence[Result], ours: int, embedding: Embedding) -> str:
    """Return everything that was measured."""
    body = {
        "results": [asdict(one) for one in results],
        "ratios": {one.name: ratios(one, results[ours:]) for one in results[:ours]},
        "embedding": asdict(embedding),
    }
    return json.dumps(body, indent=1) + "\n"
