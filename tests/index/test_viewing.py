"""Sentences as they are seen in their passage."""

import numpy as np
import pytest

from corpus.splitting import split_document
from index.lexical import LexicalIndex
from index.viewing import HEADING_SHARE, Viewed, rank_sentences, rounded, view
from tests.index.fakes import HashingEmbedder, make_document

EMBEDDER = HashingEmbedder()


def viewed() -> list[Viewed]:
    document = make_document("guide", "Guide", ("Heat", "Warm it. A bath helps a spasm."), ("Cold", "Ice numbs."))
    return view(split_document(document, EMBEDDER.count_tokens, EMBEDDER.token_budget), EMBEDDER)


def test_a_view_is_the_sentence_moved_towards_its_heading() -> None:
    first = viewed()[0]
    heading, *alone = EMBEDDER.embed(["Heat", *(first.passage.text_of(span) for span in first.passage.sentences)])
    assert np.array_equal(first.vector, EMBEDDER.embed([first.passage.embedded_text])[0])
    assert first.views.shape == (2, 16)
    for row, plain in zip(first.views.astype(np.float32), alone, strict=True):
        wanted = plain + HEADING_SHARE * heading
        cosine = float(row @ wanted / np.linalg.norm(row) / np.linalg.norm(wanted))
        assert cosine == pytest.approx(1.0, abs=1e-3)


def test_rounding_keeps_the_direction_of_any_row() -> None:
    rows = np.random.default_rng(1).normal(size=(200, 384)).astype(np.float32) * np.logspace(-6, 6, 200)[:, None]
    small = rounded(rows.astype(np.float32))
    assert small.dtype == np.int8
    assert np.abs(small).max(axis=1).tolist() == [127] * 200
    kept = small.astype(np.float64)
    cosines = (rows * kept).sum(axis=1) / np.linalg.norm(rows, axis=1) / np.linalg.norm(kept, axis=1)
    assert cosines.min() > 0.9999
    assert rounded(np.zeros((2, 3), dtype=np.float32)).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert rounded(np.zeros((0, 3), dtype=np.float32)).shape == (0, 3)


def test_sentences_are_ranked_by_cosine_and_a_little_by_words() -> None:
    every = viewed()
    passages = [one.passage for one in every]
    words = LexicalIndex.build([passage.embedded_text for passage in passages])
    query = "a bath for a spasm"
    vector = EMBEDDER.embed([query])[0]
    found = rank_sentences(words, query, vector, passages, [one.views for one in every], 2)
    assert (len(found), found[0].text) == (2, "A bath helps a spasm.")
    assert found[0].score == pytest.approx(found[0].cosine + 0.15)
    assert found[0].score >= found[1].score
    assert found[0].passage.text_of(found[0].span) == found[0].text
    assert rank_sentences(words, query, vector, [], [], 3) == ()


def test_nothing_is_embedded_for_nothing() -> None:
    embedder = HashingEmbedder()
    assert view([], embedder) == []
    assert embedder.seen == []
