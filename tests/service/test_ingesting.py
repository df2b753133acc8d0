from pathlib import Path

from service.ingesting import Origin, ingest_paths
from service.settings import Settings
from service.storage.database import open_database
from service.storage.documents import load_documents


def ingest(home: Path, *paths: Path) -> tuple[list[str], list[str]]:
    report = ingest_paths(Settings(home=home), paths, Origin(publisher="Clinic"))
    return [stored.outcome for _, stored in report.stored], [str(error) for error in report.refused]


def test_files_of_a_folder_are_read_and_a_bad_one_does_not_stop_the_others(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "good.md").write_text("# Lifting\n\n## How do I lift?\n\nBend your knees.\n", encoding="utf-8")
    (folder / "plain.txt").write_text("Walk every day.", encoding="utf-8")
    (folder / "empty.md").write_text("", encoding="utf-8")
    (folder / "page.html").write_text(
        "<html><head><title>Heat packs</title></head><body><article><h1>Heat packs</h1>"
        "<p>A heat pack can relax a tight muscle in the back for a while.</p></article></body></html>",
        encoding="utf-8",
    )
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    outcomes, refused = ingest(home, folder)
    assert outcomes == ["added", "added", "added"]
    assert [line.split(":")[0] for line in refused] == ["empty.md", "picture.png"]
    documents = load_documents(open_database(Settings(home=home).database))
    assert {document.title for document in documents} == {"Lifting", "Heat packs", "plain.txt"}
    assert {document.source.publisher for document in documents} == {"Clinic"}


def test_ingesting_again_changes_nothing(home: Path, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("# A\n\nText.\n", encoding="utf-8")
    assert ingest(home, note) == (["added"], [])
    assert ingest(home, note) == (["unchanged"], [])
    note.write_text("# A\n\nOther text.\n", encoding="utf-8")
    assert ingest(home, note) == (["changed"], [])
