"""What known questions teach about which sentence answers what: sentence vectors, and how a question is read.

A sentence's vector moves towards the questions that it answers and away from those that others answer, and a question's
vector is turned before it is compared: by one matrix, and by what each of its words adds. All three are learnt at once,
by multinomial logistic regression of the sentence on the question, started at what the model gives and held near it. So
a question that is put in other words than its answer still finds it, and search stays one inner product.

Source: A. van den Oord, Y. Li, O. Vinyals (2018), Representation Learning with Contrastive Predictive Coding,
arXiv:1807.03748, for the loss, with every sentence among those that a question is told apart from; D. P. Kingma, J. Ba
(2015), Adam: A Method for Stochastic Optimization, arXiv:1412.6980, for the steps.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from index.lexical import stems

Floats = NDArray[np.float32]

SHARPNESS = 16.0
"""Factor of a cosine in the exponent. From 15 to 20 nothing changed by more than half a point."""

HOLD = 0.1
"""Weight of the mean squared distance of the sentences from their start."""

EPOCHS = 8
BATCH = 256
STEP = 0.002
"""Length of the first steps. From .002 to .005, also for each table its own, nothing changed by more than a point."""

SEEN = 3
"""Known questions in which a word must stand before it adds anything."""

SEED = 1

TEACHING = f"2 {SHARPNESS} {HOLD} {EPOCHS} {BATCH} {STEP} {SEEN} {SEED}"
"""Names the way of teaching; its first number goes up when anything else of it changes."""

_MEAN_DECAY, _SQUARE_DECAY, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class QuestionReader:
    """Turns a question's vector to where the sentences are that answer such questions.

    Attributes:
        words: Rows of ``added``: stems.
        turned: Added for each value of the vector, shape ``(dimension, dimension)``.
        added: Added for each word, shape ``(words, dimension)``.
    """

    words: Sequence[str]
    turned: Floats
    added: Floats
    _rows: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {word: row for row, word in enumerate(self.words)})

    @classmethod
    def of_tables(cls, words: Sequence[str], tables: Floats) -> "QuestionReader":
        """Take back what :meth:`tables` gave."""
        dimension = tables.shape[1]
        return cls(words, tables[:dimension], tables[dimension:])

    def tables(self) -> Floats:
        """Return both tables, one below the other, shape ``(dimension + words, dimension)``."""
        return np.concatenate([self.turned, self.added])

    def read(self, vector: Floats, query: str) -> Floats:
        """Return what sentences are to be compared with.

        Args:
            vector: The query's embedding, shape ``(dimension,)``.
            query: Its words.

        Returns:
            A unit vector of the same shape.
        """
        rows = [self._rows[word] for word in dict.fromkeys(stems(query)) if word in self._rows]
        turned = vector + vector @ self.turned
        if rows:
            turned = turned + self.added[rows].sum(axis=0) / np.float32(np.sqrt(len(rows)))
        unit: Floats = (turned / np.linalg.norm(turned)).astype(np.float32)
        return unit


@dataclass(frozen=True, slots=True)
class Taught:
    """What was learnt.

    Attributes:
        sentences: Unit vectors, shape ``(sentences, dimension)``.
        reader: Reads questions; None where nothing was learnt.
    """

    sentences: Floats
    reader: QuestionReader | None = None

    @classmethod
    def of_table(cls, table: Floats, sentences: int, texts: Sequence[str]) -> "Taught":
        """Take back what :meth:`table` gave, given the number of sentences and the texts that taught."""
        return cls(table[:sentences], QuestionReader.of_tables(words_of(texts), table[sentences:]))

    def table(self) -> Floats:
        """Return everything that was learnt as one table, if anything was."""
        return self.sentences if self.reader is None else np.concatenate([self.sentences, self.reader.tables()])


def teach(sentences: Floats, questions: Floats, texts: Sequence[str], answers: Sequence[Sequence[int]]) -> Taught:
    """Learn from known questions.

    Args:
        sentences: Unit vectors, shape ``(sentences, dimension)``.
        questions: Unit vectors of known questions, shape ``(questions, dimension)``.
        texts: Their words.
        answers: For each question the rows of the sentences of which any one answers it; a question without is
            passed over.

    Returns:
        Sentences that answer no question stay as they are, and nothing is moved away from a question because of them.
        The same vectors on the same machine give the same result.

    Raises:
        ValueError: ``questions``, ``texts`` and ``answers`` differ in number.
    """
    if not len(questions) == len(texts) == len(answers):
        raise ValueError(f"{len(questions)} questions with {len(texts)} texts but {len(answers)} answers")
    asked = [number for number, rows in enumerate(answers) if rows]
    taught = sorted({row for rows in answers for row in rows})
    if not taught:
        return Taught(sentences)
    columns = {row: column for column, row in enumerate(taught)}
    answering = np.zeros((len(asked), len(taught)), dtype=np.float32)
    for number, question in enumerate(asked):
        answering[number, [columns[row] for row in answers[question]]] = 1.0
    words = words_of([texts[number] for number in asked])
    rows_of = _rows_of(words, [texts[number] for number in asked])
    fitted = _fit(sentences[taught], questions[asked], rows_of, len(words), answering)
    moved = sentences.copy()
    moved[taught] = fitted.sentences / np.linalg.norm(fitted.sentences, axis=1, keepdims=True)
    return Taught(moved, QuestionReader(words, fitted.turned, fitted.added))


def words_of(texts: Sequence[str]) -> list[str]:
    """Return the stems that add something: those of enough questions, in the order of the alphabet."""
    counts = Counter(word for text in texts for word in set(stems(text)))
    return sorted(word for word, count in counts.items() if count >= SEEN)


def _rows_of(words: Sequence[str], texts: Sequence[str]) -> list[list[int]]:
    rows = {word: row for row, word in enumerate(words)}
    return [[rows[word] for word in dict.fromkeys(stems(text)) if word in rows] for text in texts]


@dataclass(slots=True)
class _Learnt:
    """The three tables that are learnt, or the slopes of the loss at them."""

    sentences: Floats
    turned: Floats
    added: Floats

    def every(self) -> tuple[Floats, Floats, Floats]:
        return self.sentences, self.turned, self.added


def _fit(start: Floats, questions: Floats, rows_of: Sequence[Sequence[int]], words: int, answering: Floats) -> _Learnt:
    dimension = start.shape[1]
    at = _Learnt(
        start.copy(),
        np.zeros((dimension, dimension), dtype=np.float32),
        np.zeros((words, dimension), dtype=np.float32),
    )
    steps = [_Adam(table.shape) for table in at.every()]
    draw = np.random.default_rng(SEED)
    for epoch in range(EPOCHS):
        order = draw.permutation(len(questions))
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            said = _said([rows_of[number] for number in batch], words)
            slopes = _slopes(at, questions[batch], said, answering[batch])
            slopes.sentences += np.float32(2.0 * HOLD / len(start)) * (at.sentences - start)
            for table, slope, step in zip(at.every(), slopes.every(), steps, strict=True):
                step.take(table, slope, 1.0 - epoch / EPOCHS)
    return at


class _Adam:
    """The steps of one table."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._mean, self._square = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
        self._steps = 0

    def take(self, table: Floats, slope: Floats, share: float) -> None:
        """Move a table, in place."""
        self._steps += 1
        self._mean += np.float32(1.0 - _MEAN_DECAY) * (slope - self._mean)
        self._square += np.float32(1.0 - _SQUARE_DECAY) * (slope**2 - self._square)
        length = np.float32(STEP * share / (1.0 - _MEAN_DECAY**self._steps))
        even = np.sqrt(self._square / np.float32(1.0 - _SQUARE_DECAY**self._steps)) + np.float32(_TINY)
        table -= length * self._mean / even


def _said(rows_of: Sequence[Sequence[int]], words: int) -> Floats:
    """Return for each question what share of it each word is, shape ``(questions, words)``."""
    said = np.zeros((len(rows_of), words), dtype=np.float32)
    for number, rows in enumerate(rows_of):
        if rows:
            said[number, rows] = 1.0 / np.sqrt(len(rows))
    return said


def _slopes(at: _Learnt, questions: Floats, said: Floats, answering: Floats) -> _Learnt:
    """Return the gradient of the mean of -log(probability that one of the answers is chosen)."""
    turned = questions + questions @ at.turned + said @ at.added
    lengths, sizes = (np.linalg.norm(table, axis=1, keepdims=True) for table in (turned, at.sentences))
    read, unit = turned / lengths, at.sentences / sizes
    exponents = SHARPNESS * (read @ unit.T)
    chances = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    wanted = answering * chances
    wanted /= wanted.sum(axis=1, keepdims=True)
    pull = SHARPNESS / len(questions) * (chances - wanted)
    of_read, of_unit = pull @ unit, pull.T @ read
    of_turned = (of_read - (of_read * read).sum(axis=1, keepdims=True) * read) / lengths
    of_sentences = (of_unit - (of_unit * unit).sum(axis=1, keepdims=True) * unit) / sizes
    return _Learnt(of_sentences, questions.T @ of_turned, said.T @ of_turned)
