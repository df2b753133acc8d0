"""Two runs side by side: which figures differ by more than chance, and which questions changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.errors import RunError
from eval.records import Figure
from eval.runs import Run
from eval.significance import PairedTest, paired_randomisation


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure in both runs.

    Attributes:
        figure: The figure of the second run.
        before: Value in the first run, over the questions that both asked.
        after: Value in the second.
        test: The paired test over those questions.
        won: Ids of the questions that got better, in the figure's own direction.
        lost: Ids of those that got worse.
    """

    figure: Figure
    before: float
    after: float
    test: PairedTest
    won: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """One question that came out otherwise.

    Attributes:
        id: The question.
        lost: Titles of the figures on which the second run is worse.
        won: Titles of those on which it is better.
    """

    id: str
    lost: tuple[str, ...]
    won: tuple[str, ...]


def changed_questions(comparisons: Sequence[Comparison]) -> list[Changed]:
    """Return each question that a share or score changed on, what lost most first; lengths and times don't count."""
    judged = [one for one in comparisons if one.figure.unit in {"share", "score"} and one.figure.better != "neither"]
    names = dict.fromkeys(name for one in judged for name in (*one.lost, *one.won))
    found = [
        Changed(
            name,
            tuple(one.figure.title for one in judged if name in one.lost),
            tuple(one.figure.title for one in judged if name in one.won),
        )
        for name in names
    ]
    return sorted(found, key=lambda one: (-len(one.lost), len(one.won), one.id))


def compare_runs(first: Run, second: Run) -> list[Comparison]:
    """Pair the runs question by question.

    Figures are tested one at a time at 5 %: of twenty figures without any difference, one is expected to seem to
    have one. Read the p-values with that in mind.

    Raises:
        RunError: the runs were made on different sets.
    """
    check_same_sets(*({part["name"]: part["sha256"] for part in run.about.get("sets", ())} for run in (first, second)))
    found = []
    for figure in second.figures:
        ours, theirs = first.scores.get(figure.name, {}), second.scores.get(figure.name, {})
        names = [name for name in ours if name in theirs]
        if names:
            found.append(_compare(figure, [ours[n] for n in names], [theirs[n] for n in names], names))
    return found


def check_same_sets(first: Mapping[str, str], second: Mapping[str, str]) -> None:
    """Refuse to pair questions of sets that have changed.

    Args:
        first: Hash of each set of one run, by name.
        second: The same of the other.

    Raises:
        RunError: a set of the same name has another hash.
    """
    for name in first.keys() & second.keys():
        if first[name] != second[name]:
            raise RunError(name, "is not the same set in both runs; their questions cannot be paired")


def _compare(figure: Figure, before: list[float], after: list[float], names: list[str]) -> Comparison:
    sign = -1.0 if figure.better == "lower" else 1.0
    gains = [sign * (new - old) for old, new in zip(before, after, strict=True)]
    return Comparison(
        figure=figure,
        before=sum(before) / len(before),
        after=sum(after) / len(after),
        test=paired_randomisation(before, after),
        won=tuple(name for name, gain in zip(names, gains, strict=True) if gain > 0),
        lost=tuple(name for name, gain in zip(names, gains, strict=True) if gain < 0),
    )
