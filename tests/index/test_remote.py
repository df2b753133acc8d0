"""A collection that an engine holds is found as one that lies in a snapshot, to the last sentence."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus.records import Document
from corpus.splitting import split_document
from index.building import build_snapshot
from index.engines.embedded import EmbeddedPassages
from index.engines.protocol import PassageEngine
from index.errors import EngineAwayError, EngineError
from index.parts import RemotePart
from index.remote import Absence, Elsewhere
from index.retrieving import Filters, Retriever
from index.snapshot import open_snapshot
from index.viewing import view
from index.weighing import WordCounts
from tests.index.fakes import HashingEmbedder, make_document

EMBEDDER = HashingEmbedder()
WARD = Filters(collection="ward")
QUESTIONS = ("heat for a spasm", "numb leg at night", "walk every day", "pillow", "zebra", "warm haet")
WORDS = "heat cold walk rest sleep chair night morning numb leg pillow spasm".split()


def made(number: int) -> Document:
    words = [WORDS[(number * step) % len(WORDS)] for step in (1, 5, 7)]
    text = f"{' and '.join(words)}. Then {words[0]} again, {number % 3} times."
    return make_document(f"s{number:02}", "Guide", (words[1], text), ("More", text), collection="ward")


SHIPPED = make_document("ours", "Ours", ("Back", "Back pain eases."))
DOCUMENTS = [made(number) for number in range(30)]


class Stored:
    """Documents in memory."""

    def __init__(self, documents: Collection[Document]) -> None:
        self.documents = {document.id: document for document in documents}

    def versions(self, names: Collection[str]) -> dict[str, str]:
        return {name: self.documents[name].version for name in names if name in self.documents}

    def load(self, name: str) -> Document | None:
        return self.documents.get(name)


def fill(documents: Collection[Document]) -> tuple[EmbeddedPassages, WordCounts]:
    passages = [p for one in documents for p in split_document(one, EMBEDDER.count_tokens, EMBEDDER.token_budget)]
    engine = EmbeddedPassages(EMBEDDER.dimension)
    engine.add(view(passages, EMBEDDER))
    return engine, WordCounts.of(passages)


class Both:
    """The same documents in a snapshot, and on an engine beside one."""

    def __init__(self, root: Path) -> None:
        build_snapshot([SHIPPED, *DOCUMENTS], EMBEDDER, root / "here", most_sentences=0)
        self.engine, counts = fill(DOCUMENTS)
        remote = {"ward": RemotePart("ward of ours", "state", counts)}
        build_snapshot([SHIPPED], EMBEDDER, root / "there", most_sentences=0, remote=remote)
        self.stored = Stored(DOCUMENTS)
        self.here = Retriever(open_snapshot(root / "here", EMBEDDER.model_id), EMBEDDER)
        self.snapshot = open_snapshot(root / "there", EMBEDDER.model_id)
        self.there = Retriever(self.snapshot, EMBEDDER, frozenset(), Elsewhere(self.open, self.stored))

    def open(self, name: str) -> PassageEngine:
        assert name == "ward of ours"
        return self.engine


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


@pytest.mark.parametrize("sources", [None, ("s03", "s11", "s12", "unknown"), ()])
def test_the_same_passages_and_sentences_are_found(both: Both, sources: tuple[str, ...] | None) -> None:
    filters = Filters(sources, "ward")
    for question in QUESTIONS:
        vector = both.here.embed(question)
        one, other = (each.find(question, vector, 7, 5, filters) for each in (both.here, both.there))
        assert [(hit.passage, hit.score, hit.rank) for hit in one.passages] == [
            (hit.passage, hit.score, hit.rank) for hit in other.passages
        ]
        assert [hit.cosine for hit in one.passages] == pytest.approx([hit.cosine for hit in other.passages], abs=1e-6)
        assert [(hit.passage.id, hit.span, hit.text) for hit in one.sentences] == [
            (hit.passage.id, hit.span, hit.text) for hit in other.sentences
        ]
        assert [hit.score for hit in one.sentences] == pytest.approx([hit.score for hit in other.sentences], abs=1e-6)
        assert both.here.rank_apart(question, 5, filters) == both.there.rank_apart(question, 5, filters)


def test_words_and_spelling_are_those_of_the_collection(both: Both) -> None:
    for question in QUESTIONS:
        assert both.there.repair(question, "ward") == both.here.repair(question, "ward")
        assert both.there.recognised(question, "ward") == both.here.recognised(question, "ward")
    assert both.there.repair("haet", "ward") == "heat"
    assert both.there.words("ward").idf("heat") == both.here.words("ward").idf("heat")
    assert both.snapshot.manifest.counts["passages"] == both.here.snapshot.manifest.counts["passages"]


def test_what_is_deleted_or_changed_is_gone_whatever_the_engine_still_holds(both: Both) -> None:
    question = "heat for a spasm"
    vector = both.there.embed(question)
    best, second = both.there.find(question, vector, 2, 0, WARD).passages
    assert both.there.document_of(best.passage).version
    del both.stored.documents[best.passage.document_id]
    changed = make_document(second.passage.source_id, "Guide", ("H", "Something else."), collection="ward")
    both.stored.documents[changed.id] = changed
    gone = {best.passage.document_id, second.passage.document_id}
    found = both.there.find(question, vector, 60, 5, WARD)
    assert not gone & {hit.passage.document_id for hit in found.passages}
    assert not gone & {hit.passage.document_id for hit in found.sentences}
    assert len(found.passages) == len(both.engine) - 4
    assert both.there.passage(best.passage.id) is None
    assert not both.there.shows(best.passage.document_id)
    with pytest.raises(EngineError, match="changed while"):
        both.there.document_of(second.passage)


def test_documents_and_passages_are_read_from_where_they_are(both: Both) -> None:
    passage = both.here.find("pillow", both.here.embed("pillow"), 1, 0, WARD).passages[0].passage
    assert both.there.passage(passage.id) == passage
    assert both.there.document(passage.document_id) == both.here.document(passage.document_id)
    assert both.there.document_of(passage).text[passage.span.start : passage.span.end] == passage.text
    assert both.there.document("doc_ours") == SHIPPED
    assert both.there.passage("p_unknown") is None
    foreign = make_document("foreign", "F", ("H", "Not in that collection."), collection="other")
    both.stored.documents[foreign.id] = foreign
    assert both.there.document(foreign.id) is None


def test_what_is_said_of_a_document_counts_at_once(both: Both) -> None:
    passage = both.there.search("pillow", 1, WARD)[0].passage
    before = both.there.document_of(passage)
    moved = replace(before, title="New", source=replace(before.source, url="https://example.org/new", licence="CC0"))
    both.stored.documents[before.id] = moved
    assert moved.version == before.version
    assert both.there.document_of(passage) == moved


def test_a_page_of_documents_is_looked_up_at_once_and_without_their_texts(both: Both) -> None:
    class Versions(Stored):
        asked = 0

        def versions(self, names: Collection[str]) -> dict[str, str]:
            self.asked += 1
            return super().versions(names)

        def load(self, name: str) -> Document | None:
            pytest.fail(f"{name} was loaded")

    stored = Versions(DOCUMENTS[1:])
    there = Retriever(both.snapshot, EMBEDDER, frozenset(), Elsewhere(both.open, stored))
    page = {document.id: document.source.collection for document in (SHIPPED, *DOCUMENTS)}
    wanted = {document.id: document.version for document in (SHIPPED, *DOCUMENTS[1:])}
    assert (there.versions({**page, DOCUMENTS[2].id: "other"}), stored.asked) == (
        {name: version for name, version in wanted.items() if name != DOCUMENTS[2].id},
        1,
    )
    there.withdraw([(SHIPPED.id, SHIPPED.version)])
    assert SHIPPED.id not in there.versions(page)
    assert both.here.versions(page) == {document.id: document.version for document in (SHIPPED, *DOCUMENTS)}


def test_a_snapshot_with_such_a_collection_cannot_be_searched_without_its_engine(both: Both) -> None:
    with pytest.raises(EngineError, match="BACKLINE_ENGINE=milvus"):
        Retriever(both.snapshot, EMBEDDER)


def test_other_collections_are_answered_while_the_engine_does_not_answer(both: Both) -> None:
    def broken(_name: str) -> PassageEngine:
        raise EngineError("it does not answer")

    retriever = Retriever(both.snapshot, EMBEDDER, frozenset(), Elsewhere(broken, both.stored))
    assert retriever.search("back pain", 1)[0].passage.document_id == "doc_ours"
    with pytest.raises(EngineError, match="does not answer"):
        retriever.search("heat", 1, WARD)


def test_of_questions_to_an_engine_that_is_away_one_waits_for_it_and_the_others_are_turned_away(both: Both) -> None:
    absence = Absence(seconds=3_600)
    answers: list[PassageEngine | EngineError] = [EngineAwayError("nobody there"), EngineError("refused"), both.engine]

    def opened(_name: str) -> PassageEngine:
        answer = answers.pop(0)
        if isinstance(answer, EngineError):
            raise answer
        return answer

    retriever = Retriever(both.snapshot, EMBEDDER, frozenset(), Elsewhere(opened, both.stored, absence))
    for said in ("nobody there", "a moment ago", "a moment ago"):
        with pytest.raises(EngineAwayError, match=said):
            retriever.search("heat", 1, WARD)
    assert len(answers) == 2
    assert retriever.search("back pain", 1)
    absence._until = 0.0  # the while is over
    with pytest.raises(EngineError, match="refused"):
        retriever.search("heat", 1, WARD)
    assert retriever.search("heat", 1, WARD)  # who refuses is there


def test_one_question_tries_again_and_the_others_wait_for_what_it_finds() -> None:
    absence = Absence(seconds=0)
    with pytest.raises(EngineAwayError), absence.asked():
        raise EngineAwayError
    with absence.asked(), pytest.raises(EngineAwayError), absence.asked():
        pytest.fail("a second one asked")
    with absence.asked():
        pass


def test_nothing_found_is_nothing(both: Both) -> None:
    both.engine.delete_documents([document.id for document in DOCUMENTS])
    found = both.there.find("heat", np.asarray(both.there.embed("heat")), 3, 3, WARD)
    assert (found.passages, found.sentences) == ((), ())
