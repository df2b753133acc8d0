"""Teach the second reader of the screening: fit its weights, choose its threshold, write its table.

The examples are texts written for the project (``EXAMPLES`` names the files). Logistic regressions with a squared
penalty say how much each feature speaks for an alarm, for each rule and for each level; of a long alarm only the window
that resembles an alarm most is taken as one. The threshold is chosen on held-back sums: the alarms of each writer (the
part of an id before its first ``-``) are scored by weights that were taught without that writer and some others, the
near misses by weights taught without a part of them. The same sums say below which one a rule is doubted: of the alarms
that rules catch, all but one in a thousand must lie well above it.

The same examples give the same file, byte for byte: the solver works in one thread from a fixed seed, and weights
are rounded to two places.

Source: D. R. Cox (1958), The regression analysis of binary sequences, JRSS B 20.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from corpus.questions import KnownQuestion, load_questions
from corpus.sources import load_shipped_documents
from eval.datasets import DATA, load_set, shipped_path
from eval.errors import CalibrationError
from eval.records import Item, TriageItem
from eval.significance import SEED
from service.triage.likeness import PIECE, Features, pieces_of
from service.triage.loading import Rules, read_rules
from service.triage.records import Level
from service.triage.screening import SHORT, screen
from service.triage.turns import read_turn
from service.triage.weights import BIAS, SHIPPED

EXAMPLES = (
    DATA / "triage.examples.jsonl",
    shipped_path("triage", "dev"),
    shipped_path("answers", "dev"),
    shipped_path("dialogues", "dev"),
)
"""What is taught by default. What is asked in answers and dialogues is a near miss unless a rule raises an alarm.

So are the known questions of the corpus, but those that are answered with when to see a doctor.
"""

FALSE_ALARMS = 0.01
"""Highest share of the held-back near misses that the second reader may alarm by itself."""

MARGIN = 1.0
"""How far below the lowest sums of held-back alarms that rules catch a message must lie to be doubted."""

STRANGE = 0.001
"""Share of these alarms, the lowest, that the bound passes over: one strange text must not decide alone."""

LEVELS = tuple(level.value for level in (Level.EMERGENCY, Level.TODAY, Level.SOON))

_STRENGTH = 50.0
_CHOICE_STRENGTH = 20.0
_ROUNDS = 1
_FOLDS = 4
_SEEN_IN = 3
_PIECE, _CONCEPT = 0.3, 0.7
_WEIGHT_OF_EMERGENCY = 1.5
_WEIGHT_OF_WORST = 4.0
_WORST = frozenset({"RF01", "RF21"})
_SMALL_TALK, _ADDED = "talk-", "+talk"
_KNOWN = "ordinary-known-"
_CARE = re.compile(
    r"right away|emergenc|urgent|see a (?:doctor|provider)|tell a |call |get (?:care|help)|contact|seen by"
    r"|red flag|warning"
)
_SHARE_WITH_SMALL_TALK, _SHARE_BEFORE = 0.3, 0.5
_LEAST, _LEAST_CHOICE = 0.05, 0.3

Floats = NDArray[np.float64]
Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Example:
    """A text as the second reader sees it.

    Attributes:
        item: The text and what is right for it.
        windows: Feature to value, for each window; at least one.
    """

    item: TriageItem
    windows: tuple[Values, ...]

    @property
    def writer(self) -> str:
        """The part of the id before its first dash."""
        return self.item.id.partition("-")[0]

    @property
    def is_known(self) -> bool:
        """Whether it is a known question: these are many and easy, and would hide how hard the others are."""
        return self.item.id.startswith(_KNOWN)

    @property
    def weight(self) -> float:
        """How much it counts: to miss an emergency is worse, and the worst are the nerves and self-harm."""
        if self.item.rules and self.item.rules[0] in _WORST:
            return _WEIGHT_OF_WORST
        return _WEIGHT_OF_EMERGENCY if self.item.level == "emergency" else 1.0


def read_examples(paths: Sequence[Path], rules: Rules, known: Sequence[KnownQuestion] = ()) -> list[Example]:
    """Read sets and take their features; some stand amid small talk as well, known questions by themselves alone.

    Raises:
        SetError: a set cannot be read or holds a fault.
    """
    read = (turn for path in paths for item in load_set(path).items for turn in _turns_of(item, rules))
    items: dict[str, TriageItem] = {}
    for item in read:
        items.setdefault(item.question, item)  # what somebody wrote as a sign is one, whoever asks the same elsewhere
    taught = [*items.values(), *_with_small_talk([*items.values()])]
    taught += [item for item in _ordinary_known(known, rules) if item.question not in items]
    return [Example(item, tuple(windows_of(item.question, rules))) for item in taught]


def _ordinary_known(known: Sequence[KnownQuestion], rules: Rules) -> Iterator[TriageItem]:
    """Known questions that are no sign: no rule raises an alarm, and no fact that answers them is one about care."""
    care = {
        fact
        for document in load_shipped_documents()
        for note in document.attributions
        if _CARE.search(note.span.slice(document.text))
        for fact in note.facts
    }
    alone = replace(rules, weights=None)
    for number, question in enumerate(known):
        if care.isdisjoint(question.facts):
            notice = screen(question.text, alone)
            if notice is None or notice.level is Level.INFO:
                yield TriageItem(f"{_KNOWN}{number}", "near_miss", question.text, "none", why="ordinary")


def _with_small_talk(items: Sequence[TriageItem]) -> Iterator[TriageItem]:
    """Some of the texts again, before or after small talk: it must weigh nothing either way."""
    chance = np.random.default_rng(SEED)
    talk = [item.question for item in items if item.id.startswith(_SMALL_TALK)]
    for item in items:
        if talk and not item.id.startswith(_SMALL_TALK) and chance.random() < _SHARE_WITH_SMALL_TALK:
            added = " ".join(chance.choice(talk, size=chance.integers(1, 4)).tolist())
            whole = item.question if item.question[-1] in ".?!" else f"{item.question}."
            text = f"{added} {whole}" if chance.random() < _SHARE_BEFORE else f"{whole} {added}"
            yield replace(item, id=f"{item.id}{_ADDED}", question=text)


def _turns_of(item: Item, rules: Rules) -> Iterator[TriageItem]:
    """What is taught of an item: a sign that stands alone, a near miss, each turn of a question without an alarm."""
    if isinstance(item, TriageItem):
        if not (item.is_alarm and item.history):  # its sign may stand in an earlier turn
            yield item
        return
    for number, text in enumerate((item.question, *item.history)):
        notice = screen(text, replace(rules, weights=None))
        if notice is None or notice.level is Level.INFO:
            yield TriageItem(f"ordinary-{item.id}-{number}", "near_miss", text, "none", why="ordinary")


def windows_of(text: str, rules: Rules) -> Iterator[Values]:
    """The features of each window of a text with their values; one empty window where there are no words."""
    features = Features(read_turn(text, 0, rules))
    for start, end in list(features.windows()) or [(0, 0)]:
        found = Counter(features.named_in(start, end))
        for word in features.words_in(start, end):
            found.update(pieces_of(word))
        size = features.size(start, end)
        yield {name: count / size for name, count in found.items()}


def teach_alarm(examples: Sequence[Example]) -> tuple[Values, list[tuple[TriageItem, Values]]]:
    """Fit the weights for an alarm.

    Returns:
        Feature to weight, the constant under ``BIAS``; and of each alarm the window that resembles one most.

    Raises:
        CalibrationError: alarms or near misses are missing.
    """
    alarms = np.array([example.item.is_alarm for example in examples], dtype=bool)
    if not alarms.any() or alarms.all():
        raise CalibrationError("teaching needs both alarms and near misses")
    owner = np.array([number for number, example in enumerate(examples) for _ in example.windows])
    windows = [window for example in examples for window in example.windows]
    table = _Table(windows, owner)
    weights = np.array([example.weight for example in examples])[owner]
    counts = np.sqrt(np.bincount(owner)[owner])
    kept = np.ones(len(owner), dtype=bool)
    coefficients = table.fit(alarms[owner], weights / counts, _STRENGTH)
    for _ in range(_ROUNDS):
        kept = ~alarms[owner] | _highest(table.matrix @ coefficients[:-1], owner)
        shares = np.where(alarms[owner], weights, weights / counts)
        coefficients = table.fit(alarms[owner], np.where(kept, shares, 0.0), _STRENGTH)
    told = [(examples[int(owner[row])].item, windows[row]) for row in np.flatnonzero(kept & alarms[owner]).tolist()]
    return table.named(coefficients), told


def score(example: Example, alarm: Values) -> float:
    """The highest sum over the windows of an example."""
    return alarm[BIAS] + max(
        sum(alarm.get(name, 0.0) * value for name, value in window.items()) for window in example.windows
    )


def held_back_scores(examples: Sequence[Example]) -> Floats:
    """Score each example by weights that were taught without it.

    Alarms are held back by writers, who are dealt out to a few groups. Near misses are dealt out at random, since few
    people wrote them.
    """
    chance = np.random.default_rng(SEED)
    writers = sorted({example.writer for example in examples if example.item.is_alarm})
    count = min(_FOLDS, len(writers))
    fold = np.array(
        [
            writers.index(example.writer) % count if example.item.is_alarm else chance.integers(count)
            for example in examples
        ]
    )
    scores = np.zeros(len(examples))
    for number in range(count):
        alarm, _ = teach_alarm([example for example, held in zip(examples, fold, strict=True) if held != number])
        for place in np.flatnonzero(fold == number).tolist():
            scores[place] = score(examples[place], alarm)
    return scores


def choose_threshold(examples: Sequence[Example], scores: Floats, false_alarms: float) -> float:
    """The lowest sum, in hundredths, that at most this share of the near misses reaches."""
    near = np.sort(
        [
            value
            for example, value in zip(examples, scores, strict=True)
            if not example.item.is_alarm and not example.item.id.endswith(_ADDED) and not example.is_known
        ]
    )
    allowed = int(false_alarms * len(near))
    return float(np.floor(near[-allowed - 1] * 100) / 100 + 0.01)


def choose_doubt(examples: Sequence[Example], scores: Floats, margin: float, rules: Rules) -> float:
    """The sum, in hundredths, that lies by a margin below alarms that rules catch and that may be doubted.

    Short ones and emergencies are never doubted and take no part.

    Raises:
        CalibrationError: the rules catch none of these alarms.
    """
    alone = replace(rules, weights=None)
    caught = [
        float(value)
        for example, value in zip(examples, scores, strict=True)
        if example.item.is_alarm
        and not example.item.id.endswith(_ADDED)
        and len(example.item.question.split()) > SHORT
        and (notice := screen(example.item.question, alone)) is not None
        and notice.level in (Level.TODAY, Level.SOON)
    ]
    if not caught:
        raise CalibrationError("the rules catch none of the alarms")
    return float(np.floor((sorted(caught)[int(STRANGE * len(caught))] - margin) * 100) / 100)


def teach_triage(
    paths: Sequence[Path] = EXAMPLES,
    out: Path = SHIPPED,
    false_alarms: float = FALSE_ALARMS,
    known: Sequence[KnownQuestion] | None = None,
) -> Iterator[str]:
    """Teach, write the table, and say what was found, line by line; ``known`` are those of the corpus by default.

    Raises:
        SetError: a set cannot be read or holds a fault.
        CalibrationError: alarms or near misses are missing.
    """
    rules = read_rules()
    examples = read_examples(paths, rules, load_questions() if known is None else known)
    scores = held_back_scores(examples)
    threshold = choose_threshold(examples, scores, false_alarms)
    doubt = choose_doubt(examples, scores, MARGIN, rules)
    about = {
        "written by": "backline-eval teach-triage; teach again instead of changing it",
        "examples": ", ".join(f"{path.name} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths),
        "seed": str(SEED),
        "alarm_from": f"{threshold:.2f}",
        "doubt_below": f"{doubt:.2f}",
    }
    alarm, told = teach_alarm(examples)
    lines = table_of(alarm, teach_choice(told), about)
    out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    yield f"{len(examples)} examples, {len(lines)} lines in {out.name}"
    yield f"an alarm from a sum of {threshold:.2f}, doubt below {doubt:.2f}"
    for name, held in _groups(examples).items():
        reached = np.mean(scores[held] >= threshold)
        yield f"{name}: {reached:.3f} of {len(held)} reach it when held back"


def table_of(alarm: Values, choice: Mapping[str, Values], about: Mapping[str, str]) -> list[str]:
    """The lines of the table: what it is about, then features in the order of the alphabet, weights in hundredths.

    Weights near 0 are left out, but no constant: it names the rules and levels that there are.
    """
    lines = [f"# {name}: {value}" for name, value in about.items()]
    for name in sorted(alarm.keys() | choice.keys()):
        weight = f"{alarm.get(name, 0.0):.2f}"
        named = " ".join(
            f"{to}:{value:.2f}"
            for to, value in choice.get(name, {}).items()
            if name == BIAS or abs(value) >= _LEAST_CHOICE
        )
        if named or name == BIAS or abs(float(weight)) >= _LEAST:
            lines.append(f"{name}\t{weight}\t{named}".rstrip("\t"))
    return lines


class _Table:
    """Windows as a sparse matrix of those features that stand in enough examples."""

    def __init__(self, windows: Sequence[Values], owner: NDArray[np.int64]) -> None:
        stands_in: dict[str, set[int]] = {}
        for window, item in zip(windows, owner, strict=True):
            for name in window:
                stands_in.setdefault(name, set()).add(int(item))
        self.names = sorted(name for name, items in stands_in.items() if len(items) >= _SEEN_IN)
        self._scale = np.array([_scale(name) for name in self.names])
        place = {name: number for number, name in enumerate(self.names)}
        rows, columns, values = [], [], []
        for row, window in enumerate(windows):
            for name, value in window.items():
                if name in place:
                    rows.append(row)
                    columns.append(place[name])
                    values.append(value)
        self.matrix = csr_matrix((values, (rows, columns)), shape=(len(windows), len(self.names)))

    def fit(self, target: NDArray[np.bool_], shares: Floats, strength: float) -> Floats:
        """Return one weight a feature and the constant behind them; rows without a share are left out."""
        told = np.flatnonzero(shares)
        model = LogisticRegression(C=strength, solver="liblinear", random_state=SEED, max_iter=1000, tol=1e-3)
        model.fit(self.matrix[told].multiply(self._scale).tocsr(), target[told], sample_weight=shares[told])
        return np.append(model.coef_[0] * self._scale, model.intercept_)

    def named(self, coefficients: Floats) -> dict[str, float]:
        """Weights by feature."""
        return {name: float(value) for name, value in zip([*self.names, BIAS], coefficients, strict=True)}


def teach_choice(told: Sequence[tuple[TriageItem, Values]]) -> dict[str, dict[str, float]]:
    """Weights for rules and levels, from the windows that are alarms; pieces of words take no part."""
    table = _Table(
        [{name: value for name, value in window.items() if name[0] != PIECE} for _, window in told],
        np.arange(len(told)),
    )
    choice: dict[str, dict[str, float]] = {name: {} for name in [*table.names, BIAS]}
    for target in [*sorted({rule for item, _ in told for rule in item.rules}), *LEVELS]:
        right = np.array([target in item.rules or target == item.level for item, _ in told], dtype=bool)
        if right.any() and not right.all():
            fitted = table.fit(right, np.ones(len(told)), _CHOICE_STRENGTH)
            for name, value in table.named(fitted).items():
                choice[name][target] = value
    return choice


def _highest(sums: Floats, owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a window is the first with the highest sum of its example."""
    best: dict[int, int] = {}
    for row, item in enumerate(owner.tolist()):
        if item not in best or sums[row] > sums[best[item]]:
            best[item] = row
    highest = np.zeros(len(owner), dtype=bool)
    highest[list(best.values())] = True
    return highest


def _scale(name: str) -> float:
    """How much a feature is trusted before anything is learnt: pieces of words stand in rows and repeat each other."""
    return _PIECE if name[0] == PIECE else _CONCEPT if name.rpartition(":")[2][0] in "<@" else 1.0


def _groups(examples: Sequence[Example]) -> dict[str, list[int]]:
    """Places of the alarms of each writer, level and rule, of long ones, and of near misses by kind."""
    groups: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        item = example.item
        if item.is_alarm:
            names = [f"alarms of {example.writer}", f"level {item.level}", f"rule {item.rules[0]}"]
            names += ["long alarms"] if item.kind == "long" else []
            names = ["alarms amid small talk"] if item.id.endswith(_ADDED) else names
        else:
            names = ["near misses", f"near misses: {item.why}"]
            names = ["near misses amid small talk"] if item.id.endswith(_ADDED) else names
        for name in names:
            groups.setdefault(name, []).append(place)
    return dict(sorted(groups.items()))
