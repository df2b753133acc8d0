"""A run: every figure of one evaluation with what it was made of, stored as JSON."""

import json
import os
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from eval.errors import RunError
from eval.failures import kind_of_failure, turn_of
from eval.measures.calibration import measure_calibration, outcomes, reliability_bins
from eval.measures.citations import measure_citations
from eval.measures.correctness import is_right
from eval.measures.following_up import measure_follow_ups
from eval.measures.key_fact import measure_key_facts
from eval.measures.length import measure_length
from eval.measures.proof import DocumentText, measure_proof
from eval.measures.retrieval import CUTOFF, first_rank, measure_retrieval, rank_of_right_source, recall_by_cutoff
from eval.measures.right_source import measure_right_source
from eval.measures.risk_coverage import curve, measure_risk
from eval.measures.silence import measure_silence, recall_by_category
from eval.measures.speed import cumulative, measure_speed, percentiles_by_stage
from eval.measures.triage import measure_triage, rows_by_rule
from eval.records import AnswerItem, DeclineItem, Exchange, Figure, Measured, QuestionSet, TriageItem
from eval.significance import SEED

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation.

    Attributes:
        about: What ran: date, split, sets with their hashes, target, snapshot, model, seed, versions, machine.
        figures: The headline table; the same every time for the same target and sets.
        speed: The figures that are never the same twice.
        misses: Failures by kind.
        tables: Figures by slice: ``category``, ``phrasing``, ``source``, ``turn``, ``rule``; ``searcher`` (questions
            with a right source among the first 1, 2, … passages of each searcher by itself), ``stage``, ``latency``.
        curves: Points of the plots: ``reliability``, ``risk_coverage``, ``rank``, ``recall``.
        scores: Score of each case, by figure and item, for paired comparison.
        failed: Ids of the items on which something went wrong.
    """

    about: Mapping[str, Any]
    figures: tuple[Figure, ...]
    speed: tuple[Figure, ...]
    misses: Mapping[str, int]
    tables: Mapping[str, Any] = field(default_factory=dict)
    curves: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    failed: tuple[str, ...] = ()

    def figure(self, name: str) -> Figure | None:
        """Return the figure of that name, None where this run has none."""
        return next((figure for figure in (*self.figures, *self.speed) if figure.name == name), None)


def measure_all(
    exchanges: Sequence[Exchange], document_text: DocumentText, about: Mapping[str, Any] | None = None
) -> Run:
    """Measure every exchange of a run; a measure without cases is left out."""
    questions = [ex for ex in exchanges if not isinstance(ex.item, TriageItem)]
    measured: list[Measured] = [
        *measure_triage(exchanges),
        *measure_retrieval(questions),
        *measure_key_facts(questions),
        *measure_right_source(questions),
        *measure_follow_ups(questions),
        *measure_proof(questions, document_text),
        *measure_citations(questions),
        *measure_silence(questions),
        *measure_risk(questions),
        *measure_calibration(questions),
        *measure_length(questions),
    ]
    kept = [one for one in measured if one.figure.n]
    failed = {ex.item.id: kind for ex in exchanges if (kind := kind_of_failure(ex)) is not None}
    return Run(
        about=about or {},
        figures=tuple(one.figure for one in kept),
        speed=tuple(one.figure for one in measure_speed(exchanges)),
        misses=dict(sorted(Counter(failed.values()).items())),
        tables=_tables(exchanges),
        curves=_curves(questions),
        scores={one.figure.name: dict(one.scores) for one in kept if one.scores},
        failed=tuple(failed),
    )


def describe(
    sets: Sequence[tuple[QuestionSet, int]],
    split: str,
    target: str,
    bodies: Sequence[Mapping[str, Any]],
    mode: str = "extractive",
) -> dict[str, Any]:
    """Say what ran, as far as the sets and the replies tell.

    Args:
        sets: Each set with the number of its items that were asked.
        split: ``dev``, ``report``, or ``own`` for a user's files.
        target: Name of the target.
        bodies: The replies as they came.
        mode: How answers were made.
    """
    first = next((body for body in bodies if body), {})
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "split": split,
        "sets": [
            {"name": part.name, "sha256": part.sha256, "items": len(part.items), "asked": asked} for part, asked in sets
        ],
        "target": target,
        "mode": mode,
        "snapshot_id": first.get("snapshot_id"),
        "model": first.get("model"),
        "seed": SEED,
        "versions": {"python": platform.python_version(), **_versions("backline", "numpy", "onnxruntime", "faiss-cpu")},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def write_run(run: Run, path: Path) -> None:
    """Write the run as JSON; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {"format": FORMAT, **asdict(run)}
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_run(path: Path) -> Run:
    """Read a stored run; a folder stands for its ``run.json``.

    Raises:
        RunError: the file is missing, is no run, or has another format.
    """
    path = path / "run.json" if path.is_dir() else path
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != FORMAT:
            raise RunError(str(path), f"has format {body['format']}, this version reads {FORMAT}")
        return Run(
            about=body["about"],
            figures=tuple(Figure(**figure) for figure in body["figures"]),
            speed=tuple(Figure(**figure) for figure in body["speed"]),
            misses=body["misses"],
            tables=body["tables"],
            curves=body["curves"],
            scores=body["scores"],
            failed=tuple(body["failed"]),
        )
    except OSError as fault:
        raise RunError(str(path), f"cannot be read: {fault.strerror}") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise RunError(str(path), f"is no run: {fault!r}") from fault


def _tables(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    answers = [ex for ex in exchanges if isinstance(ex.item, AnswerItem)]
    return {
        "category": {name: list(counts) for name, counts in recall_by_category(exchanges).items()},
        "phrasing": _slices(answers, lambda item: (item.phrasing,)),
        "source": _slices(answers, lambda item: item.sources),
        "turn": _slices(answers, lambda item: (turn_of(item),)) if any(ex.item.history for ex in answers) else {},
        "searcher": _by_searcher(answers),
        "rule": [asdict(row) for row in rows_by_rule(exchanges)],
        "stage": percentiles_by_stage(exchanges),
        "latency": cumulative(exchanges),
    }


def _by_searcher(answers: Sequence[Exchange]) -> dict[str, list[int]]:
    """Count the questions with a right source among the first 1, 2, … passages of each searcher by itself."""
    rows: dict[str, list[int]] = {}
    for ex in answers:
        for name, ranking in ex.by_searcher.items():
            row = rows.setdefault(name, [0] * CUTOFF)
            rank = first_rank(ranking, ex.item.sources) if isinstance(ex.item, AnswerItem) else None
            for k in range(rank or CUTOFF + 1, CUTOFF + 1):
                row[k - 1] += 1
    return rows


def _slices(answers: Sequence[Exchange], names: Callable[[AnswerItem], Sequence[str]]) -> dict[str, list[int]]:
    """Count right answers, answers and questions by slice."""
    rows: dict[str, list[int]] = {}
    for ex in answers:
        if isinstance(ex.item, AnswerItem):
            for name in names(ex.item):
                row = rows.setdefault(name, [0, 0, 0])
                row[0] += is_right(ex)
                row[1] += ex.reply.is_answered
                row[2] += 1
    return dict(sorted(rows.items()))


def _curves(questions: Sequence[Exchange]) -> dict[str, Any]:
    cases = outcomes(questions)
    ranks = [rank_of_right_source(ex) for ex in questions if isinstance(ex.item, AnswerItem)]
    found = Counter(rank for rank in ranks if rank is not None)
    threshold = next((ex.reply.threshold for ex in questions if ex.reply.threshold is not None), None)
    asked = sum(isinstance(ex.item, AnswerItem | DeclineItem) for ex in questions)
    return {
        "reliability": [asdict(one) for one in reliability_bins(cases)],
        "risk_coverage": [asdict(point) for point in curve(cases, asked)],
        "threshold": threshold,
        "rank": [sum(found[rank] for rank in range(1, k + 1)) for k in range(1, CUTOFF + 1)],
        "recall": recall_by_cutoff(questions),
        "asked": len(ranks),
    }


def _versions(*names: str) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
