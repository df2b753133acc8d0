from pathlib import Path

import numpy as np
import pytest

from corpus.questions import KnownQuestion
from corpus.records import Document
from index.building import build_snapshot
from index.errors import ForeignSnapshotError
from index.fusion import LEXICAL_SHARE
from index.known import NOWHERE
from index.retrieving import DEPTH, SENTENCE_LEXICAL_SHARE, Filters, Retriever
from index.snapshot import open_snapshot
from index.viewing import HEADING_SHARE
from tests.index.fakes import HashingEmbedder, make_document


def _retriever(documents: list[Document], root: Path) -> Retriever:
    embedder = HashingEmbedder()
    build_snapshot(documents, embedder, root)
    return Retriever(open_snapshot(root, embedder.model_id), embedder)


@pytest.fixture
def retriever(documents: list[Document], tmp_path: Path) -> Retriever:
    return _retriever(documents, tmp_path)


def test_the_passage_that_says_it_comes_first(retriever: Retriever) -> None:
    hits = retriever.search("wrap an ice pack in a towel")
    assert hits[0].passage.heading_path == ("Ice",)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_score_of_a_passage_that_leads_all_lists_is_the_one_worked_by_hand(retriever: Retriever) -> None:
    query = "Warmth and cold › Ice\nAn ice pack can numb soreness. Wrap it in a towel."
    best = retriever.search(query)[0]
    found = retriever.find(query, retriever.embed(query), 1, 20)
    nearest = max(hit.cosine for hit in found.sentences if hit.passage == best.passage)
    # The mean of the passage's cosine and of its nearest sentence's, and the whole share of its words.
    assert best.score == pytest.approx((1.0 + nearest) / 2 + LEXICAL_SHARE)
    assert best.cosine == pytest.approx(1.0, abs=1e-6)


def test_hits_quote_their_document(retriever: Retriever) -> None:
    query = "stretch gently before a walk or a warm bath"
    found = retriever.find(query, retriever.embed(query), 10, 10)
    assert len(found.passages) == 3
    assert len(found.sentences) == 6
    for hit in found.passages:
        document = retriever.snapshot.documents[hit.passage.document_id]
        assert hit.passage.span.slice(document.text) == hit.passage.text
        assert hit.passage.source_id == document.source.id
    for sentence in found.sentences:
        document = retriever.snapshot.documents[sentence.passage.document_id]
        assert sentence.span.slice(document.text) == sentence.text
        assert sentence.passage.span.contains(sentence.span)
        assert sentence.span in sentence.passage.sentences
    assert "Étirez-vous — stretch “gently” 🙂 before a walk." in [sentence.text for sentence in found.sentences]


def test_sentences_carry_the_cosine_and_the_words_that_make_their_score(retriever: Retriever) -> None:
    query = "wrap a towel"
    vector = retriever.embed(query)
    best = retriever.find(query, vector, 1, 1).sentences[0]
    part = retriever.snapshot.parts["default"]
    row = part.sentences.index((2, best.span))
    assert best.text == "Wrap it in a towel."
    assert best.cosine == pytest.approx(float(part.sentence_vectors.vectors([row])[0] @ vector), abs=1e-6)
    assert best.lexical == pytest.approx(float(part.sentence_words.scores(query)[row]))
    assert best.score == pytest.approx(best.cosine + SENTENCE_LEXICAL_SHARE)  # the best by words has the whole share


def test_only_the_asked_for_collection_is_found(retriever: Retriever) -> None:
    query = "warm bath second floor"
    assert {hit.passage.document_id for hit in retriever.search(query)} == {"doc_walking", "doc_warmth"}
    clinic = retriever.find(query, retriever.embed(query), 10, 10, Filters(collection="clinic"))
    assert [hit.passage.document_id for hit in clinic.passages] == ["doc_private"]
    assert [hit.text for hit in clinic.sentences] == ["The warm bath is on the second floor."]


def test_only_the_asked_for_sources_are_found(retriever: Retriever) -> None:
    hits = retriever.search("warm bath", filters=Filters(source_ids=["walking"]))
    assert [hit.passage.source_id for hit in hits] == ["walking"]
    assert retriever.search("warm bath", filters=Filters(source_ids=["private"])) == []
    assert retriever.search("warm bath", filters=Filters(source_ids=[])) == []
    assert retriever.search("warm bath", filters=Filters(collection="nowhere")) == []


def test_filters_act_before_ranking(tmp_path: Path) -> None:
    # More sections than any list is deep say exactly what is asked; the one that is allowed says something else.
    crowd = make_document("crowd", "Bath", *[("Bath", "A warm bath relaxes.")] * (DEPTH + 20))
    quiet = make_document("quiet", "Sleep", ("Pillow", "Sleep on your side."))
    retriever = _retriever([crowd, quiet], tmp_path)
    query = "A warm bath relaxes."
    found = retriever.find(query, retriever.embed(query), 5, 5, Filters(source_ids=("quiet",)))
    assert [hit.passage.text for hit in found.passages] == ["Sleep on your side."]
    assert [hit.text for hit in found.sentences] == ["Sleep on your side."]


def test_what_a_filter_hides_does_not_move_the_share_of_words(tmp_path: Path) -> None:
    loud = make_document("loud", "Towel", ("Towel", "Towel towel towel towel."), collection="hidden")
    quiet = make_document("quiet", "Ice", ("Ice", "Wrap ice in a towel."))
    retriever = _retriever([loud, quiet], tmp_path)
    best = retriever.find("towel", retriever.embed("towel"), 1, 1).sentences[0]
    assert best.score == pytest.approx(best.cosine + SENTENCE_LEXICAL_SHARE)


def test_equal_passages_and_sentences_keep_the_order_of_documents(tmp_path: Path) -> None:
    names = ["delta", "alpha", "charlie", "bravo", "echo"]
    retriever = _retriever([make_document(n, "Ice", ("Ice", "Wrap it in a towel.")) for n in names], tmp_path)
    query = "towel"
    for wanted in (2, 5):
        found = retriever.find(query, retriever.embed(query), wanted, wanted)
        assert [hit.passage.source_id for hit in found.passages] == sorted(names)[:wanted]
        assert [hit.passage.source_id for hit in found.sentences] == sorted(names)[:wanted]
    assert len({hit.score for hit in found.sentences}) == 1


def test_the_same_query_finds_the_same_every_time(retriever: Retriever) -> None:
    query = "heat or ice"
    vector = retriever.embed(query)
    first = retriever.find(query, vector, 10, 10)
    assert all(retriever.find(query, vector, 10, 10) == first for _ in range(5))


def test_as_many_passages_come_back_as_are_asked_for(tmp_path: Path) -> None:
    crowd = make_document("crowd", "Bath", *[("Bath", "A warm bath.")] * (DEPTH + 20))
    retriever = _retriever([crowd], tmp_path)
    assert len(retriever.search("bath", DEPTH + 10)) == DEPTH + 10
    assert len(retriever.search("bath", 3)) == 3


def test_misspelt_words_are_repaired_before_the_search(retriever: Retriever) -> None:
    assert retriever.repair("a towle and sorness") == "a towel and soreness"
    assert retriever.search("towle", 1) == retriever.search("towel", 1)


def test_nonsense_still_has_an_order(retriever: Retriever) -> None:
    for query in ("", "???", "zzzz"):
        assert len(retriever.search(query)) == 3


def test_a_withdrawn_document_is_not_found_until_it_is_taken_back(retriever: Retriever) -> None:
    query = "warm bath"
    before = retriever.search(query)
    version = retriever.snapshot.documents["doc_warmth"].version
    retriever.withdraw([("doc_warmth", version), ("doc_elsewhere", version)])
    assert (retriever.shows("doc_warmth"), retriever.shows("doc_walking"), retriever.shows("nothing")) == (
        False,
        True,
        False,
    )
    found = retriever.find(query, retriever.embed(query), 10, 10)
    assert {hit.passage.document_id for hit in found.passages} == {"doc_walking"}
    assert {hit.passage.document_id for hit in found.sentences} == {"doc_walking"}
    retriever.withdraw([])
    assert retriever.search(query) == before


def test_another_version_of_a_withdrawn_document_is_found(retriever: Retriever) -> None:
    retriever.withdraw([("doc_warmth", "sha256:of-an-older-text")])
    assert "doc_warmth" in {hit.passage.document_id for hit in retriever.search("warm bath")}


def test_another_collection_moves_nothing_not_even_what_a_word_is_worth(
    documents: list[Document], tmp_path: Path
) -> None:
    ours = [document for document in documents if document.source.collection == "default"]
    theirs = [
        make_document(f"theirs{n}", "Towle", ("Towle", f"A towle, {n} times."), collection="theirs") for n in range(20)
    ]
    alone, beside = _retriever(ours, tmp_path / "alone"), _retriever([*ours, *theirs], tmp_path / "beside")
    for query in ("wrap a towle", "warm bath", "a walk every hour"):
        asked = alone.repair(query)
        assert beside.repair(query) == asked
        assert beside.recognised(query) == alone.recognised(query)
        vector = alone.embed(asked)
        assert beside.find(asked, vector, 10, 10) == alone.find(asked, vector, 10, 10)
        assert beside.words().idf("towel") == alone.words().idf("towel")
    assert beside.repair("a towle", "theirs") == "a towle"
    assert beside.repair("a towle", "nowhere") == "a towle"
    assert len(beside.words("nowhere")) == 0


def test_sentences_of_a_large_collection_are_ranked_by_what_is_seen_of_them_in_their_passage(
    documents: list[Document], tmp_path: Path
) -> None:
    embedder = HashingEmbedder()
    build_snapshot(documents, embedder, tmp_path, most_sentences=0)
    retriever = Retriever(open_snapshot(tmp_path, embedder.model_id), embedder)
    query = "wrap it in a towel"
    vector = retriever.embed(query)
    embedder.seen.clear()
    found = retriever.find(query, vector, 2, 3)
    assert not embedder.seen  # nothing is embedded for it
    assert found.passages[0].passage.heading_path == ("Ice",)
    assert len(found.passages) == 2
    assert found.sentences[0].text == "Wrap it in a towel."
    assert len(found.sentences) == 3
    best = found.sentences[0]
    plain, heading = embedder.embed([best.text, "Ice"])
    total = plain + HEADING_SHARE * heading
    assert best.cosine == pytest.approx(float(total @ vector / np.linalg.norm(total)), abs=0.01)
    assert best.score == pytest.approx(best.cosine + SENTENCE_LEXICAL_SHARE)
    for hit in found.sentences:
        assert hit.span.slice(retriever.snapshot.documents[hit.passage.document_id].text) == hit.text
    assert [hit.text for hit in retriever.find(query, vector, 1, 9, Filters(["walking"])).sentences] != []
    assert retriever.find("zzz", retriever.embed("zzz"), 1, 1, Filters(["nothing"])).sentences == ()


@pytest.mark.parametrize(("passages", "sentences"), [(0, 1), (1, -1)])
def test_less_than_one_passage_is_refused(retriever: Retriever, passages: int, sentences: int) -> None:
    with pytest.raises(ValueError, match="at least one passage"):
        retriever.find("x", retriever.embed("x"), passages, sentences)


def test_without_sentences_the_passages_are_the_same_and_no_sentence_is_ranked(retriever: Retriever) -> None:
    vector = retriever.embed("heat on a tight muscle")
    both, alone = (retriever.find("heat on a tight muscle", vector, 3, sentences) for sentences in (2, 0))
    assert both.passages == alone.passages != ()
    assert (len(both.sentences), alone.sentences) == (2, ())


def test_an_embedder_of_another_model_is_refused(retriever: Retriever) -> None:
    with pytest.raises(ForeignSnapshotError, match="the model hashing@1, but this process runs the model other@1"):
        Retriever(retriever.snapshot, HashingEmbedder("other@1"))


def test_a_query_says_how_near_it_is_to_known_questions_of_its_collection(
    documents: list[Document], tmp_path: Path
) -> None:
    embedder = HashingEmbedder()
    known = (
        KnownQuestion("may I use an ice pack", ("a:F01",)),
        KnownQuestion("what does an ice pack cost", reason="not_in_sources"),
        KnownQuestion("who sells towels", reason="out_of_scope"),
    )
    build_snapshot(documents, embedder, tmp_path, questions=known)
    retriever = Retriever(open_snapshot(tmp_path, embedder.model_id), embedder)
    vector = retriever.embed("what does an ice pack cost")
    near = retriever.find("what does an ice pack cost", vector, 1, 1).known
    assert retriever.find("what does an ice pack cost", vector, 1, 0).known == NOWHERE
    vectors = embedder.embed([question.text for question in known])
    assert list(near.answered) == pytest.approx([float(vectors[0] @ vector)], abs=1e-3)
    assert list(near.unanswered) == pytest.approx([1.0, float(vectors[2] @ vector)], abs=1e-3)
    assert near.reason == "not_in_sources"
    elsewhere = retriever.find("what does an ice pack cost", vector, 1, 1, Filters(collection="clinic")).known
    assert (elsewhere.answered, elsewhere.unanswered, elsewhere.reason) == ((), (), "")
