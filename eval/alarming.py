"""How often do ordinary questions of other people get an alarm? Each one is listed.

The questions come from a JSON-lines file of your own, such as a public collection of health questions; a fixed number
is drawn by the seed of this package, so that everybody draws the same ones from the same file.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from eval.errors import SetError
from eval.significance import SEED, wilson
from service.triage.loading import Rules
from service.triage.records import Level
from service.triage.screening import screen


def draw_questions(path: Path, field: str, size: int) -> list[str]:
    """Draw questions without putting any back; the same file gives the same ones.

    Args:
        path: One JSON object a line; may end in ``.gz``.
        field: Name of the field that holds the question.
        size: How many; all of them when the file holds fewer.

    Returns:
        The questions in the order of the file.

    Raises:
        SetError: the file cannot be read, or a line has no such field.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        questions = [str(json.loads(line)[field]) for line in raw.splitlines()]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise SetError((f"{path.name}: {error!r}",)) from error
    if not questions:
        raise SetError((f"{path.name}: holds no question",))
    drawn = np.random.default_rng(SEED).choice(len(questions), size=min(size, len(questions)), replace=False)
    return [questions[place] for place in sorted(drawn.tolist())]


def list_alarms(questions: Sequence[str], rules: Rules) -> Iterator[str]:
    """Screen each question; say how many raised an alarm or a note, and list the alarms with what raised them."""
    notices = [(question, screen(question, rules)) for question in questions]
    alarms = [(question, notice) for question, notice in notices if notice and notice.level is not Level.INFO]
    notes = sum(notice is not None for _, notice in notices) - len(alarms)
    share = wilson(len(alarms), len(questions))
    yield (
        f"{len(alarms)} of {len(questions)} questions raised an alarm: {len(alarms) / len(questions):.2%}, "
        f"95 % interval {share.low:.2%} to {share.high:.2%}; {notes} got a note of level info; seed {SEED}"
    )
    for question, notice in alarms:
        match = notice.rules[0]
        yield f"{notice.level.value} {match.id} by {match.by}, {match.matched!r}: {question}"
