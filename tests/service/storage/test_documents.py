from dataclasses import replace
from pathlib import Path

from corpus.records import Document, Section, Source, Span
from service.storage.database import open_database
from service.storage.documents import delete_document, document_id, load_documents, store_document


def document(text: str = "Rest a little. Move a lot.") -> Document:
    name = document_id("default", "/tmp/a.md")
    source = Source("src", "A", "P", "P", "https://example.org/a", collection="default")
    return Document(name, source, "A", text, (Section(("H",), Span(0, len(text)), "h", 3),))


def test_a_document_comes_back_as_it_was(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "b.sqlite")
    store_document(engine, document())
    assert load_documents(engine) == [document()]


def test_the_same_content_twice_is_one_document(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "b.sqlite")
    assert store_document(engine, document()).outcome == "added"
    assert store_document(engine, document()).outcome == "unchanged"
    assert len(load_documents(engine)) == 1


def test_changed_content_is_a_new_version_of_the_same_document(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "b.sqlite")
    store_document(engine, document())
    assert store_document(engine, document("Move.")).outcome == "changed"
    (stored,) = load_documents(engine)
    assert stored.version == document("Move.").version != document().version


def test_collections_keep_equal_files_apart() -> None:
    assert document_id("a", "/x.md") != document_id("b", "/x.md")


def test_a_deleted_document_is_gone(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "b.sqlite")
    store_document(engine, document())
    assert delete_document(engine, document().id)
    assert not delete_document(engine, document().id)
    assert load_documents(engine) == []


def test_a_changed_source_is_a_change(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "b.sqlite")
    store_document(engine, document())
    renamed = replace(document(), source=replace(document().source, publisher="Other"))
    assert store_document(engine, renamed).outcome == "changed"
