import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval import cli
from eval.datasets import load_set
from eval.drafting import Draft, draft_questions, question_of_definition, question_of_heading
from eval.errors import DraftError, SetError

PAGE = """# Borrowing

A loan is the right to keep a book for three weeks. It is free. You may renew it twice.

## How to renew a loan

Ask at the desk before it ends.

## Late fees

Ten cents a day.

## Can I borrow games?

Yes, two at a time.

## Empty

### Returning by post

Send it registered.
"""


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("Can I borrow games?", "Can I borrow games?"),
        ("How to renew a loan", "How do I renew a loan?"),
        ("When we are open", "When we are open?"),
        ("Late fees", "What does “Borrowing” say about late fees?"),
        ("Returning by post", "What is there to know about returning by post?"),
        ("DVD and CD", "What does “Borrowing” say about DVD and CD?"),
    ],
)
def test_a_heading_becomes_a_question(heading: str, question: str) -> None:
    assert question_of_heading(heading, "Borrowing") == question


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("A loan is the right to keep a book.", "What is a loan?"),
        ("Late fees are the price of a book that is kept too long.", "What are late fees?"),
        ("Renewal means any lengthening of a loan.", "What does renewal mean?"),
        ("It is the right to keep a book.", None),
        ("This loan is a gift.", None),
        ("A loan is free.", None),
        ("Ask at the desk.", None),
    ],
)
def test_a_definition_becomes_a_question(sentence: str, question: str | None) -> None:
    assert question_of_definition(sentence) == question


def test_drafts_say_where_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "borrowing.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 no more")
    drafts, refused = draft_questions([tmp_path])
    assert drafts[0] == Draft(
        "What is a loan?", "Borrowing", "a loan is the right to keep a book for three weeks", "borrowing.md"
    )
    assert [draft.question for draft in drafts[1:]] == [
        "How do I renew a loan?",
        "What does “Borrowing” say about late fees?",
        "Can I borrow games?",
        "What is there to know about returning by post?",
    ]
    assert drafts[1].place == "borrowing.md > How to renew a loan"
    assert len(refused) == 1
    assert "broken.pdf" in refused[0]


def test_files_without_headings_and_definitions_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing to ask about", encoding="utf-8")
    with pytest.raises(DraftError, match="no heading and no definition"):
        draft_questions([tmp_path])


def test_a_draft_runs_only_once_a_person_approved_it(tmp_path: Path) -> None:
    (tmp_path / "borrowing.md").write_text(PAGE, encoding="utf-8")
    out = tmp_path / "drafts.jsonl"
    result = CliRunner().invoke(cli.app, ["questions", str(tmp_path / "borrowing.md"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "5 drafts" in result.output
    refused = CliRunner().invoke(cli.app, ["run", "--file", str(out), "--out", str(tmp_path / "run")])
    assert refused.exit_code == 1
    assert f"{out}:1: is a draft" in refused.output
    assert not (tmp_path / "run").exists()
    with pytest.raises(SetError) as caught:
        load_set(out)
    assert len(caught.value.faults) == 5
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    out.write_text("".join(json.dumps({**row, "approved": True}) + "\n" for row in rows), encoding="utf-8")
    assert len(load_set(out).items) == 5
    again = CliRunner().invoke(cli.app, ["questions", str(tmp_path / "borrowing.md"), "--out", str(out)])
    assert again.exit_code == 1
    assert "is there already" in again.output
