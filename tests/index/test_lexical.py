"""BM25 by hand, as Lucene has it: idf = ln(1 + (N - n + 0.5) / (n + 0.5)), times tf / (tf + k1 (1 - b + b dl / avg)).

The three texts below have 3, 2 and 1 words, 2 on average; with k1 = 1.5 and b = 0.75 the length part k1 (…) is 2.0625,
1.5 and 0.9375. "spasm" stands in one text: idf = ln(1 + 2.5 / 1.5) = 0.980829. "heat" stands in two:
idf = ln(1 + 1.5 / 2.5) = 0.470004.
"""

import math
from pathlib import Path

import numpy as np
import pytest

from index.lexical import LexicalIndex, stems

TEXTS = ["Spasms: spasm, heat!", "Heat and ice", "Walking"]
SPASM_IN_FIRST = 0.980829 * 2 / (2 + 2.0625)
HEAT_IN_FIRST = 0.470004 * 1 / (1 + 2.0625)
HEAT_IN_SECOND = 0.470004 * 1 / (1 + 1.5)


def test_scores_are_the_ones_worked_by_hand() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.scores("spasm").tolist() == pytest.approx([SPASM_IN_FIRST, 0, 0], abs=1e-6)
    assert index.scores("heat").tolist() == pytest.approx([HEAT_IN_FIRST, HEAT_IN_SECOND, 0], abs=1e-6)
    assert index.scores("spasm or heat").tolist() == pytest.approx(
        [SPASM_IN_FIRST + HEAT_IN_FIRST, HEAT_IN_SECOND, 0], abs=1e-6
    )


def test_hits_have_scores_above_zero_from_best_to_worst() -> None:
    hits = LexicalIndex.build(TEXTS).search("heat", 10)
    assert [(hit.row, hit.rank) for hit in hits] == [(1, 1), (0, 2)]
    assert [hit.score for hit in hits] == pytest.approx([0.188002, 0.153471], abs=1e-6)


def test_idf_is_lucenes_and_an_absent_stem_is_as_telling_as_a_rare_one() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.idf("spasm") == pytest.approx(math.log(1 + 2.5 / 1.5))
    assert index.idf("heat") == pytest.approx(math.log(1 + 1.5 / 2.5))
    assert index.idf("zebra") == index.idf("spasm")
    assert LexicalIndex.build([]).idf("zebra") == pytest.approx(math.log(1 + 0.5 / 1.5))


def test_stems_fold_case_accents_and_apostrophes_and_drop_stop_words() -> None:
    assert stems("The MUSCLES’ spasms aren't at 2.5") == ["muscl", "spasm", "arent", "2.5"]
    assert stems("naïve Rücken snake_case") == ["naiv", "rucken", "snake", "case"]
    assert stems("спина") == ["спина"]
    assert stems("and the of …") == []


def test_the_vocabulary_is_every_stem() -> None:
    assert LexicalIndex.build(TEXTS).vocabulary == {"spasm", "heat", "ice", "walk"}


def test_a_filter_acts_before_ranking() -> None:
    index = LexicalIndex.build(["heat", "heat", "heat pack", "heat pack towel"])
    assert [hit.row for hit in index.search("heat", 1, [3, 2])] == [2]
    assert [hit.row for hit in index.search("heat", 9, np.array([3, 0]))] == [0, 3]
    assert index.search("heat", 9, []) == []


@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_equal_scores_keep_row_order_and_the_first_of_them_come_back(k: int) -> None:
    hits = LexicalIndex.build(["ice cold", "heat", "heat", "heat heat", "heat"]).search("heat", k)
    assert [hit.row for hit in hits] == [3, 1, 2, 4][:k]


def test_k_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        LexicalIndex.build(TEXTS).search("heat", 0)


@pytest.mark.parametrize("texts", [[], [""], ["the of", "and"], TEXTS, ["heat", ""]])
def test_an_index_survives_saving(texts: list[str], tmp_path: Path) -> None:
    index = LexicalIndex.build(texts)
    index.save(tmp_path / "words")
    loaded = LexicalIndex.load(tmp_path / "words")
    assert sorted(path.name for path in (tmp_path / "words").iterdir()) == ["scores.safetensors", "vocabulary.json"]
    assert (len(loaded), loaded.vocabulary) == (len(texts), index.vocabulary)
    for query in ("heat", "spasm heat walking", "zebra", ""):
        assert np.array_equal(loaded.scores(query), index.scores(query))
        assert loaded.search(query, 5) == index.search(query, 5)
    assert loaded.idf("heat") == index.idf("heat")


def test_the_same_texts_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        LexicalIndex.build(TEXTS).save(tmp_path / name)
    for file in ("scores.safetensors", "vocabulary.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("k", [1, 10, 100])
def test_leaving_out_what_cannot_be_among_the_best_changes_nothing(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(3)
    words = [f"w{number}x" for number in range(300)]
    shares = 1 / np.arange(1, 301)
    texts = [" ".join(draw.choice(words, 8, p=shares / shares.sum())) for _ in range(3_000)]
    index = LexicalIndex.build(texts)
    queries = [*("w0x w1x w250x", "w0x w0x w1x", "w290x", "w0x", "nothing", "w5x w40x w2x w3x w0x w1x")]
    queries += [" ".join(draw.choice(words, 6)) for _ in range(40)]
    whole = [index.search(query, k) for query in queries]
    monkeypatch.setattr("index.lexical.MANY_POSTINGS", 0)
    assert [index.search(query, k) for query in queries] == whole
