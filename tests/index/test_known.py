from pathlib import Path

import numpy as np
import pytest

from corpus.questions import KnownQuestion
from index.building import build_snapshot
from index.known import NOWHERE, KnownQuestions, Nearness
from index.snapshot import open_snapshot
from tests.index.fakes import HashingEmbedder, make_document

DOCUMENT = make_document("ice", "Cold", ("Ice", "An ice pack can numb soreness. Wrap it in a towel."))


def _look_up(folder: Path, known: tuple[KnownQuestion, ...], query: str) -> Nearness:
    embedder = HashingEmbedder()
    build_snapshot([DOCUMENT], embedder, folder, questions=known)
    part = open_snapshot(folder, embedder.model_id).parts["default"]
    return KnownQuestions(part).look_up(embedder.embed([query])[0], query)


def test_what_is_answered_and_what_is_not_is_told_apart(tmp_path: Path) -> None:
    known = (
        KnownQuestion("how to hold an ice pack", ("a:F02",)),
        KnownQuestion("who sells towels", reason="out_of_scope"),
        KnownQuestion("does an ice pack numb soreness", ("a:F01",)),
        KnownQuestion("what does an ice pack cost", reason="not_in_sources"),
    )
    near = _look_up(tmp_path, known, "how to hold an ice pack")
    embedder = HashingEmbedder()
    vectors = embedder.embed([question.text for question in known])
    expected = np.sort(vectors[::2] @ vectors[0])[::-1]
    assert near.answered == pytest.approx(tuple(expected), abs=1e-3)
    assert near.answered[0] == pytest.approx(1.0, abs=1e-3)
    assert near.unanswered == pytest.approx(tuple(np.sort(vectors[1::2] @ vectors[0])[::-1]), abs=1e-3)
    assert near.reason == "not_in_sources"


def test_a_part_without_known_questions_has_nothing_near(tmp_path: Path) -> None:
    assert _look_up(tmp_path, (), "ice") == NOWHERE
