from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.questions import KnownQuestion
from corpus.records import Attribution, Document, Page, Span
from index import teaching
from index.building import build_snapshot
from index.snapshot import open_snapshot
from index.teaching import teach_sentences
from tests.index.fakes import HashingEmbedder, make_document

FIRST, SECOND = "An ice pack can numb soreness.", "Wrap it in a towel."


def _unit(rows: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((rows, 16)).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _loss(sentences: NDArray[np.float32], questions: NDArray[np.float32], answers: list[list[int]]) -> float:
    """Say the same as the loss of the module in other words: one question after the other, in double precision."""
    taught = sorted({row for rows in answers for row in rows})
    losses = []
    for question, rows in zip(questions.astype(float), answers, strict=True):
        chances = {row: np.exp(teaching.SHARPNESS * float(sentences[row].astype(float) @ question)) for row in taught}
        losses.append(-np.log(sum(chances[row] for row in rows) / sum(chances.values())))
    return float(np.mean(losses))


def test_the_slope_is_that_of_the_loss() -> None:
    sentences, questions = 1.3 * _unit(3, 1), _unit(4, 2)
    answers = [[0], [1, 2], [2], [0, 1]]
    answering = np.zeros((4, 3), dtype=np.float32)
    for number, rows in enumerate(answers):
        answering[number, rows] = 1.0
    slope = teaching._slope(sentences, questions, answering)
    for row, column in ((0, 0), (1, 5), (2, 11)):
        losses = []
        for step in (1e-3, -1e-3):
            moved = sentences.copy()
            moved[row, column] += step
            losses.append(_loss(moved / np.linalg.norm(moved, axis=1, keepdims=True), questions, answers))
        assert slope[row, column] == pytest.approx((losses[0] - losses[1]) / 2e-3, abs=2e-3)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few questions are one batch: as many epochs as they need."""
    monkeypatch.setattr(teaching, "EPOCHS", 100)


@pytest.mark.usefixtures("patient")
def test_questions_come_nearer_to_their_answers_and_others_are_told_apart() -> None:
    sentences, questions = _unit(6, 3), _unit(60, 4)
    answers = [[number % 5] for number in range(60)]
    taught = teach_sentences(sentences, questions, answers)
    assert _loss(taught, questions, answers) < 0.8 * _loss(sentences, questions, answers)
    assert np.linalg.norm(taught, axis=1) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_array_equal(taught[5], sentences[5])
    np.testing.assert_array_equal(teach_sentences(sentences, questions, answers), taught)


def test_a_question_without_an_answer_teaches_nothing() -> None:
    sentences, questions = _unit(4, 5), _unit(6, 6)
    answers = [[0], [1], [], [2], [], [3]]
    some = [0, 1, 3, 5]
    np.testing.assert_array_equal(
        teach_sentences(sentences, questions, answers),
        teach_sentences(sentences, questions[some], [answers[number] for number in some]),
    )
    assert teach_sentences(sentences, questions, [[]] * 6) is sentences
    with pytest.raises(ValueError, match="6 questions but 1 answers"):
        teach_sentences(sentences, questions, [[0]])


def _digest() -> Document:
    plain = make_document("ice", "Cold", ("Ice", f"{FIRST} {SECOND}"))
    page = Page("ice", "Ice", "Tests", "https://example.org/")
    notes = []
    for words, fact in ((FIRST, "a:F01"), (SECOND, "a:F02")):
        at = plain.text.index(words)
        notes.append(Attribution(Span(at, at + len(words)), (fact,), "source", page))
    return replace(plain, attributions=tuple(notes))


def _sentence_vectors(folder: Path, known: tuple[KnownQuestion, ...]) -> NDArray[np.float32]:
    embedder = HashingEmbedder()
    build_snapshot([_digest()], embedder, folder, questions=known)
    part = open_snapshot(folder, embedder.model_id).parts["default"]
    assert tuple(part.questions) == known
    return part.sentence_vectors.vectors([0, 1])


@pytest.mark.usefixtures("patient")
def test_a_build_teaches_each_sentence_the_questions_on_its_facts(tmp_path: Path) -> None:
    asked = HashingEmbedder().embed(["will an ice pack numb the skin"])[0]
    known = (
        KnownQuestion("will an ice pack numb the skin", ("a:F02",)),
        KnownQuestion("is cold any good", ("a:F01",)),
        KnownQuestion("who sells cloth", reason="out_of_scope"),
    )
    plain, taught = _sentence_vectors(tmp_path / "plain", ()), _sentence_vectors(tmp_path / "taught", known)
    assert plain[1] @ asked < plain[0] @ asked
    assert taught[1] @ asked > taught[0] @ asked
    held_out = tuple(replace(question, held_out=bool(question.facts)) for question in known)
    np.testing.assert_array_equal(_sentence_vectors(tmp_path / "held", held_out), plain)
