import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from corpus.records import Document, Section, Source, Span
from service.cli import app
from service.settings import Settings
from service.storage.answers import StoredAnswer, moment, store_answers
from service.storage.database import open_database
from service.storage.documents import store_documents

Run = Callable[..., Result]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("service.settings.load_settings", lambda: Settings(home=home))
    monkeypatch.setattr("service.cli.documents.build", lambda: typer.echo("index built"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["documents", *arguments])

    return invoke


def note(name: str, collection: str) -> Document:
    source = Source(
        id=name, title="Note", publisher="Desk", publisher_short="Desk", url="", digest=False, collection=collection
    )
    return Document(name, source, f"Note {name}", "Lift with two.", (Section((), Span(0, 14)),))


def test_what_was_brought_is_listed_by_collection(run: Run, home: Path) -> None:
    store_documents(open_database(Settings(home=home).database), [note("doc_a", "beds"), note("doc_b", "default")])
    assert [line.split()[0] for line in run("list").stdout.splitlines()] == ["doc_a", "doc_b"]
    (line,) = run("list", "--collection", "beds").stdout.splitlines()
    assert line.startswith("doc_a  beds  ")
    assert line.endswith("  Note doc_a")


def test_a_deleted_document_is_gone_with_a_receipt_and_a_wrong_name_is_told(run: Run, home: Path) -> None:
    engine = open_database(Settings(home=home).database)
    store_documents(engine, [note("doc_a", "beds"), note("doc_b", "beds")])
    reply = json.dumps({"citations": [{"document_id": "doc_a", "quote": "Lift with two."}]})
    store_answers(engine, [StoredAnswer("ans_1", "loopback", "c", "beds", "How?", reply, moment())])
    result = run("delete", "doc_a", "doc_x")
    assert result.exit_code == 1
    built, receipt, quoting, missing = result.stdout.splitlines()
    assert built == "index built"
    assert receipt.startswith("doc_a  removed from database, search, snapshot files, embedding cache at 20")
    assert quoting == "    1 kept answers quote it: see `backline affected doc_a`"
    assert missing == "doc_x  there is no such document that was brought"
    assert [line.split()[0] for line in run("list").stdout.splitlines()] == ["doc_b"]


def test_nothing_is_built_where_nothing_was_deleted(run: Run) -> None:
    result = run("delete", "doc_x")
    assert result.exit_code == 1
    assert "index built" not in result.stdout
