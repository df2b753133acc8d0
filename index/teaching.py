"""What known questions teach about which sentence answers what: sentence vectors, and how a question is read.

A sentence's vector moves towards the questions that it answers and away from those that others answer, and a question's
vector is turned before it is compared: by one matrix, and by what each of its words adds. All three are learnt at once,
by multinomial logistic regression of the sentence on the question, started at what the model gives and held near it. So
a question that is put in other words than its answer still finds it, and search stays one inner product. Beside them,
logistic regression on the same vector and words learns which questions have an answer at all. It sees small words and
pairs of neighbours too: "is mine a stone or a strain?" differs from "does a stone hurt more than a strain?" by these.

Source: A. van den Oord, Y. Li, O. Vinyals (2018), Representation Learning with Contrastive Predictive Coding,
arXiv:1807.03748, for the loss, with every sentence among those that a question is told apart from; D. P. Kingma, J. Ba
(2015), Adam: A Method for Stochastic Optimization, arXiv:1412.6980, for the steps; K. Weinberger and others (2009),
Feature Hashing for Large Scale Multitask Learning, arXiv:0902.2206, for pairs of words without a list of them.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from zlib import crc32

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

PLACES = 1 << 17
"""Among which words and pairs of words are spread; a few share one."""

ODDS_STEP = 0.1
ODDS_PENALTY = 0.03
"""Half the weight of the squared sum of what decides on the odds of an answer, spread over all questions."""

SEED = 1

TEACHING = f"4 {SHARPNESS} {HOLD} {EPOCHS} {BATCH} {STEP} {SEEN} {PLACES} {ODDS_STEP} {ODDS_PENALTY} {SEED}"
"""Names the way of teaching; its first number goes up when anything else of it changes."""

_WORD = re.compile(r"\w+")
_APOSTROPHES = str.maketrans("", "", "'’")
_MEAN_DECAY, _SQUARE_DECAY, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class QuestionReader:
    """Turns a question's vector to where the sentences are that answer such questions.

    Attributes:
        words: Rows of ``added``: stems.
        turned: Added for each value of the vector, shape ``(dimension, dimension)``.
        added: Added for each word, shape ``(words, dimension)``.
        odds: What each value of the vector, each word, each place of :func:`places_of`, and last any question adds to
            the logarithm of the odds that there is an answer, shape ``(dimension + words + PLACES + 1,)``.
    """

    words: Sequence[str]
    turned: Floats
    added: Floats
    odds: Floats
    _rows: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {word: row for row, word in enumerate(self.words)})

    @classmethod
    def of_tables(cls, words: Sequence[str], tables: Floats) -> "QuestionReader":
        """Take back what :meth:`tables` gave."""
        dimension, count = tables.shape[1], len(words)
        odds = tables[dimension + count :].ravel()[: dimension + count + PLACES + 1]
        return cls(words, tables[:dimension], tables[dimension : dimension + count], odds)

    def tables(self) -> Floats:
        """Return everything in rows of the vector's length, ``odds`` filled up with zeros."""
        dimension = len(self.turned)
        odds = np.pad(self.odds, (0, -len(self.odds) % dimension)).reshape(-1, dimension)
        return np.concatenate([self.turned, self.added, odds])

    def read(self, vector: Floats, query: str) -> Floats:
        """Return what sentences are to be compared with.

        Args:
            vector: The query's embedding, shape ``(dimension,)``.
            query: Its words.

        Returns:
            A unit vector of the same shape.
        """
        rows = self._rows_of(query)
        turned = vector + vector @ self.turned
        if rows:
            turned = turned + self.added[rows].sum(axis=0) / np.float32(np.sqrt(len(rows)))
        unit: Floats = (turned / np.linalg.norm(turned)).astype(np.float32)
        return unit

    def log_odds(self, vector: Floats, query: str) -> float:
        """Return the logarithm of the odds that a question has an answer, judged by the question alone."""
        dimension = len(vector)
        at, weights = _signs_of(self._rows_of(query), query, dimension, len(self.words))
        return float(self.odds[:dimension] @ vector + self.odds[at] @ weights + self.odds[-1])

    def _rows_of(self, query: str) -> list[int]:
        return [self._rows[word] for word in dict.fromkeys(stems(query)) if word in self._rows]


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
    words = words_of(texts)
    rows_of = _rows_of(words, texts)
    fitted = _fit(sentences[taught], questions[asked], [rows_of[number] for number in asked], len(words), answering)
    signs = [_signs_of(rows, text, questions.shape[1], len(words)) for rows, text in zip(rows_of, texts, strict=True)]
    size = questions.shape[1] + len(words) + PLACES + 1
    odds = _fit_odds(questions, signs, size, np.array([bool(rows) for rows in answers]))
    moved = sentences.copy()
    moved[taught] = fitted.sentences / np.linalg.norm(fitted.sentences, axis=1, keepdims=True)
    return Taught(moved, QuestionReader(words, fitted.turned, fitted.added, odds))


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
    steps = [_Adam(table.shape, STEP) for table in at.every()]
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


def places_of(text: str) -> list[int]:
    """Return the places of a text's words and of each pair of neighbours, its two ends counting as words."""
    words = ["", *_WORD.findall(text.casefold().translate(_APOSTROPHES)), ""]
    pairs = (f"{first} {second}" for first, second in pairwise(words))
    return sorted({crc32(run.encode()) % PLACES for run in (*words, *pairs)})


def _signs_of(rows: Sequence[int], text: str, dimension: int, words: int) -> tuple[NDArray[np.int64], Floats]:
    """Return where the words and pairs of a question stand in ``odds``, and what share of it each is."""
    places = places_of(text)
    at = [*(dimension + row for row in rows), *(dimension + words + place for place in places)]
    weights = [1.0 / np.sqrt(max(1, len(rows)))] * len(rows) + [1.0 / np.sqrt(len(places))] * len(places)
    return np.array(at, dtype=np.int64), np.array(weights, dtype=np.float32)


def _fit_odds(
    questions: Floats, signs: Sequence[tuple[NDArray[np.int64], Floats]], size: int, answered: NDArray[np.bool_]
) -> Floats:
    """Fit by logistic regression; the constant is free."""
    dimension = questions.shape[1]
    odds = np.zeros(size, dtype=np.float32)
    step, draw = _Adam(odds.shape, ODDS_STEP), np.random.default_rng(SEED)
    for epoch in range(EPOCHS):
        order = draw.permutation(len(questions))
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            at, weights = (np.concatenate([signs[number][which] for number in batch]) for which in (0, 1))
            owners = np.repeat(np.arange(len(batch)), [len(signs[number][0]) for number in batch])
            said = np.bincount(owners, weights * odds[at], len(batch))
            chances = 1.0 / (1.0 + np.exp(-(questions[batch] @ odds[:dimension] + said + odds[-1])))
            missed = (chances - answered[batch]) / len(batch)
            slope = np.bincount(at, weights * missed[owners], size).astype(np.float32)
            slope[:dimension] = missed @ questions[batch]
            slope[-1] = missed.sum()
            slope[:-1] += np.float32(2.0 * ODDS_PENALTY / len(questions)) * odds[:-1]
            step.take(odds, slope, 1.0 - epoch / EPOCHS)
    return odds


class _Adam:
    """The steps of one table."""

    def __init__(self, shape: tuple[int, ...], length: float) -> None:
        self._length = length
        self._mean, self._square = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
        self._room = np.empty(shape, dtype=np.float32)
        self._steps = 0

    def take(self, table: Floats, slope: Floats, share: float) -> None:
        """Move a table, in place. Nothing is laid out anew: most of a step is memory that is written."""
        self._steps += 1
        room = self._room
        np.subtract(slope, self._mean, out=room)
        room *= np.float32(1.0 - _MEAN_DECAY)
        self._mean += room
        np.square(slope, out=room)
        room -= self._square
        room *= np.float32(1.0 - _SQUARE_DECAY)
        self._square += room
        np.divide(self._square, np.float32(1.0 - _SQUARE_DECAY**self._steps), out=room)
        np.sqrt(room, out=room)
        room += np.float32(_TINY)
        np.divide(self._mean, room, out=room)
        room *= np.float32(self._length * share / (1.0 - _MEAN_DECAY**self._steps))
        table -= room


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
