"""Fit the probability that an answer is right, and the threshold below which the service stays silent.

The model is a logistic regression on a handful of features that the service states for a question: small enough to
read, and to carry in one JSON file. The target is 1 where the answer that would be given, whatever the threshold in
use, meets all key facts and cites a right source; 0 for every other answer, and for each question that should be
declined. Questions that the service declines for what they ask (personal advice) never reach the threshold and are
left out.

By default the threshold is the probability from which on an answer costs less than silence, a wrong answer and a
needless refusal costing the same unless told otherwise: it follows from the costs alone, so that a few questions more
or less do not move it. With a stated risk it is chosen on held-back probabilities (each question is scored by fits that
have not seen it, ten folds, five times over, seed fixed): the lowest one that keeps the share of wrong answers below
the risk, with one wrong answer added for the question that comes next, as conformal risk control asks.

Questions whose failures have been read by whoever wrote the rules are easier than those of the next person. Where some
are known that nobody has read so far, each of them may count as several.

Source: D. R. Cox (1958), The regression analysis of binary sequences, JRSS B 20; C. K. Chow (1970), On optimum
recognition error and reject tradeoff, IEEE Trans. Inf. Theory 16; A. N. Angelopoulos, S. Bates,
A. Fisch, L. Lei, T. Schuster (2022), Conformal risk control, arXiv:2208.02814.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eval.datasets import load_set, shipped_path
from eval.errors import CalibrationError
from eval.measures.calibration import calibration_error
from eval.measures.key_fact import is_said
from eval.records import AnswerItem, DeclineItem, QuestionSet
from eval.significance import SEED

Floats = NDArray[np.float64]

FOLDS = 10
REPEATS = 5
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Weights of the penalty that are tried; the one with the least held-back log loss is kept."""

_FEWEST_OF_A_KIND = 10
_STEPS = 50
_CONSTANT = 1e-9


class Composer(Protocol):
    """The part of the service that a calibration needs."""

    @property
    def model_id(self) -> str:
        """Embedding model that the features come from."""
        ...

    def features(self, question: str, history: tuple[str, ...] = ()) -> dict[str, float]:
        """Return the features of a question, the same names for each."""
        ...

    def compose_unconditionally(self, question: str, history: tuple[str, ...] = ()) -> tuple[set[str], list[str], str]:
        """Return fact ids, sources and text of the answer that would be given at any probability."""
        ...

    def ask(self, question: str, history: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the ``/v1/ask`` object."""
        ...


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted probability.

    Attributes:
        features: Names, in the order of the columns.
        mean: Mean of each column on the fitted set.
        scale: Standard deviation of each, 1 where it is constant.
        weights: Weight of each standardised column.
        intercept: Constant.
        strength: Weight of the penalty.
    """

    features: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: Floats
    intercept: float
    strength: float

    def probabilities(self, table: Floats) -> Floats:
        """Return the probability of each row of ``table``, shape ``(questions, features)``."""
        return _sigmoid((table - self.mean) / self.scale @ self.weights + self.intercept)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where the service turns silent, with what that buys on held-back probabilities.

    Attributes:
        value: Probability below which it abstains.
        risk: Share wrong among the answers given.
        coverage: Share of the questions answered.
        needless: Share of the right answers that are withheld.
    """

    value: float
    risk: float
    coverage: float
    needless: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What is fitted: features by question, whether its answer is right, and as how many questions it counts."""

    names: tuple[str, ...]
    table: Floats
    right: NDArray[np.bool_]
    counts: Floats | None = None

    def part(self, rows: NDArray[np.bool_]) -> "Sample":
        """Return some of the questions."""
        return Sample(
            self.names, self.table[rows], self.right[rows], None if self.counts is None else self.counts[rows]
        )


def calibrate_service(
    files: Sequence[Path],
    out: Path | None,
    risk: float | None = None,
    wrong_cost: float = 1.0,
    composer: Composer | None = None,
    unread: Sequence[str] = (),
    unread_count: float = 1.0,
) -> Iterator[str]:
    """Fit on a set, write the file of the service and say what came of it, line by line.

    Args:
        files: Sets of questions; without any, the shipped development halves of answers and dialogues.
        out: Where the fit goes; the service's own file by default.
        risk: Highest share of wrong answers wanted; None weighs costs instead.
        wrong_cost: Cost of a wrong answer, a needless refusal costing 1.
        composer: Asked in place of our own service.
        unread: How the ids of questions begin whose failures nobody has read.
        unread_count: As how many questions each of them counts.

    Raises:
        SetError: the set holds faults.
        CalibrationError: too few right or too few wrong answers to fit anything.
    """
    chosen = [load_set(path) for path in files or [shipped_path(name, "dev") for name in ("answers", "dialogues")]]
    asked = composer or _open_service()
    sample = collect(asked, chosen, tuple(unread), unread_count)
    names = " and ".join(part.name for part in chosen)
    yield f"{len(sample.right)} questions of {names}: {int(sample.right.sum())} would be answered rightly"
    strength, held_back = cross_validate(sample)
    threshold = choose_threshold(held_back, sample.right, risk, wrong_cost)
    fit = fit_logistic(sample, strength)
    path = out or _service_file()
    write_fit(fit, threshold, chosen, asked.model_id, len(sample.right), path, dict.fromkeys(unread, unread_count))
    error = calibration_error(list(zip(held_back.tolist(), sample.right.tolist(), strict=True)))
    loss = log_loss(held_back, sample.right, sample.counts)
    yield f"held back: log loss {loss:.3f}, calibration error {error or 0:.3f}"
    yield (
        f"threshold {threshold.value:.3f}: answers {100 * threshold.coverage:.1f} % of them, "
        f"{100 * threshold.risk:.1f} % of its answers wrong, {100 * threshold.needless:.1f} % of right ones withheld"
    )
    yield f"written to {path}"


def collect(
    composer: Composer, chosen: Sequence[QuestionSet], unread: tuple[str, ...] = (), unread_count: float = 1.0
) -> Sample:
    """Ask for features and answers of every question that reaches the threshold.

    Raises:
        CalibrationError: too few right or too few wrong answers, or features that differ in name.
    """
    rows: list[dict[str, float]] = []
    right: list[bool] = []
    counts: list[float] = []
    for item in (item for part in chosen for item in part.items):
        if not isinstance(item, AnswerItem | DeclineItem) or _declined_for_its_kind(composer, item):
            continue
        counts.append(unread_count if item.id.startswith(unread) else 1.0)
        rows.append(composer.features(item.question, item.history))
        right.append(isinstance(item, AnswerItem) and _would_be_right(composer, item))
    for prefix in unread:
        if not any(item.id.startswith(prefix) for part in chosen for item in part.items):
            raise CalibrationError(f"no question's id begins with {prefix!r}; --unread names none")
    found = sum(right)
    if min(found, len(right) - found) < _FEWEST_OF_A_KIND:
        raise CalibrationError(
            f"{found} right and {len(right) - found} wrong answers are too few to fit a probability; "
            f"at least {_FEWEST_OF_A_KIND} of each are needed"
        )
    names = tuple(rows[0])
    if any(tuple(row) != names for row in rows):
        raise CalibrationError("the service states different features for different questions")
    table = np.asarray([[row[name] for name in names] for row in rows], dtype=np.float64)
    return Sample(names, table, np.asarray(right, dtype=bool), np.asarray(counts) if unread else None)


def fit_logistic(sample: Sample, strength: float) -> Fit:
    """Fit by Newton's method; the penalty is ``strength / 2`` times the squared weights, the constant is free."""
    mean = np.average(sample.table, axis=0, weights=sample.counts)
    scale = np.sqrt(np.average((sample.table - mean) ** 2, axis=0, weights=sample.counts))
    scale[scale < _CONSTANT] = 1.0
    columns = np.column_stack([(sample.table - mean) / scale, np.ones(len(sample.table))])
    penalty = np.append(np.full(len(sample.names), strength), 1e-9)
    beta = np.zeros(columns.shape[1])
    target = sample.right.astype(np.float64)
    counts = np.ones(len(target)) if sample.counts is None else sample.counts
    for _ in range(_STEPS):
        chance = _sigmoid(columns @ beta)
        slope = columns.T @ (counts * (chance - target)) + penalty * beta
        bend = (columns * (counts * chance * (1 - chance))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        beta = beta - step
        if np.max(np.abs(step)) < 1e-10:
            break
    return Fit(sample.names, mean, scale, beta[:-1], float(beta[-1]), strength)


def cross_validate(sample: Sample, seed: int = SEED) -> tuple[float, Floats]:
    """Return the strength with the least held-back log loss, and the held-back probabilities it gives.

    Each probability is the mean over ``REPEATS`` fits that have not seen the question.
    """
    found = [(strength, _held_back(sample, strength, seed)) for strength in STRENGTHS]
    return min(found, key=lambda pair: log_loss(pair[1], sample.right, sample.counts))


def choose_threshold(
    held_back: Floats, right: NDArray[np.bool_], risk: float | None = None, wrong_cost: float = 1.0
) -> Threshold:
    """Choose where to turn silent: where the costs meet, or between two held-back probabilities for a stated risk.

    Raises:
        CalibrationError: no threshold keeps the stated risk.
    """
    if risk is None:
        return _threshold(wrong_cost / (1 + wrong_cost), held_back, right)
    levels = np.unique(held_back)
    edges = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2])
    options = [_threshold(float(edge), held_back, right) for edge in edges]
    kept = [option for option in options if _next_risk(option, len(right)) <= risk]
    if not kept:
        raise CalibrationError(
            f"no threshold keeps the share of wrong answers at or below {risk:g} on held-back questions"
        )
    return min(kept, key=lambda option: option.value)


def log_loss(probabilities: Floats, right: NDArray[np.bool_], counts: Floats | None = None) -> float:
    """Return the mean negative log likelihood, each question counting as one or as told; lower is better."""
    safe = np.clip(np.where(right, probabilities, 1 - probabilities), 1e-12, 1.0)
    return float(np.average(-np.log(safe), weights=counts))


def write_fit(
    fit: Fit,
    threshold: Threshold,
    chosen: Sequence[QuestionSet],
    model_id: str,
    n: int,
    path: Path,
    counts: Mapping[str, float] | None = None,
) -> None:
    """Write the fit as the service reads it; the folder is made where it is missing."""
    body: Mapping[str, Any] = {
        "model_id": model_id,
        "features": list(fit.features),
        "mean": _rounded(fit.mean),
        "scale": _rounded(fit.scale),
        "weights": _rounded(fit.weights),
        "intercept": round(fit.intercept, 6),
        "threshold": round(threshold.value, 6),
        "calibrated_on": ", ".join(f"{part.name} sha256:{part.sha256}" for part in chosen),
        "n": n,
        "counts": dict(counts or {}),
        "risk": round(threshold.risk, 4),
        "coverage": round(threshold.coverage, 4),
        "penalty": fit.strength,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def _held_back(sample: Sample, strength: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    total = np.zeros(len(sample.right))
    for _ in range(REPEATS):
        fold = _folds(sample.right, rng)
        for part in range(FOLDS):
            seen = fold != part
            fit = fit_logistic(sample.part(seen), strength)
            total[~seen] += fit.probabilities(sample.table[~seen])
    return total / REPEATS


def _folds(right: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.intp]:
    """Deal right and wrong questions out evenly, so that no fold lacks one kind."""
    fold = np.zeros(len(right), dtype=np.intp)
    for kind in (True, False):
        rows = rng.permutation(np.flatnonzero(right == kind))
        fold[rows] = np.arange(len(rows)) % FOLDS
    return fold


def _threshold(edge: float, held_back: Floats, right: NDArray[np.bool_]) -> Threshold:
    given = held_back >= edge
    answered = int(given.sum())
    return Threshold(
        value=edge,
        risk=float((given & ~right).sum() / answered) if answered else 0.0,
        coverage=answered / len(right),
        needless=float((~given & right).sum() / right.sum()),
    )


def _next_risk(option: Threshold, n: int) -> float:
    answered = option.coverage * n
    return (option.risk * answered + 1) / (answered + 1)


def _would_be_right(composer: Composer, item: AnswerItem) -> bool:
    facts, sources, text = composer.compose_unconditionally(item.question, item.history)
    said = all(facts.intersection(group.any) if group.any else is_said(group, text) for group in item.key_facts)
    return said and any(source in item.sources for source in sources)


def _declined_for_its_kind(composer: Composer, item: AnswerItem | DeclineItem) -> bool:
    abstention = composer.ask(item.question, item.history).get("abstention") or {}
    return bool(abstention.get("reason") == "personal_advice")


def _sigmoid(values: Floats) -> Floats:
    limited = np.clip(values, -40.0, 40.0)
    result: Floats = 1.0 / (1.0 + np.exp(-limited))
    return result


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 6) for value in values]


def _open_service() -> Composer:
    from service.application import open_application

    opened: Callable[[], Composer] = open_application
    return opened()


def _service_file() -> Path:
    from service.answering.abstaining import CALIBRATION_FILE

    return CALIBRATION_FILE
