import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from corpus.records import Document, Section, Source, Span
from service.affected import find_affected
from service.cli import app
from service.settings import Settings
from service.storage.answers import StoredAnswer, moment, store_answers
from service.storage.database import open_database
from service.storage.documents import delete_document, store_document

TEXT = "Walk a little each day. Rest no longer than two days."


def document(text: str, name: str = "doc_1") -> Document:
    source = Source(name.replace("doc", "src"), "Walking", "Clinic", "Clinic", "")
    return Document(name, source, "Walking", text, (Section(("Walking",), Span(0, len(text))),))


def answer(name: str, *quotes: str, of: str = "doc_1") -> StoredAnswer:
    cited = [{"source_id": of.replace("doc", "src"), "document_id": of, "quote": quote} for quote in quotes]
    return StoredAnswer(name, "loopback", "c", "default", f"{name}?", json.dumps({"citations": cited}), moment())


ANSWERS = [
    answer("walk", "Walk a little each day."),
    answer("rest", "Rest no longer than two days."),
    answer("both", "Walk a little each day.", "Rest no longer than two days."),
    answer("other", "Rest no longer than two days.", of="doc_2"),
    answer("silent"),
]
CHANGED = "New words before. Walk a little each day. Rest no longer than one day."


def affected(name: str, *documents: Document) -> list[tuple[str, tuple[str, ...], bool]]:
    return [(one.answer.id, one.gone, one.withdrawn) for one in find_affected(name, ANSWERS, documents)]


def test_nothing_is_affected_while_the_words_stand() -> None:
    assert affected("src_1", document(TEXT)) == []
    assert affected("src_1", document("Moved. " + TEXT)) == []


def test_only_answers_on_changed_words_are_listed() -> None:
    rest = ("Rest no longer than two days.",)
    for name in ("src_1", "doc_1"):
        assert affected(name, document(CHANGED)) == [("rest", rest, False), ("both", rest, False)]


def test_a_withdrawn_document_takes_all_its_answers_and_no_others() -> None:
    assert [name for name, _, withdrawn in affected("src_1", document(TEXT, "doc_2")) if withdrawn] == [
        "walk",
        "rest",
        "both",
    ]


def test_the_command_looks_at_what_is_stored_now(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.settings.load_settings", lambda: Settings(home=home))
    engine = open_database(Settings(home=home).database)
    store_answers(engine, ANSWERS)
    store_document(engine, document(TEXT))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["affected", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert run("src_1") == "0 kept answers rest on words that are not there any more\n"
    store_document(engine, document(CHANGED))
    assert [row["answer_id"] for row in json.loads(run("src_1", "--json"))["data"]] == ["rest", "both"]
    delete_document(engine, "doc_1")
    lines = run("doc_1").splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("walk", "rest", "both"))] == ["walk", "rest", "both"]
    assert "withdrawn" in lines[0]
    assert lines[-1] == "3 kept answers rest on words that are not there any more"
