import gzip
import json
from pathlib import Path

import pytest

from eval.benchmarks.pairs import (
    VARIANTS,
    Pair,
    better_alone,
    grade_pairs,
    load_pairs,
    open_retriever,
    ramble,
    sample_pairs,
    search_pairs,
)
from eval.errors import RunError
from tests.index.fakes import HashingEmbedder

PAIRS = [
    Pair("a", "What is a cramp ?", "A cramp is a muscle that tightens by itself."),
    Pair("b", "what is a cramp", "Tight muscles that hurt are called cramps."),
    Pair("c", "How long does a strain last?", "A strain of the back lasts some weeks."),
]


def test_pairs_are_read_packed_or_not_and_empty_answers_left_out(tmp_path: Path) -> None:
    rows = [{"_id": "1", "title": "Why?", "text": "So."}, {"_id": "2", "title": "Who?", "text": "  "}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "pairs.jsonl").write_text(text)
    with gzip.open(tmp_path / "pairs.jsonl.gz", "wt") as file:
        file.write(text)
    assert load_pairs(tmp_path / "pairs.jsonl") == load_pairs(tmp_path / "pairs.jsonl.gz") == [Pair("1", "Why?", "So.")]


@pytest.mark.parametrize("line", ["{", "[]", '{"_id": "1"}'])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"_id": "1", "title": "Why?", "text": "So."}\n' + line + "\n")
    with pytest.raises(RunError, match="2"):
        load_pairs(tmp_path / "pairs.jsonl")


def test_an_answer_to_the_same_words_is_right_too() -> None:
    assert grade_pairs(PAIRS, PAIRS[:1]) == {"a": {"a": 1, "b": 1}}
    assert grade_pairs(PAIRS, PAIRS[2:]) == {"c": {"c": 1}}


def test_the_sample_is_fixed_and_in_order() -> None:
    many = [Pair(str(number), "?", "!") for number in range(100)]
    some = sample_pairs(many, 10)
    assert some == sample_pairs(many, 10)
    assert [int(pair.id) for pair in some] == sorted(int(pair.id) for pair in some)
    assert sample_pairs(many, 1_000) == many


def test_a_ramble_is_long_fixed_and_holds_the_question() -> None:
    rambling = ramble("How long does a strain last?")
    assert rambling == ramble("How long does a strain last?")
    assert "How long does a strain last?" in rambling
    assert len(rambling.split()) > 50


def test_the_question_is_not_found_in_its_answer_and_each_document_stands_once(tmp_path: Path) -> None:
    retriever = open_retriever(PAIRS, HashingEmbedder(), tmp_path)
    assert all("What is a cramp" not in passage.embedded_text for passage in retriever.snapshot.passages)
    found = search_pairs(retriever, PAIRS, VARIANTS["as asked"])
    assert set(found) == {"bm25", "dense", "default"}
    assert [name for name, _ in found["bm25"]["c"]] == ["c"]
    assert sorted(name for name, _ in found["default"]["c"]) == ["a", "b", "c"]
    name, held = better_alone(found, grade_pairs(PAIRS, PAIRS))
    assert name in {"bm25", "dense"}
    assert 0 < held.alone <= 1
    assert 0 < held.shipped <= 1


def test_an_index_that_is_there_is_used_again(tmp_path: Path) -> None:
    first = open_retriever(PAIRS, HashingEmbedder(), tmp_path)
    embedder = HashingEmbedder()
    assert open_retriever(PAIRS, embedder, tmp_path).snapshot.id == first.snapshot.id
    assert embedder.seen == []
    assert open_retriever(PAIRS[:2], embedder, tmp_path).snapshot.id != first.snapshot.id
