import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval import cli
from eval.datasets import load_set
from eval.errors import DraftError, SetError
from eval.from_feedback import items_from_feedback

UNANSWERED: dict[str, Any] = {
    "id": "gap-0123456789ab",
    "question": "Does magnesium help?",
    "kind": "unanswered",
    "answer_id": "ans_1",
    "reason": "not_in_sources",
    "nearest_source": "ninds-back-pain",
    "count": 3,
    "cluster": "cluster-1",
    "cluster_name": "magnesium",
    "collection": "default",
}
DISLIKED: dict[str, Any] = {
    **UNANSWERED,
    "id": "gap-ba9876543210",
    "question": "How long does it last?",
    "kind": "disliked",
    "reason": "off",
    "count": 1,
    "cluster_name": "",
}


def exported(folder: Path, *rows: Any) -> Path:
    path = folder / "gaps.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_an_unanswered_question_may_rightly_be_declined(tmp_path: Path) -> None:
    (item,) = items_from_feedback(exported(tmp_path, UNANSWERED))
    assert (item["id"], item["kind"], item["category"], item["reason"], item["approved"]) == (
        "gap-0123456789ab",
        "decline",
        "missing_detail",
        "not_in_sources",
        False,
    )
    assert item["note"].startswith("asked 3 times, with others on magnesium and not answered (not_in_sources)")
    assert "nearest is ninds-back-pain" in item["note"]


def test_a_disliked_answer_wants_its_key_facts_written(tmp_path: Path) -> None:
    path = exported(tmp_path, DISLIKED)
    (item,) = items_from_feedback(path)
    assert (item["kind"], item["sources"], item["key_facts"]) == ("answer", ["ninds-back-pain"], [{"say": []}])
    assert item["note"].startswith("disliked once and called beside the question; name the right sources")
    # Approving it without a key fact does not get it through.
    approved = tmp_path / "mine.jsonl"
    approved.write_text(json.dumps({**item, "approved": True}) + "\n", encoding="utf-8")
    with pytest.raises(SetError, match='"say" needs 1 to 5 strings'):
        load_set(approved)


def test_approved_items_make_a_set(tmp_path: Path) -> None:
    first, second = items_from_feedback(exported(tmp_path, UNANSWERED, DISLIKED))
    path = tmp_path / "mine.jsonl"
    rows = [{**first, "approved": True}, {**second, "approved": True, "key_facts": [{"say": ["hours to days"]}]}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [item.question for item in load_set(path).items] == ["Does magnesium help?", "How long does it last?"]


@pytest.mark.parametrize("reason", ["nothing_found", "out_of_scope", "partial"])
def test_every_silence_becomes_a_draft_that_would_be_valid(tmp_path: Path, reason: str) -> None:
    (item,) = items_from_feedback(exported(tmp_path, {**UNANSWERED, "reason": reason}))
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({**item, "approved": True}) + "\n", encoding="utf-8")
    assert len(load_set(path).items) == 1


def test_the_same_question_makes_one_item_and_no_export_none(tmp_path: Path) -> None:
    again = {**DISLIKED, "question": "does  magnesium help?"}
    assert len(items_from_feedback(exported(tmp_path, UNANSWERED, again))) == 1
    assert items_from_feedback(exported(tmp_path)) == []


@pytest.mark.parametrize(
    "row", [{"kind": "disliked"}, {**UNANSWERED, "kind": "praised"}, [1], {**UNANSWERED, "question": " "}]
)
def test_a_line_of_something_else_is_named(tmp_path: Path, row: Any) -> None:
    with pytest.raises(DraftError, match=r"gaps\.jsonl:2: "):
        items_from_feedback(exported(tmp_path, UNANSWERED, row))


def test_the_command_writes_drafts(tmp_path: Path) -> None:
    out = tmp_path / "drafts.jsonl"
    result = CliRunner().invoke(cli.app, ["from-feedback", str(exported(tmp_path, UNANSWERED)), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text(encoding="utf-8"))["approved"] is False
    assert CliRunner().invoke(cli.app, ["from-feedback", str(tmp_path / "absent")]).exit_code == 1
