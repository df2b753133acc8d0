"""Sentence vectors that have learnt from known questions which sentences answer what.

A sentence's vector moves towards the questions that it answers and away from those that others answer, by multinomial
logistic regression of the sentence on the question, started at the vector that the model gives and held near it. So a
question that is put in other words than its answer still finds it, and search stays what it was: one inner product.

Source: A. van den Oord, Y. Li, O. Vinyals (2018), Representation Learning with Contrastive Predictive Coding,
arXiv:1807.03748, for the loss, with every sentence among those that a question is told apart from; D. P. Kingma, J. Ba
(2015), Adam: A Method for Stochastic Optimization, arXiv:1412.6980, for the steps.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHARPNESS = 16.0
"""Factor of a cosine in the exponent. From 15 to 18 nothing changed by more than half a point."""

HOLD = 0.1
"""Weight of the mean squared distance from the start."""

EPOCHS = 8
BATCH = 256
STEP = 0.01
SEED = 1

TEACHING = f"1 {SHARPNESS} {HOLD} {EPOCHS} {BATCH} {STEP} {SEED}"
"""Names the way of teaching; its first number goes up when anything else of it changes."""

_MEAN_DECAY, _SQUARE_DECAY, _TINY = 0.9, 0.999, 1e-8


def teach_sentences(
    sentences: NDArray[np.float32], questions: NDArray[np.float32], answers: Sequence[Sequence[int]]
) -> NDArray[np.float32]:
    """Return sentence vectors moved towards the questions that they answer.

    Args:
        sentences: Unit vectors, shape ``(sentences, dimension)``.
        questions: Unit vectors of known questions, shape ``(questions, dimension)``.
        answers: For each question the rows of the sentences of which any one answers it; a question without is
            passed over.

    Returns:
        Unit vectors of the shape of ``sentences``. Those that answer no question stay as they are, and nothing is
        moved away from a question because of them. The same vectors on the same machine give the same result.

    Raises:
        ValueError: ``questions`` and ``answers`` differ in number.
    """
    if len(questions) != len(answers):
        raise ValueError(f"{len(questions)} questions but {len(answers)} answers")
    asked = [number for number, rows in enumerate(answers) if rows]
    taught = sorted({row for rows in answers for row in rows})
    if not taught:
        return sentences
    columns = {row: column for column, row in enumerate(taught)}
    answering = np.zeros((len(asked), len(taught)), dtype=np.float32)
    for number, question in enumerate(asked):
        answering[number, [columns[row] for row in answers[question]]] = 1.0
    moved = sentences.copy()
    moved[taught] = _fit(sentences[taught], questions[asked], answering)
    return moved


def _fit(
    start: NDArray[np.float32], questions: NDArray[np.float32], answering: NDArray[np.float32]
) -> NDArray[np.float32]:
    at = start.copy()
    mean: NDArray[np.floating] = np.zeros_like(at)
    square: NDArray[np.floating] = np.zeros_like(at)
    draw = np.random.default_rng(SEED)
    steps = 0
    for epoch in range(EPOCHS):
        order = draw.permutation(len(questions))
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            slope = _slope(at, questions[batch], answering[batch]) + 2.0 * HOLD / len(at) * (at - start)
            steps += 1
            mean = _MEAN_DECAY * mean + (1.0 - _MEAN_DECAY) * slope
            square = _SQUARE_DECAY * square + (1.0 - _SQUARE_DECAY) * slope**2
            length = STEP * (1.0 - epoch / EPOCHS)
            even = np.sqrt(square / (1.0 - _SQUARE_DECAY**steps)) + _TINY
            at = (at - length * mean / (1.0 - _MEAN_DECAY**steps) / even).astype(np.float32)
    unit: NDArray[np.float32] = at / np.linalg.norm(at, axis=1, keepdims=True)
    return unit


def _slope(
    at: NDArray[np.float32], questions: NDArray[np.float32], answering: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the gradient of the mean of -log(probability that one of the answers is chosen)."""
    lengths = np.linalg.norm(at, axis=1, keepdims=True)
    unit = at / lengths
    exponents = SHARPNESS * (questions @ unit.T)
    chances = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    wanted = answering * chances
    wanted /= wanted.sum(axis=1, keepdims=True)
    pull = SHARPNESS / len(questions) * ((chances - wanted).T @ questions)
    slope: NDArray[np.float32] = (pull - (pull * unit).sum(axis=1, keepdims=True) * unit) / lengths
    return slope
