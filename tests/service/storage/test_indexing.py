from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from corpus.records import Document
from index.weighing import WordCounts
from service.storage.database import indexing_jobs
from service.storage.documents import delete_document, store_documents
from service.storage.indexing import (
    Entry,
    IndexedDocuments,
    begin_generation,
    claim,
    collections_of,
    count_words,
    enqueue,
    finish,
    give_back,
    is_behind,
    is_noted,
    load_installation,
    renew,
    sizes,
    waiting,
)
from tests.index.fakes import make_document

RECIPE = "model-0"


def document(name: str, text: str = "Heat helps.", collection: str = "ward") -> Document:
    return make_document(name, "Guide", ("H", text), collection=collection)


def entry(of: Document, passages: int = 1) -> Entry:
    counts = WordCounts(passages, 2 * passages, {"heat": passages}, {"heat": passages})
    return Entry(of.id, of.source.collection, of.version, 3 * passages, counts)


def brought(engine: Engine, *some: Document) -> None:
    finish(engine, RECIPE, [one.id for one in some], [entry(one) for one in some])


def test_what_is_stored_waits_once_until_it_was_brought(engine: Engine) -> None:
    one, other = document("one"), document("other")
    store_documents(engine, [one, other, document("ours", collection="default")])
    assert is_behind(engine, RECIPE)
    assert enqueue(engine, RECIPE) == 2
    assert enqueue(engine, RECIPE) == 2
    brought(engine, one, other)
    assert (waiting(engine), is_behind(engine, RECIPE), enqueue(engine, RECIPE)) == (0, False, 0)
    assert IndexedDocuments(engine).versions([one.id, "doc_unknown"]) == {one.id: one.version}


@pytest.mark.parametrize("changed", [document("one", "Cold helps."), replace(document("one"), title="Title")])
def test_what_changes_or_is_deleted_waits_again(engine: Engine, changed: Document) -> None:
    one = document("one")
    store_documents(engine, [one])
    brought(engine, one)
    found = IndexedDocuments(engine)
    assert found.load(one.id) == one
    renamed = replace(changed, source=replace(changed.source, title=changed.title))
    store_documents(engine, [renamed])
    assert enqueue(engine, RECIPE) == 1
    assert found.load(one.id) is None
    brought(engine, renamed)
    assert found.load(one.id) == renamed
    delete_document(engine, one.id)
    assert found.versions([one.id]) == {}
    assert (enqueue(engine, RECIPE), collections_of(engine, [one.id])) == (1, {one.id: "ward"})
    finish(engine, RECIPE, [one.id], [])
    assert (is_behind(engine, RECIPE), collections_of(engine, [one.id])) == (False, {})


def test_another_recipe_and_another_generation_have_everything_made_anew(engine: Engine) -> None:
    one = document("one")
    store_documents(engine, [one])
    brought(engine, one)
    assert is_behind(engine, "model-1")
    before = load_installation(engine)
    begin_generation(engine)
    assert load_installation(engine) == replace(before, generation=1)
    assert before.generation == 0


def test_workers_share_what_waits_and_nothing_is_taken_twice(engine: Engine) -> None:
    store_documents(engine, [document(f"n{number:02}") for number in range(10)])
    enqueue(engine, RECIPE)
    one, other = claim(engine, "one", 6, 100.0, 20.0), claim(engine, "other", 6, 100.0, 20.0)
    assert (len(one), len(other), set(one) & set(other)) == (6, 4, set())
    assert claim(engine, "third", 6, 119.9, 20.0) == []
    renew(engine, "other", 200.0)
    assert claim(engine, "third", 20, 121.0, 20.0) == one  # whoever took them has died
    give_back(engine, "third")
    assert len(claim(engine, "fourth", 3, 121.0, 20.0)) == 3
    with engine.connect() as connection:
        assert connection.execute(select(indexing_jobs.c.worker).distinct()).scalars().all()


def test_sizes_and_words_are_those_of_a_collection_and_a_recipe(engine: Engine) -> None:
    ward, other = document("one"), document("two", collection="other")
    finish(engine, RECIPE, [], [entry(ward), entry(document("three"), 2), entry(other)])
    found = sizes(engine, RECIPE)
    assert (found["ward"].documents, found["ward"].passages, found["ward"].sentences) == (2, 3, 9)
    assert set(found) == {"ward", "other"}
    assert sizes(engine, "model-1") == {}
    assert (is_noted(engine, "ward", RECIPE), is_noted(engine, "ward", "model-1")) == (True, False)
    assert not is_noted(engine, "unknown", RECIPE)
    assert count_words(engine, "ward", RECIPE) == WordCounts(3, 6, {"heat": 3}, {"heat": 3})
