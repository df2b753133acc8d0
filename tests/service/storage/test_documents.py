from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from corpus.records import Document, Section, Source, Span
from service.storage.documents import (
    NOTHING_STORED,
    delete_document,
    digest_of_stored,
    document_id,
    list_documents,
    load_document,
    load_documents,
    store_document,
    store_documents,
    stored_versions,
    withdrawal_count,
    withdrawn_versions,
)


def document(text: str = "Rest a little. Move a lot.") -> Document:
    name = document_id("default", "/tmp/a.md")
    source = Source("src", "A", "P", "P", "https://example.org/a", collection="default")
    return Document(name, source, "A", text, (Section(("H",), Span(0, len(text)), "h", 3),))


def test_a_document_comes_back_as_it_was(engine: Engine) -> None:
    store_document(engine, document())
    assert load_documents(engine) == [document()]


def test_the_same_content_twice_is_one_document(engine: Engine) -> None:
    assert store_document(engine, document()).outcome == "added"
    assert store_document(engine, document()).outcome == "unchanged"
    assert len(load_documents(engine)) == 1


def test_the_digest_of_what_is_stored_follows_everything_that_is_said_of_a_document(engine: Engine) -> None:
    assert digest_of_stored(engine) == NOTHING_STORED
    store_document(engine, document())
    seen = [NOTHING_STORED, digest_of_stored(engine)]
    assert digest_of_stored(engine) == seen[-1]
    moved = replace(document("Move."), title="B", source=replace(document().source, url="https://example.org/b"))
    for changed in (document("Move."), moved, replace(moved, id="another")):
        store_document(engine, changed)
        seen.append(digest_of_stored(engine))
    assert len(set(seen)) == len(seen)
    assert digest_of_stored(engine, {"default"}) == NOTHING_STORED
    delete_document(engine, "another")
    assert digest_of_stored(engine) == seen[-2]


def test_changed_content_is_a_new_version_of_the_same_document(engine: Engine) -> None:
    store_document(engine, document())
    assert store_document(engine, document("Move.")).outcome == "changed"
    (stored,) = load_documents(engine)
    assert stored.version == document("Move.").version != document().version


def test_many_documents_are_looked_up_a_few_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.storage.documents.LOOKED_UP", 2)
    some = [replace(document(f"Rest {number}."), id=f"doc_{number}") for number in range(5)]
    asked: list[int] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, parameters, *_: asked.append(len(parameters)) if " IN (" in statement else None,
    )
    assert [one.outcome for one in store_documents(engine, some)] == ["added"] * 5
    assert asked == [2, 2, 1]
    moved = [replace(one, id=f"moved_{one.id}") for one in some]
    stored = store_documents(engine, [*moved, *some], once=True)
    assert [one.document_id for one in stored] == [one.id for one in some] * 2
    assert max(asked) == 2


def test_collections_keep_equal_files_apart() -> None:
    assert document_id("a", "/x.md") != document_id("b", "/x.md")


def test_a_deleted_document_is_gone_from_the_table_and_from_the_file(engine: Engine, tmp_path: Path) -> None:
    words = "Marmalade keeps quokkas upright."
    store_document(engine, document(words))
    store_document(engine, document("Move."))
    assert delete_document(engine, document().id)
    assert delete_document(engine, document().id) is None
    assert load_documents(engine) == []
    for file in tmp_path.iterdir():
        assert b"Marmalade" not in file.read_bytes()


def test_every_version_of_a_deleted_document_is_withdrawn(engine: Engine) -> None:
    first, second = document("Rest."), document("Move.")
    store_document(engine, first)
    store_document(engine, second)
    assert (withdrawal_count(engine), withdrawn_versions(engine)) == (0, set())
    delete_document(engine, first.id)
    assert withdrawal_count(engine) == 1
    assert withdrawn_versions(engine) == {(first.id, first.version), (first.id, second.version)}


def test_a_version_that_is_stored_again_is_served_again_and_no_other(engine: Engine) -> None:
    first, second = document("Rest."), document("Move.")
    store_document(engine, first)
    store_document(engine, second)
    delete_document(engine, first.id)
    assert store_document(engine, second).outcome == "added"
    assert withdrawal_count(engine) == 2
    assert withdrawn_versions(engine) == {(first.id, first.version)}


def test_documents_are_listed_by_id_page_by_page(engine: Engine) -> None:
    for name in ("doc_c", "doc_a", "doc_b"):
        store_document(engine, replace(document(), id=name))
    assert [row.id for row in list_documents(engine, "", 2)] == ["doc_a", "doc_b"]
    assert [row.id for row in list_documents(engine, "doc_b", 2)] == ["doc_c"]
    assert list_documents(engine, "", 9, ["elsewhere"]) == []
    assert list_documents(engine, "", 1, ["default"])[0].source_id == "src"
    found = load_document(engine, "doc_b")
    assert found is not None
    assert found.text == document().text
    assert load_document(engine, "doc_d") is None
    assert stored_versions(engine) == {(name, document().version) for name in ("doc_a", "doc_b", "doc_c")}


def test_a_changed_source_is_a_change(engine: Engine) -> None:
    store_document(engine, document())
    renamed = replace(document(), source=replace(document().source, publisher="Other"))
    assert store_document(engine, renamed).outcome == "changed"
