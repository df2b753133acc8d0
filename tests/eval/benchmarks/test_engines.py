from dataclasses import replace

import pytest

from eval.benchmarks.engines import compare_engines, first_passages
from eval.benchmarks.pairs import Pair
from index.engines.embedded import EmbeddedPassages
from index.viewing import view
from tests.index.engines.test_contract import EMBEDDER, made


def test_passages_are_cut_in_order_until_there_are_enough() -> None:
    pairs = [Pair(f"a{n}", f"What is {n}?", f"Answer {n} is short. " * 40) for n in range(4)]
    whole = first_passages(pairs, EMBEDDER, 1_000)
    assert len(whole) > 4
    assert {passage.document_id for passage in whole} == {pair.id for pair in pairs}
    assert first_passages(pairs, EMBEDDER, 3) == whole[:3]


def filled(count: int) -> EmbeddedPassages:
    engine, passages = EmbeddedPassages(EMBEDDER.dimension), made(count)
    engine.add(view(passages, EMBEDDER))
    return engine


def test_equal_engines_find_the_same_and_other_ones_do_not() -> None:
    passages = made(60)
    questions = [passage.embedded_text for passage in passages[:20]]
    relevant = [passage.document_id for passage in passages[:20]]
    vectors = EMBEDDER.embed(questions)
    same = compare_engines({"a": filled(60), "b": filled(60)}, questions, vectors, relevant)
    assert (same.passages, same.questions, same.same_dense, same.same_order) == (60, 20, 1.0, 1.0)
    assert same.ndcg["a"] == same.ndcg["b"] > 0.3
    worse = EmbeddedPassages(EMBEDDER.dimension)
    viewed = view(passages, EMBEDDER)
    worse.add([replace(one, vector=other.vector) for one, other in zip(viewed, reversed(viewed), strict=True)])
    other = compare_engines({"a": filled(60), "b": worse}, questions, vectors, relevant)
    assert other.same_dense < 0.5
    with pytest.raises(ValueError, match="same passages"):
        compare_engines({"a": filled(60), "b": filled(40)}, questions, vectors, relevant)
