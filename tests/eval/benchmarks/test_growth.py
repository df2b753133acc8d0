import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from eval.benchmarks.growth import as_json, grown_texts, grown_vectors, measure_growth, real_sentences, render
from eval.benchmarks.pairs import Pair
from eval.reporting.growth_plot import growth_plot
from tests.index.fakes import HashingEmbedder

PAIRS = [
    Pair("a", "Does heat help?", "A warm bath relaxes tight muscles. Keep heat packs away from bare skin."),
    Pair("b", "Does ice help?", "An ice pack can numb soreness for a while. No. Wrap it in a towel before you use it."),
]


def test_sentences_are_real_and_short_ones_are_left_out() -> None:
    assert sorted(real_sentences(PAIRS)) == [
        "A warm bath relaxes tight muscles.",
        "An ice pack can numb soreness for a while.",
        "Keep heat packs away from bare skin.",
        "Wrap it in a towel before you use it.",
    ]


def test_texts_grow_by_perturbation_and_repeat() -> None:
    sentences = real_sentences(PAIRS)
    texts = list(grown_texts(sentences, 12))
    assert texts[:4] == sentences
    assert texts == list(grown_texts(sentences, 12))
    words = {word for sentence in sentences for word in sentence.split()}
    for number, text in enumerate(texts[4:]):
        assert len(text.split()) == len(sentences[number % 4].split())
        assert set(text.split()) <= words
    assert len(set(texts)) > 8


def test_vectors_grow_by_steps_of_one_length_and_repeat() -> None:
    real = HashingEmbedder().embed(real_sentences(PAIRS))
    rows = grown_vectors(real, 30)
    assert np.allclose(rows[:4], real, atol=1e-6)
    assert np.array_equal(rows, grown_vectors(real, 30))
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    cosines = np.einsum("ij,ij->i", rows[4:], np.resize(rows[:4], (26, 16)))
    assert 0.6 < cosines.mean() < 0.99
    assert cosines.max() < 1


def test_each_size_is_measured_against_exact_search(tmp_path: Path) -> None:
    told: list[str] = []
    small, large = measure_growth(
        PAIRS, ["Does heat help?", "an ice pack"], [8, 40], HashingEmbedder(), 3, tmp_path, told.append
    )
    assert told == ["8 passages: done", "40 passages: done"]
    assert (small.passages, small.real, small.embedded, small.index) == (8, 4, 3, "flat")
    assert (large.recall_at_10, large.real) == (1.0, 4)
    assert large.fused_ms["p50"] >= large.dense_ms["p50"] > 0
    assert json.loads(as_json([small]))[0]["passages"] == 8
    table = render([replace(large, dense_ms={"p50": 1.234, "p99": 5.0}, memory_mb=812.4, load_average=0.31)])
    assert "| 40 | flat | 1.000 |" in table
    assert "| 812 | 1.23, 5.00 |" in table
    drawn = growth_plot([small, large])
    assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - our own drawing
    assert drawn.count("<circle") == 6


@pytest.mark.parametrize("p50", [0.01, 0.1, 1.0, 30.0, 5000.0])
def test_the_drawing_holds_any_times(p50: float, tmp_path: Path) -> None:
    size = measure_growth(PAIRS, ["heat"], [8], HashingEmbedder(), 3, tmp_path, lambda _: None)[0]
    times = {"p50": p50, "p99": p50}
    drawn = growth_plot([replace(size, dense_ms=times, lexical_ms=times, fused_ms=times)])
    assert "nan" not in drawn
