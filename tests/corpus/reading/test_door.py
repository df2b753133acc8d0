import gzip
import json
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.errors import UnreadableDocumentError
from corpus.reading.door import ReadDocument, read_bytes, read_path
from corpus.sandbox import Limits, Sandbox
from tests.corpus.reading.invariants import check_document
from tests.corpus.reading.malformed import hostile_files, mutated_files, sound_files, wrong_extensions
from tests.drilling import rounds

_SEEN_SECRET = "root:x:0"


def _read(path: Path, sandbox: Sandbox) -> tuple[list[ReadDocument], dict[str, str]]:
    refused: dict[str, str] = {}

    def note(error: UnreadableDocumentError) -> None:
        refused[error.name] = error.reason

    return list(read_path(path, sandbox=sandbox, on_refusal=note)), refused


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.html", "text/html"),
        ("print.pdf", "application/pdf"),
        ("desk.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("note.md", "text/markdown"),
        ("note.txt", "text/plain"),
        ("set.jsonl", "application/x-ndjson"),
        ("export.json", "text/html"),
    ],
)
def test_each_kind_is_told_by_its_content(
    name: str, media_type: str, files: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    content = sound_files(files)[name]
    (tmp_path / name).write_bytes(content)
    documents, _ = _read(tmp_path / name, sandbox)
    assert {document.media_type for document in documents} == {media_type}
    assert all(document.name.split("#")[0] == name for document in documents)
    for document in documents:
        check_document(document)
    uploaded = list(read_bytes(content, name, sandbox=sandbox, on_refusal=lambda _: None))
    assert uploaded == documents


@pytest.mark.parametrize(
    ("name", "called", "media_type"),
    [
        ("page.html", "a.txt", "text/html"),
        ("page.html", "a.pdf", "text/html"),
        ("page.html", "a", "text/html"),
        ("print.pdf", "a.docx", "application/pdf"),
        ("print.pdf", "a.md", "application/pdf"),
        ("desk.docx", "a.pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("desk.docx", "a.txt", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("note.md", "a.txt", "text/plain"),
        ("note.md", "a.markdown", "text/markdown"),
        ("set.jsonl", "a.json", "application/x-ndjson"),
        ("set.jsonl", "a.txt", "application/x-ndjson"),
        ("export.json", "a.txt", "text/html"),
        ("export.json", "a.html", "text/html"),
    ],
)
def test_a_wrong_extension_is_fine_where_the_content_is_clear(
    name: str, called: str, media_type: str, files: Path, sandbox: Sandbox
) -> None:
    content = sound_files(files)[name]
    documents = list(read_bytes(content, called, sandbox=sandbox, on_refusal=lambda _: None))
    assert {document.media_type for document in documents} == {media_type}


def test_headings_in_a_text_file_make_it_markdown(sandbox: Sandbox) -> None:
    content = b"# Title\n\nText.\n\n## Part\n\nMore text.\n"
    (document,) = read_bytes(content, "a.txt", sandbox=sandbox)
    assert document.media_type == "text/markdown"
    (document,) = read_bytes(b"# only a comment\nprint()\n", "a.txt", sandbox=sandbox)
    assert document.media_type == "text/plain"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"", "the file is empty; leave it out, or save it again"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "it is a file of an old office program or locked"),
        ("a.pdf", b"Just some words.", "its content is not what .pdf promises; bring Markdown, HTML, PDF"),
        (
            "a.png",
            b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
            "it is binary data (Portable Network Graphics file); bring",
        ),
        ("a.css", b"p { color: red }", ".css is not a kind that is read; bring"),
        ("a.rtf", b"{\\rtf1 words}", "it is RTF; save it as DOCX or PDF"),
        ("a.md", b"# Only a heading\n", "there is no text in it; add text under its headings"),
        ("a.zip", b"PK\x05\x06" + bytes(18), "it is a zip package but no Word document; save it as DOCX or unpack it"),
        ("a.json", b'{"a": 1}', "it is JSON, but no articles export of Zendesk or Freshdesk;"),
    ],
)
def test_a_refusal_names_the_file_and_what_to_do(name: str, content: bytes, reason: str, sandbox: Sandbox) -> None:
    with pytest.raises(UnreadableDocumentError) as caught:
        list(read_bytes(content, name, sandbox=sandbox))
    assert caught.value.name == name
    assert caught.value.reason.startswith(reason)


def test_files_beyond_the_limit_are_refused_without_reading_on(tmp_path: Path, sandbox: Sandbox) -> None:
    with (tmp_path / "long.txt").open("wb") as file:
        file.write(b"words " * 20_000)
        file.truncate(2 * 1024**3)  # sparse: two gigabytes that take no room
    tracemalloc.start()
    documents, refused = _read(tmp_path / "long.txt", sandbox)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert documents == []
    assert refused == {"long.txt": "it is larger than 10 MB; split it"}
    assert peak < 32 * 1024**2


def test_a_folder_is_read_in_order_and_one_bad_file_costs_no_other(
    files: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    for name, content in sound_files(files).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "sub" / "deeper").mkdir(parents=True)
    (tmp_path / "sub" / "b.txt").write_text("B.", encoding="utf-8")
    (tmp_path / "sub" / "deeper" / "c.txt").write_text("C.", encoding="utf-8")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\n")
    (tmp_path / ".hidden").write_text("no", encoding="utf-8")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("no", encoding="utf-8")
    documents, refused = _read(tmp_path, sandbox)
    names = list(dict.fromkeys(document.name.split("#")[0] for document in documents))
    assert names == [
        "desk.docx", "export.json", "note.md", "note.txt", "page.html", "print.pdf", "set.jsonl",
        "sub/b.txt", "sub/deeper/c.txt",
    ]  # fmt: skip
    assert refused["broken.pdf"] == "it is a damaged PDF; open it in a viewer and print it to a new PDF"
    assert set(refused) == {"broken.pdf", "export.json#360002", "export.json#360003", "export.json#360004"}


def test_without_a_listener_the_first_refusal_is_raised(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A.", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"")
    reading = read_path(tmp_path, sandbox=sandbox)
    assert next(reading).name == "a.txt"
    with pytest.raises(UnreadableDocumentError, match=r"b\.txt: the file is empty"):
        next(reading)


def test_a_sandbox_of_its_own_is_closed_again(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# T\n\nWords.", encoding="utf-8")
    before = set(Path("/proc").iterdir())
    assert [document.title for document in read_path(tmp_path / "a.md")] == ["T"]
    parent = str(os.getpid())
    children = [
        process
        for process in set(Path("/proc").iterdir()) - before
        if process.name.isdigit() and _parent_of(process) == parent
    ]
    assert children == []


def _parent_of(process: Path) -> str:
    try:
        return (process / "stat").read_text(encoding="utf-8").rsplit(") ", 1)[1].split()[1]
    except OSError:
        return ""


@pytest.mark.drill("R16")
def test_links_out_of_the_folder_are_refused_and_links_within_read_once(sandbox: Sandbox, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("A secret.", encoding="utf-8")
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("A.", encoding="utf-8")
    (folder / "file.txt").symlink_to(outside / "secret.txt")
    (folder / "relative.txt").symlink_to("../outside/secret.txt")
    (folder / "whole").symlink_to(outside)
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "nowhere.txt").symlink_to(tmp_path / "missing")
    (folder / "ring1").symlink_to(folder / "ring2")
    (folder / "ring2").symlink_to(folder / "ring1")
    (folder / "twin.txt").symlink_to(folder / "a.txt")
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "sibling").symlink_to(tmp_path / "folder2")
    (tmp_path / "folder2").mkdir()
    documents, refused = _read(folder, sandbox)
    assert [document.name for document in documents] == ["a.txt"]
    out = "it is a link that leads out of the folder; copy the file into the folder"
    nowhere = "it is a link that leads nowhere; remove it"
    assert refused == {
        "file.txt": out, "relative.txt": out, "whole": out, "passwd": out, "sibling": out,
        "nowhere.txt": nowhere, "ring1": nowhere, "ring2": nowhere,
    }  # fmt: skip


def test_a_named_pipe_is_refused_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    start = time.monotonic()
    _, refused = _read(tmp_path, sandbox)
    assert refused == {"pipe.txt": "it is no regular file; bring a file or a folder"}
    assert time.monotonic() - start < 5


def test_folders_that_are_nested_too_deeply_are_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 70)
    deep.mkdir(parents=True)
    (deep / "a.txt").write_text("A.", encoding="utf-8")
    documents, refused = _read(tmp_path, sandbox)
    assert documents == []
    assert list(refused.values()) == ["folders are nested more than 64 deep; move it up"]


@pytest.mark.parametrize("path", ["missing.txt", "nul\x00byte", "a" * 300])
def test_a_path_that_leads_nowhere_is_refused(path: str, sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocumentError, match="it cannot be found"):
        list(read_path(tmp_path / path, sandbox=sandbox))


_TRAVERSALS = {
    "../../etc/passwd": "passwd",
    "../../../../../../../../etc/passwd": "passwd",
    "/etc/passwd": "passwd",
    "//etc//passwd": "passwd",
    "./a/../../b.txt": "b.txt",
    "..": "..",
    ".": ".",
    "/": "unnamed",
    "": "unnamed",
    "..\\..\\windows\\system32\\a.txt": "a.txt",
    "C:\\Windows\\win.ini": "win.ini",
    "C:a.txt": "C:a.txt",
    "\\\\server\\share\\a.txt": "a.txt",
    "\\\\?\\C:\\a.txt": "a.txt",
    "..%2f..%2fetc%2fpasswd": "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/a.txt": "a.txt",
    "..%c0%af..%c0%afa.txt": "..%c0%af..%c0%afa.txt",
    "a.txt\x00.pdf": "a.txt.pdf",
    "a\x00/../b.txt": "b.txt",
    "a\nb.txt": "a b.txt",
    "a\r\nSet-Cookie: x": "a Set-Cookie: x",
    "\x1b[31mred.txt": "[31mred.txt",
    "a\u202etxt.exe": "atxt.exe",
    "a\u200b\u200db.txt": "ab.txt",
    "CON": "CON",
    "nul.txt": "nul.txt",
    "COM1.txt": "COM1.txt",
    "a.txt.": "a.txt.",
    "a.txt::$DATA": "a.txt::$DATA",
    "a.txt ": "a.txt",
    "~/.ssh/id_rsa": "id_rsa",
    "file:///etc/passwd": "passwd",
    "\udcff\udcfe.txt": "??.txt",
    "….txt": "….txt",
    "/proc/self/environ": "environ",
    "$(id).txt": "$(id).txt",
}


@pytest.mark.drill("R16")
@pytest.mark.parametrize(("name", "shown"), list(_TRAVERSALS.items()))
def test_the_name_of_an_upload_is_a_label_and_never_a_path(name: str, shown: str, sandbox: Sandbox) -> None:
    refused: list[UnreadableDocumentError] = []
    documents = list(read_bytes(b"<!doctype html><p>Words.</p>", name, sandbox=sandbox, on_refusal=refused.append))
    assert [(document.name, document.marked.text) for document in documents] == [(shown, "Words.")]
    assert refused == []


def test_a_very_long_name_is_cut(sandbox: Sandbox) -> None:
    (document,) = read_bytes(b"Words.", "a" * 5_000 + ".txt", sandbox=sandbox)
    assert len(document.name) == 300
    assert document.name.endswith("aaa.txt")


@pytest.mark.drill("R12")
def test_malformed_documents_are_accepted_or_refused_in_time_and_memory(
    files: Path, sandbox: Sandbox, record_property: Callable[[str, object], None]
) -> None:
    sound = sound_files(files)
    mutated = [case for turn in range(rounds(1, 8)) for case in mutated_files(sound, turn)]
    cases = [*mutated, *wrong_extensions(sound), *hostile_files(sound)]
    assert len(cases) >= rounds(160, 700)
    accepted = 0
    for name, content in cases:
        refused: list[UnreadableDocumentError] = []
        start = time.monotonic()
        documents = list(read_bytes(content, name, sandbox=sandbox, on_refusal=refused.append))
        assert time.monotonic() - start < 22, name
        assert documents or refused, name
        accepted += bool(documents)
        for document in documents:
            check_document(document)
            assert _SEEN_SECRET not in document.marked.text
        for error in refused:
            assert error.name.split("#")[0] == name
            assert "; " in error.reason, error.reason
    assert accepted >= 60
    peak = sandbox.run("tests.corpus.hostile_readers:peak_kilobytes", b"", "peak")
    assert isinstance(peak, int)
    assert peak <= 512 * 1024
    record_property("files", len(cases))
    record_property("accepted", accepted)
    record_property("most memory of the parser, MB", peak // 1024)


def test_a_file_that_takes_too_long_is_named_and_the_next_one_read(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"<html><body>" + b"<p>a <b>b</b></p>" * 100_000)
    (tmp_path / "b.html").write_bytes(b"<html><body><p>Words.</p>")
    with Sandbox(Limits(wall_seconds=2)) as sandbox:
        documents, refused = _read(tmp_path, sandbox)
    assert [document.name for document in documents] == ["b.html"]
    assert refused == {"a.html": "reading it takes longer than 2 seconds; split it, or save it as plain text"}


def test_a_long_jsonl_file_is_read_line_by_line(sandbox: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "set.jsonl").open("w", encoding="utf-8") as file:
        for number in range(3_000):
            file.write(json.dumps({"_id": str(number), "title": "T", "text": f"Text {number}."}) + "\n")
        file.write('{"text": "' + "a" * (11 * 1024**2) + '"}\n{"_id": "last", "text": "End."}\n')
    refused: list[UnreadableDocumentError] = []
    documents = list(read_path(tmp_path / "set.jsonl", sandbox=sandbox, on_refusal=refused.append))
    assert len(documents) == 3_001
    assert documents[-1].external_id == "last"
    assert [error.name for error in refused] == ["set.jsonl#3001"]


def test_a_gzipped_file_is_read_as_what_is_in_it(sandbox: Sandbox, tmp_path: Path) -> None:
    lines = b"".join(
        json.dumps({"_id": str(n), "title": f"T{n}", "text": f"Text {n}."}).encode() + b"\n" for n in range(3)
    )
    (tmp_path / "set.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "note.md.gz").write_bytes(gzip.compress(b"# Lifting\n\nBend your knees.\n"))
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(lines * 900)[:-40])
    (tmp_path / "no.jsonl.gz").write_bytes(b"\x1f\x8bnothing that is packed")
    (tmp_path / "twice.md.gz").write_bytes(gzip.compress(gzip.compress(b"# Lifting\n")))
    documents, refused = _read(tmp_path, sandbox)
    names = [document.name for document in documents]
    assert names[-4:] == ["note.md.gz", "set.jsonl.gz#1", "set.jsonl.gz#2", "set.jsonl.gz#3"]
    assert {document.marked.title for document in documents if document.name == "note.md.gz"} == {"Lifting"}
    assert sorted(refused) == ["cut.jsonl.gz", "no.jsonl.gz", "twice.md.gz"]
    assert refused["cut.jsonl.gz"] == "what is packed in it is damaged or cut off; pack it again"


def test_a_small_file_that_unpacks_without_end_is_stopped(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.reading.door._MOST_UNPACKED", 1_000_000)
    line = json.dumps({"_id": "1", "title": "T", "text": "a " * 5_000}).encode() + b"\n"
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(line * 1_000))
    (tmp_path / "bomb.txt.gz").write_bytes(gzip.compress(b"a " * 20_000_000))
    documents, refused = _read(tmp_path, sandbox)
    assert 90 < len(documents) < 110
    assert sorted(refused) == ["bomb.jsonl.gz", "bomb.txt.gz"]
    assert "larger than 10 MB" in refused["bomb.txt.gz"]
