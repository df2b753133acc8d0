from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.questions import KnownQuestion
from corpus.records import Attribution, Document, Page, Span
from index import teaching
from index.building import build_snapshot
from index.embedding import MeteredEmbedder
from index.manifest import Manifest
from index.parts import Part
from index.snapshot import open_snapshot, read_shipped
from index.teaching import PLACES, QuestionReader, Taught, places_of, teach
from tests.index.fakes import HashingEmbedder, make_document

FIRST, SECOND = "An ice pack can numb soreness.", "Wrap it in a towel."


def _unit(rows: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((rows, 16)).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _loss(
    sentences: NDArray[np.float32],
    reader: QuestionReader,
    questions: NDArray[np.float32],
    texts: list[str],
    answers: list[list[int]],
) -> float:
    """Say the same as the loss of the module in other words: one question after the other, in double precision."""
    taught = sorted({row for rows in answers for row in rows})
    losses = []
    for question, text, rows in zip(questions, texts, answers, strict=True):
        read = reader.read(question, text).astype(float)
        chances = {row: np.exp(teaching.SHARPNESS * float(sentences[row].astype(float) @ read)) for row in taught}
        losses.append(-np.log(sum(chances[row] for row in rows) / sum(chances.values())))
    return float(np.mean(losses))


TEXTS = ["ice packs", "towels and ice", "a towel", "rest"]
NO_ODDS = np.zeros(17, dtype=np.float32)
NOTHING = QuestionReader((), np.zeros((16, 16), dtype=np.float32), np.zeros((0, 16), dtype=np.float32), NO_ODDS)


@pytest.mark.parametrize(
    ("table", "row", "column"), [(0, 0, 1), (0, 2, 11), (1, 3, 4), (1, 15, 0), (2, 0, 3), (2, 1, 9)]
)
def test_the_slope_is_that_of_the_loss(table: int, row: int, column: int) -> None:
    sentences, questions, answers = 1.3 * _unit(3, 1), _unit(4, 2), [[0], [1, 2], [2], [0, 1]]
    words = ["ice", "towel"]
    answering = np.zeros((4, 3), dtype=np.float32)
    for number, rows in enumerate(answers):
        answering[number, rows] = 1.0
    tables = (sentences, 0.1 * _unit(16, 3), 0.2 * _unit(2, 4))
    said = teaching._said(teaching._rows_of(words, TEXTS), len(words))
    slope = teaching._slopes(teaching._Learnt(*tables), questions, said, answering).every()[table]
    losses = []
    for step in (1e-3, -1e-3):
        moved = [one.copy() for one in tables]
        moved[table][row, column] += step
        unit = moved[0] / np.linalg.norm(moved[0], axis=1, keepdims=True)
        losses.append(_loss(unit, QuestionReader(words, moved[1], moved[2], NO_ODDS), questions, TEXTS, answers))
    assert slope[row, column] == pytest.approx((losses[0] - losses[1]) / 2e-3, abs=2e-3)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few questions are one batch: as many epochs as they need."""
    monkeypatch.setattr(teaching, "EPOCHS", 200)


@pytest.mark.usefixtures("patient")
def test_questions_come_nearer_to_their_answers_and_others_are_told_apart() -> None:
    sentences, questions = _unit(6, 3), _unit(60, 4)
    answers = [[number % 5] for number in range(60)]
    texts = [f"word{number % 7} {number}" for number in range(60)]
    taught = teach(sentences, questions, texts, answers)
    assert taught.reader is not None
    assert taught.reader.words == [f"word{number}" for number in range(7)]  # a number stands in one question each
    before = _loss(sentences, NOTHING, questions, texts, answers)
    assert _loss(taught.sentences, taught.reader, questions, texts, answers) < 0.8 * before
    assert np.linalg.norm(taught.sentences, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert np.linalg.norm(taught.reader.read(questions[0], texts[0])) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_array_equal(taught.sentences[5], sentences[5])
    again = teach(sentences, questions, texts, answers)
    np.testing.assert_array_equal(again.table(), taught.table())
    kept = Taught.of_table(taught.table(), len(sentences), texts)
    assert kept.reader is not None
    np.testing.assert_array_equal(kept.reader.read(questions[3], "word3"), taught.reader.read(questions[3], "word3"))
    assert kept.reader.log_odds(questions[3], "word3") == taught.reader.log_odds(questions[3], "word3")


def test_a_word_that_taught_nothing_adds_nothing_and_one_said_twice_adds_once() -> None:
    reader = QuestionReader(["ice"], np.zeros((16, 16), dtype=np.float32), _unit(1, 9), NO_ODDS)
    vector = _unit(1, 8)[0]
    np.testing.assert_allclose(reader.read(vector, "towels?"), vector, atol=1e-6)
    np.testing.assert_array_equal(reader.read(vector, "ice, ice"), reader.read(vector, "ice"))
    assert not np.allclose(reader.read(vector, "ice"), vector, atol=1e-2)


def test_vector_words_and_pairs_of_words_tell_the_odds_of_an_answer() -> None:
    words = ["price", "towel"]
    places = np.zeros(PLACES, dtype=np.float32)
    places[places_of("Is mine?")] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    odds = np.concatenate(
        [_unit(1, 10)[0], np.array([-2.0, 1.0], dtype=np.float32), places, np.array([0.5], dtype=np.float32)]
    )
    reader = QuestionReader(words, np.zeros((16, 16), dtype=np.float32), _unit(2, 9), odds)
    vector = _unit(1, 8)[0]
    expected = float(odds[:16] @ vector) + 0.5
    assert reader.log_odds(vector, "is MINE") == pytest.approx(expected + 21.0 / 6**0.5, abs=1e-5)
    said = "the price of a towel, what price?"
    small = places[places_of(said)].sum() / len(places_of(said)) ** 0.5
    assert reader.log_odds(vector, said) == pytest.approx(expected + (-2.0 + 1.0) / 2**0.5 + small, abs=1e-5)
    assert reader.log_odds(vector, "") == pytest.approx(
        expected + places[places_of("")].sum() / len(places_of("")) ** 0.5, abs=1e-5
    )


def test_places_tell_pairs_apart_and_take_no_heed_of_case_marks_and_repeats() -> None:
    assert len(places_of("Is mine?")) == 6  # two words, the end, three pairs
    assert places_of("It's MINE, mine") == places_of("its mine mine")
    assert places_of("is mine") != places_of("mine is")
    assert set(places_of("is mine")) & set(places_of("mine is"))
    assert all(0 <= place < PLACES for place in places_of("how long does a back spasm last?"))


@pytest.mark.usefixtures("patient")
def test_the_order_of_words_teaches_the_odds() -> None:
    questions = np.repeat(_unit(1, 11), 40, axis=0)
    texts = [f"mine is {number}" if number % 2 else f"is mine {number}" for number in range(40)]
    reader = teach(_unit(2, 12), questions, texts, [[] if number % 2 else [0] for number in range(40)]).reader
    assert reader is not None
    assert reader.log_odds(questions[0], "is mine 99") > 0 > reader.log_odds(questions[0], "mine is 99")


@pytest.mark.usefixtures("patient")
def test_the_odds_are_learnt_from_what_has_an_answer_and_what_has_none() -> None:
    questions = _unit(40, 11)
    texts = [f"price of {number}" if number % 2 else f"towel for {number}" for number in range(40)]
    answers = [[] if number % 2 else [0] for number in range(40)]
    reader = teach(_unit(2, 12), questions, texts, answers).reader
    assert reader is not None
    chances = [reader.log_odds(vector, text) for vector, text in zip(questions, texts, strict=True)]
    assert all((chance > 0) == (number % 2 == 0) for number, chance in enumerate(chances))
    assert reader.log_odds(0 * questions[0], "price") < 0 < reader.log_odds(0 * questions[0], "towel")


def test_a_question_without_an_answer_moves_no_sentence() -> None:
    sentences, questions = _unit(4, 5), _unit(6, 6)
    answers, texts = [[0], [1], [], [2], [], [3]], ["cold"] * 6
    some = [0, 1, 3, 5]
    np.testing.assert_array_equal(
        teach(sentences, questions, texts, answers).sentences,
        teach(sentences, questions[some], [texts[n] for n in some], [answers[n] for n in some]).sentences,
    )
    nothing = teach(sentences, questions, texts, [[]] * 6)
    assert nothing.sentences is sentences
    assert nothing.reader is None
    with pytest.raises(ValueError, match="6 questions with 6 texts but 1 answers"):
        teach(sentences, questions, texts, [[0]])


def _digest() -> Document:
    plain = make_document("ice", "Cold", ("Ice", f"{FIRST} {SECOND}"))
    page = Page("ice", "Ice", "Tests", "https://example.org/")
    notes = []
    for words, fact in ((FIRST, "a:F01"), (SECOND, "a:F02")):
        at = plain.text.index(words)
        notes.append(Attribution(Span(at, at + len(words)), (fact,), "source", page))
    return replace(plain, attributions=tuple(notes))


def _built(folder: Path, known: tuple[KnownQuestion, ...], cache: Path | None = None) -> Part:
    embedder = HashingEmbedder()
    build_snapshot([_digest()], embedder, folder, questions=known, cache=cache)
    part = open_snapshot(folder, embedder.model_id).parts["default"]
    assert tuple(part.questions) == known
    return part


def _scores(part: Part, query: str) -> list[float]:
    read = part.read(HashingEmbedder().embed([query])[0], query)
    return [float(vector @ read) for vector in part.sentence_vectors.vectors([0, 1])]


@pytest.mark.usefixtures("patient")
def test_a_build_teaches_each_sentence_the_questions_on_its_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "will an ice pack numb the skin"
    known = (
        KnownQuestion(query, ("a:F02",)),
        KnownQuestion("is cold any good", ("a:F01",)),
        KnownQuestion("who sells cloth", reason="out_of_scope"),
    )
    plain, taught = _built(tmp_path / "plain", ()), _built(tmp_path / "taught", known, tmp_path / "cache")
    assert plain.reader is None
    assert _scores(plain, query)[1] < _scores(plain, query)[0]
    assert _scores(taught, query)[1] > _scores(taught, query)[0]
    with monkeypatch.context() as kept:
        kept.setattr("index.building.teach", pytest.fail)
        assert _scores(_built(tmp_path / "again", known, tmp_path / "cache"), query) == _scores(taught, query)


@pytest.mark.usefixtures("patient")
def test_what_else_a_collection_holds_is_not_learnt_from_and_makes_nothing_be_learnt_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = (KnownQuestion("will an ice pack numb the skin", ("a:F02",)), KnownQuestion("is cold any good", ("a:F01",)))
    embedder, other = HashingEmbedder(), make_document("aaa", "Beds", ("Beds", "A bed goes back. It is collected."))
    alone = _built(tmp_path / "alone", known, tmp_path / "cache")
    monkeypatch.setattr("index.building.teach", pytest.fail)
    build_snapshot([other, _digest()], embedder, tmp_path / "both", questions=known, cache=tmp_path / "cache")
    both = open_snapshot(tmp_path / "both", embedder.model_id).parts["default"]
    assert len(both.sentences) == 4
    query = "will an ice pack numb the skin"
    rows = [n for n, (row, _) in enumerate(both.sentences) if both.passages[row].document_id == _digest().id]
    read = both.read(embedder.embed([query])[0], query)
    assert [float(vector @ read) for vector in both.sentence_vectors.vectors(rows)] == pytest.approx(
        _scores(alone, query), abs=1e-6
    )


@pytest.mark.usefixtures("patient")
def test_what_the_current_snapshot_holds_is_taken_over_unless_anything_of_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = (KnownQuestion("will an ice pack numb the skin", ("a:F02",)), KnownQuestion("is cold any good", ("a:F01",)))
    embedder, cache = MeteredEmbedder(HashingEmbedder()), tmp_path / "cache"
    ward = make_document("ward", "Beds", ("Beds", "A bed goes back. It is collected."), collection="ward")
    beside = make_document("beside", "Beds", ("Beds", "A bed goes back."))

    def build(root: str, *more: Document, questions: tuple[KnownQuestion, ...] = known, like: str = "") -> Manifest:
        before = read_shipped(tmp_path / like, embedder.model_id, "files and code") if like else None
        return build_snapshot(
            [_digest(), *more], embedder, tmp_path / root, None, cache, questions=questions,
            made_from={"shipped": "files and code"}, before=before,
        )  # fmt: skip

    plain, fresh = build("plain"), build("fresh", ward)
    embedded = embedder.embedded
    with monkeypatch.context() as kept:
        kept.setattr("index.building.teach", pytest.fail)
        assert build("over", ward, like="plain").snapshot_id == fresh.snapshot_id  # the same to the bit
    assert embedder.embedded == embedded  # and the cache still has all of it
    assert build("again").snapshot_id == plain.snapshot_id
    assert embedder.embedded == embedded
    for more, asked in (((beside,), known), ((), known[:1])):
        changed = build("changed", *more, questions=asked, like="plain")
        assert changed.snapshot_id != plain.snapshot_id
        assert changed.counts["questions"] == len(asked)
    assert read_shipped(tmp_path / "plain", embedder.model_id, "other code") is None
    assert read_shipped(tmp_path / "plain", "other@2", "files and code") is None
    assert read_shipped(tmp_path / "nowhere", embedder.model_id, "files and code") is None
    vectors = tmp_path / "plain" / plain.snapshot_id / "parts" / "0" / "sentences.faiss"
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"?")
    assert read_shipped(tmp_path / "plain", embedder.model_id, "files and code") is None
