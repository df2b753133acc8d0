from dataclasses import replace
from pathlib import Path

import pytest

from corpus.questions import KnownQuestion
from corpus.records import Attribution, Document, Page, Span
from index.building import build_snapshot
from index.known import LIFT, LIFTS_FROM, NOWHERE, KnownQuestions
from index.snapshot import open_snapshot
from tests.index.fakes import HashingEmbedder, make_document

BODY = "An ice pack can numb soreness. Wrap it in a towel."


def _digest() -> Document:
    plain = make_document("ice", "Cold", ("Ice", BODY))
    page = Page("ice", "Ice", "Tests", "https://example.org/")
    notes = []
    for words, facts in (("An ice pack can numb soreness.", ("a:F01",)), ("Wrap it in a towel.", ("a:F01", "a:F02"))):
        at = plain.text.index(words)
        notes.append(Attribution(Span(at, at + len(words)), facts, "source", page))
    return replace(plain, attributions=tuple(notes))


def test_a_known_question_lifts_the_sentences_that_answer_it_by_less_the_more_they_are(tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    known = (
        KnownQuestion("how to hold an ice pack", ("a:F02",)),
        KnownQuestion("does an ice pack numb soreness", ("a:F01",)),
        KnownQuestion("who sells towels", reason="out_of_scope"),
    )
    build_snapshot([_digest()], embedder, tmp_path, questions=known)
    snapshot = open_snapshot(tmp_path, embedder.model_id)
    questions = KnownQuestions(snapshot.parts["default"], snapshot.documents)
    alone, both = embedder.embed([known[0].text, known[1].text])
    near, lifts = questions.look_up(alone)
    assert near.answered[0] == pytest.approx(1.0)
    assert lifts[1] == pytest.approx(LIFT)
    near, lifts = questions.look_up(both)
    assert lifts[0] == pytest.approx(LIFT / 2**0.5)
    assert lifts[1] == pytest.approx(
        max(LIFT / 2**0.5, LIFT * max(0.0, near.answered[1] - LIFTS_FROM) / (1 - LIFTS_FROM))
    )
    _, lifts = questions.look_up(embedder.embed(["who sells towels"])[0])
    assert all(lift < LIFT for lift in lifts.values())


def test_a_known_question_is_not_looked_up_by_itself(tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    known = (
        KnownQuestion("How to hold an ice pack?", ("a:F02",)),
        KnownQuestion("how to hold an ice pack", ("a:F02",)),
        KnownQuestion("does an ice pack numb soreness", ("a:F01",)),
    )
    build_snapshot([_digest()], embedder, tmp_path, questions=known)
    snapshot = open_snapshot(tmp_path, embedder.model_id)
    questions = KnownQuestions(snapshot.parts["default"], snapshot.documents)
    vector = embedder.embed([known[1].text])[0]
    assert len(questions.look_up(vector, ("how long is an ice pack to be held",))[0].answered) == 3
    near, lifts = questions.look_up(vector, ("HOW to hold... an ice pack",))
    assert len(near.answered) == 1
    assert near.answered[0] < 1
    assert lifts.get(1, 0.0) < LIFT


def test_a_part_without_known_questions_has_nothing_near(tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    build_snapshot([_digest()], embedder, tmp_path)
    snapshot = open_snapshot(tmp_path, embedder.model_id)
    assert KnownQuestions(snapshot.parts["default"], snapshot.documents).look_up(embedder.embed(["ice"])[0]) == (
        NOWHERE,
        {},
    )
