"""A few answers of a run, drawn by the seed of this package, word for word: to be read by a person."""

from collections.abc import Iterator, Mapping

import numpy as np

from eval.errors import RunError
from eval.replies import Told
from eval.significance import SEED


def draw_answers(told: Mapping[str, Told], size: int) -> list[Told]:
    """Draw answers without putting any back; the same run gives the same ones.

    Args:
        told: What was said, by id; abstentions and what was withheld are left out.
        size: How many; all of them when there are fewer.

    Returns:
        The answers in the order of the run.

    Raises:
        RunError: the run has no answer.
    """
    given = [one for one in told.values() if one.sources]
    if not given:
        raise RunError("this run", "holds no answer")
    drawn = np.random.default_rng(SEED).choice(len(given), size=min(size, len(given)), replace=False)
    return [given[place] for place in sorted(drawn.tolist())]


def as_markdown(answers: list[Told]) -> Iterator[str]:
    """Yield a numbered list: the question in bold, the answer unedited, its sources."""
    for number, one in enumerate(answers, start=1):
        yield f"{number}. **{one.question}** {one.got} ({', '.join(one.sources)})"
