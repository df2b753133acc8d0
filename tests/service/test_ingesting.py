import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from service.cli import main
from service.ingesting import Origin, fetch_and_ingest, ingest_paths
from service.settings import Settings
from service.storage.collections import unpublishable_collections
from service.storage.database import open_database
from service.storage.documents import load_documents


def ingest(home: Path, *paths: Path) -> tuple[list[str], list[str]]:
    report = ingest_paths(Settings(home=home), paths, Origin(publisher="Clinic"))
    return [brought.stored.outcome for brought in report.stored], [str(error) for error in report.refused]


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


def test_the_same_file_in_another_place_is_the_same_document_until_it_changes(home: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    for name in ("one", "two"):
        (notes / name).mkdir(parents=True)
        (notes / name / "note.md").write_text("# A\n\nText.\n", encoding="utf-8")
    assert ingest(home, notes / "one") == (["added"], [])
    assert ingest(home, notes / "two") == (["unchanged"], [])
    (notes / "two" / "note.md").write_text("# A\n\nOther text.\n", encoding="utf-8")
    assert ingest(home, notes) == (["unchanged", "added"], [])


def test_a_file_is_the_same_document_whichever_folder_was_named(home: Path, tmp_path: Path) -> None:
    note = tmp_path / "notes" / "deep" / "note.md"
    note.parent.mkdir(parents=True)
    for place, outcome in ((note, "added"), (note.parent, "changed"), (tmp_path / "notes", "changed")):
        note.write_text(f"# A\n\nText of {outcome} {place.name}.\n", encoding="utf-8")
        assert ingest(home, place) == ([outcome], [])
    assert len(load_documents(open_database(Settings(home=home).database))) == 1


def test_equal_texts_under_other_titles_are_documents_of_their_own(home: Path, tmp_path: Path) -> None:
    rows = [
        {"_id": str(n), "title": title, "text": "Call us."} for n, title in enumerate(("Returns", "Claims", "Claims"))
    ]
    (tmp_path / "set.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert ingest(home, tmp_path / "set.jsonl") == (["added", "added", "unchanged"], [])


def test_an_article_of_a_help_desk_is_known_by_its_id_in_whichever_export(home: Path, tmp_path: Path) -> None:
    for week, words in enumerate(("Open on Monday.", "Open on Tuesday.")):
        export = {"articles": [{"id": 360, "title": "Opening", "body": f"<p>{words}</p>", "draft": False}]}
        (tmp_path / f"export-{week}.json").write_text(json.dumps(export), encoding="utf-8")
    assert ingest(home, tmp_path / "export-0.json") == (["added"], [])
    assert ingest(home, tmp_path / "export-1.json") == (["changed"], [])
    (document,) = load_documents(open_database(Settings(home=home).database))
    assert document.text == "Open on Tuesday."


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = (
            b"<html><head><title>Walking</title></head><body><article><h1>Walking</h1>"
            b"<p>Short walks keep a sore back moving, and most people can start on the first day.</p></article></body></html>"
        )
        found = self.path in {"/walking", "/sitemap.xml"}
        kind = "text/html; charset=utf-8"
        if self.path == "/sitemap.xml":
            place = self.headers["host"]
            body = f"<urlset><url><loc>http://{place}/walking</loc></url></urlset>".encode()
            kind = "application/xml"
        self.send_response(200 if found else 404)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body) if found else 0))
        self.end_headers()
        if found:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


def test_a_fetched_page_is_known_by_its_address_and_a_private_one_is_refused(home: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        place = f"127.0.0.1:{server.server_port}"
        settings = Settings(home=home, fetch_allow=(place,))
        report = fetch_and_ingest(
            settings, [f"http://{place}/walking", "http://192.168.0.1/"], Origin(collection="pages", publisher="Clinic")
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert [brought.stored.outcome for brought in report.stored] == ["added"]
    assert len(report.refused) == 1
    (document,) = load_documents(open_database(settings.database))
    assert document.source.url == f"http://{place}/walking"
    assert document.source.collection == "pages"
    assert document.source.retrieved
    assert "Short walks keep a sore back moving" in document.text


def test_a_sitemap_brings_its_pages_into_a_collection_that_is_not_published(home: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        place = f"127.0.0.1:{server.server_port}"
        settings = Settings(home=home, fetch_allow=(place,))
        told: list[int] = []
        report = fetch_and_ingest(settings, [f"http://{place}/sitemap.xml"], Origin("pages"), told.append)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert [brought.name for brought in report.stored] == [f"http://{place}/walking"]
    assert report.refused == []
    assert told == [1]
    assert unpublishable_collections(open_database(settings.database)) == {"pages"}


def test_pages_are_not_fetched_among_the_digests(home: Path) -> None:
    with pytest.raises(ValueError, match="a collection of their own"):
        fetch_and_ingest(Settings(home=home), ["https://example.org/"], Origin())


@pytest.mark.needs("postgresql")
def test_a_name_that_postgresql_does_not_take_is_told_in_one_line(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.model_validate({"home": tmp_path / "home", "database_url": postgresql})
    (tmp_path / "a.txt").write_text("We open at nine.")
    engine = open_database(postgresql)
    monkeypatch.setattr("service.settings.load_settings", lambda: settings)
    monkeypatch.setattr("service.ingesting.open_database", lambda _: engine)
    monkeypatch.setattr("sys.argv", ["backline", "ingest", str(tmp_path / "a.txt"), "--collection", "c" * 65])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "at most 64 characters" in capsys.readouterr().err
    engine.dispose()
