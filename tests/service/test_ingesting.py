import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from service.ingesting import Origin, fetch_and_ingest, ingest_paths
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


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = (
            b"<html><head><title>Walking</title></head><body><article><h1>Walking</h1>"
            b"<p>Short walks keep a sore back moving, and most people can start on the first day.</p></article></body></html>"
        )
        found = self.path == "/walking"
        self.send_response(200 if found else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
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
    assert [stored.outcome for _, stored in report.stored] == ["added"]
    assert len(report.refused) == 1
    (document,) = load_documents(open_database(settings.database))
    assert document.source.url == f"http://{place}/walking"
    assert document.source.collection == "pages"
    assert document.source.retrieved
    assert "Short walks keep a sore back moving" in document.text
