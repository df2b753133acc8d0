import gzip
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpus.records import Document
from service import ingesting
from service.ingesting import Origin, ingest_paths
from service.settings import Settings
from service.storage.database import open_database
from service.storage.documents import Stored, store_documents, stored_versions


def write_lines(path: Path, count: int) -> None:
    rows = [{"_id": f"q{n}", "title": f"Question {n}?", "text": f"Answer number {n}."} for n in range(count)]
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def test_a_run_that_is_cut_short_goes_on_where_it_was(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "answers.jsonl.gz"
    write_lines(file, 450)
    settings = Settings(home=home)
    calls = []

    def killed_at_the_third(engine: Engine, some: list[Document], *, once: bool) -> list[Stored]:
        calls.append(len(some))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return store_documents(engine, some, once=once)

    with monkeypatch.context() as patch:
        patch.setattr(ingesting, "store_documents", killed_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            ingest_paths(settings, [file], Origin("answers"))
    assert calls == [200, 200, 50]
    assert len(stored_versions(open_database(settings.database))) == 400
    told: list[int] = []
    report = ingest_paths(settings, [file], Origin("answers"), told.append)
    outcomes = [brought.stored.outcome for brought in report.stored]
    assert (outcomes.count("unchanged"), outcomes.count("added")) == (400, 50)
    assert told == [200, 400, 450]


def test_one_bad_file_among_a_thousand_costs_no_other_and_each_is_in_the_report(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(999):
        (folder / f"{number:03}.txt").write_text(f"Walk {number} steps.", encoding="utf-8")
    (folder / "500-broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    report = ingest_paths(Settings(home=home), [folder], Origin("notes", licence="CC0"))
    assert [brought.name for brought in report.stored] == [f"{number:03}.txt" for number in range(999)]
    assert [error.name for error in report.refused] == ["500-broken.pdf"]
    lines = list(report.lines())
    assert sum(line.startswith("added") for line in lines) == 999
    assert lines[999].startswith("refused   500-broken.pdf: ")
    assert lines[1000] == "999 added, 0 changed, 0 unchanged, 1 refused"


def test_the_report_names_what_a_document_lacks_and_how_to_give_it(home: Path, tmp_path: Path) -> None:
    plain, told = tmp_path / "plain.txt", tmp_path / "told.jsonl"
    plain.write_text("Walk every day.", encoding="utf-8")
    metadata = {"url": "https://example.org/a", "publisher": "Clinic", "published": "2024-05", "licence": "CC0"}
    told.write_text(json.dumps({"_id": "1", "title": "Ice", "text": "Wrap it.", "metadata": metadata}), "utf-8")
    report = ingest_paths(Settings(home=home), [plain, told], Origin("notes"))
    assert [brought.lacking for brought in report.stored] == [
        ("title", "publisher", "address", "date", "licence"),
        (),
    ]
    lines = list(report.lines())
    assert lines[0].endswith("without title, publisher, address, date, licence")
    assert "1 without licence: give --licence, so that a reader of a citation knows what may be done with it" in lines
    given = Origin("notes", "Clinic", "https://example.org/b", "CC0", "Plain", "2024")
    (again,) = ingest_paths(Settings(home=home), [plain], given).stored
    assert (again.stored.outcome, again.lacking) == ("changed", ())
