"""What holds over the engine in this process has to hold over Milvus, on values."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.records import Passage
from corpus.splitting import split_document
from index.engines.embedded import EmbeddedPassages
from index.engines.protocol import Allowed, PassageEngine, Ranked, search_fused
from index.exact import search_exact
from index.viewing import Viewed, view
from tests.index.fakes import HashingEmbedder, make_document

WORDS = "back pain spasm muscle heat cold walk rest sleep lift chair doctor night morning week numb leg pillow".split()
EMBEDDER = HashingEmbedder()
Open = Callable[[], PassageEngine]


def made(count: int = 120) -> list[Passage]:
    """Passages of three words in their own order, some of them with equal words: their vectors are equal too."""
    passages = []
    for number in range(count):
        words = [WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 7)]
        text = f"{' '.join(words)} {'really ' * (number % 4)}{words[0]}."
        document = make_document(f"s{number // 2}", "Guide", ("Heading", text))
        passages += split_document(document, EMBEDDER.count_tokens, EMBEDDER.token_budget)
    return list({passage.id: passage for passage in passages}.values())


def vectors_of(passages: list[Passage]) -> NDArray[np.float32]:
    return EMBEDDER.embed([passage.embedded_text for passage in passages])


def plain(one: Viewed) -> tuple[Passage, list[float], list[list[int]]]:
    return one.passage, one.vector.tolist(), one.views.tolist()


def vector(text: str) -> NDArray[np.float32]:
    found: NDArray[np.float32] = EMBEDDER.embed([text])[0]
    return found


def ids(found: list[Ranked]) -> list[str]:
    return [one.passage.id for one in found]


@pytest.fixture(params=["embedded", "milvus"])
def empty(request: pytest.FixtureRequest) -> PassageEngine:
    if request.param == "embedded":
        return EmbeddedPassages(EMBEDDER.dimension)
    opener: Open = request.getfixturevalue("open_milvus")
    return opener()


@pytest.fixture
def engine(empty: PassageEngine) -> PassageEngine:
    passages = made()
    empty.add(view(passages, EMBEDDER))
    return empty


def test_the_nearest_are_those_of_exact_search_with_their_cosines(engine: PassageEngine) -> None:
    passages = sorted(made(), key=lambda passage: passage.id)
    matrix = vectors_of(passages)
    for question in ("heat for a spasm", "numb leg at night", "walk a week", "pillow"):
        found = engine.search_dense(vector(question), 10)
        wanted = search_exact(vector(question), matrix, 10)
        assert ids(found) == [passages[hit.row].id for hit in wanted]
        assert [one.score for one in found] == pytest.approx([hit.score for hit in wanted], abs=1e-6)
        assert [one.rank for one in found] == list(range(1, 11))
        assert found[0].passage == passages[wanted[0].row]


def test_words_are_found_by_their_stems_and_rarer_ones_weigh_more(engine: PassageEngine) -> None:
    found = engine.search_lexical("walking numbness pillows", 1_000)
    wanted = {p.id for p in made() if {"walk", "numb", "pillow"} & set(p.text.replace(".", " ").split())}
    assert set(ids(found)) == wanted
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    assert engine.search_lexical("the of zebra", 5) == []


def test_both_engines_rank_words_alike(open_milvus: Open) -> None:
    passages = made()
    one, other = EmbeddedPassages(EMBEDDER.dimension), open_milvus()
    for each in (one, other):
        each.add(view(passages, EMBEDDER))
    for question in ("heat for a spasm", "numb leg at night", "walk a week"):
        ours, theirs = one.search_lexical(question, 20), other.search_lexical(question, 20)
        assert [round(a.score / ours[0].score, 3) for a in ours] == pytest.approx(
            [b.score / theirs[0].score for b in theirs], abs=0.01
        )
        fused = [ids(search_fused(each, question, vector(question), 10)) for each in (one, other)]
        assert len(set(fused[0]) & set(fused[1])) >= 9


def test_filters_act_before_ranking(engine: PassageEngine) -> None:
    sources = {"s3", "s17", "s40"}
    allowed = Allowed(sources, withdrawn=("doc_s17",))
    inside = {p.id for p in made() if p.source_id in {"s3", "s40"}}
    assert set(ids(engine.search_dense(vector("heat"), 50, allowed))) == inside
    assert set(ids(engine.search_lexical("guide", 50, allowed))) == inside
    assert set(ids(search_fused(engine, "guide", vector("heat"), 50, allowed))) == inside
    assert engine.search_dense(vector("heat"), 5, Allowed(source_ids=())) == []
    everything = Allowed(withdrawn=("doc_s3",))
    assert len(engine.search_dense(vector("heat"), 1_000, everything)) == len(made()) - 2


@pytest.mark.parametrize("name", ['a" or 1 == 1 or "', "back\\slash", "quo'te", "näme 🙂", "", "%"])
def test_a_name_is_never_an_expression(empty: PassageEngine, name: str) -> None:
    document = make_document(name or "empty", "Guide", ("H", "heat helps"))
    passages = split_document(document, EMBEDDER.count_tokens, EMBEDDER.token_budget) + made(4)
    empty.add(view(passages, EMBEDDER))
    found = empty.search_dense(vector("heat"), 50, Allowed([name]))
    assert [one.passage.source_id for one in found] == ([name] if name else [])
    empty.delete_documents([f"doc_{name}"])
    assert len(empty) == (4 if name else 5)


def test_what_is_deleted_is_gone_from_the_next_search_on(engine: PassageEngine) -> None:
    before = len(engine)
    best = engine.search_dense(vector("pillow"), 1)[0].passage
    engine.delete_documents([best.document_id])
    assert len(engine) == before - 2
    for found in (engine.search_dense(vector("pillow"), before), engine.search_lexical("guide", before)):
        assert best.document_id not in {one.passage.document_id for one in found}
    engine.delete_documents([])
    assert len(engine) == before - 2


def test_an_older_version_goes_and_what_was_written_before_stays(engine: PassageEngine) -> None:
    passages = made()
    document = passages[0].document_id
    old = [passage.id for passage in passages if passage.document_id == document]
    engine.delete_documents([document, passages[-1].document_id], but=[old[0], "p_unknown"])
    last = {passage.id for passage in passages if passage.document_id == passages[-1].document_id}
    found = set(ids(engine.search_dense(vector("heat"), 1_000)))
    assert found == {passage.id for passage in passages} - {*old[1:], *last}


def test_passages_come_back_with_their_vectors(engine: PassageEngine) -> None:
    passages = made()
    viewed = {one.passage.id: plain(one) for one in view(passages, EMBEDDER)}
    found = engine.fetch([passages[3].id, passages[8].id, "p_unknown"])
    assert {name: plain(one) for name, one in found.items()} == {passages[n].id: viewed[passages[n].id] for n in (3, 8)}
    assert engine.fetch([]) == {}
    assert {one.passage.id: plain(one) for one in engine.everything()} == viewed


def test_a_passage_may_have_as_many_sentences_as_tokens(empty: PassageEngine) -> None:
    document = make_document("list", "L", ("H", "\n".join(f"A{number}" for number in range(600))))
    passages = split_document(document, lambda text: len(text.split()) + 2, 700)
    viewed = view(passages, EMBEDDER)
    assert max(len(one.views) for one in viewed) > 500
    empty.add(viewed)
    assert {one.passage.id: plain(one) for one in empty.everything()} == {one.passage.id: plain(one) for one in viewed}


def test_the_same_passages_twice_are_there_once(engine: PassageEngine) -> None:
    passages = made()
    engine.add(view(passages[:40], EMBEDDER))
    assert len(engine) == len(passages)
    found = ids(engine.search_dense(vector("heat"), 1_000))
    assert len(found) == len(set(found)) == len(passages)


def test_a_rebuilt_collection_takes_the_place_of_the_old_one_at_once_or_not_at_all(engine: PassageEngine) -> None:
    newer = made(10)
    before = ids(engine.search_dense(vector("heat"), 5))
    with engine.replacing() as filling:
        filling.add(view(newer, EMBEDDER))
        assert ids(engine.search_dense(vector("heat"), 5)) == before
        assert len(filling) == len(newer)
    assert set(ids(engine.search_dense(vector("heat"), 100))) == {passage.id for passage in newer}
    with pytest.raises(AttributeError), engine.replacing() as filling:
        filling.add(newer[:1])  # type: ignore[arg-type] # passages without vectors
    assert len(engine) == len(newer)


def test_an_empty_collection_finds_nothing(empty: PassageEngine) -> None:
    assert len(empty) == 0
    assert empty.search_dense(vector("heat"), 3) == []
    assert empty.search_lexical("heat", 3) == []
    assert search_fused(empty, "heat", vector("heat"), 3) == []


def test_fewer_than_one_is_refused(engine: PassageEngine) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        engine.search_dense(vector("heat"), 0)
    with pytest.raises(ValueError, match="at least 1"):
        engine.search_lexical("heat", 0)
    with pytest.raises(ValueError, match="at least 1"):
        search_fused(engine, "heat", vector("heat"), 0)
