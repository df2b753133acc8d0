import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.questions import load_questions
from eval.datasets import check_distinct, item_as_json, load_set, shipped_names, shipped_path
from eval.errors import SetError
from eval.records import AnswerItem, DeclineItem, KeyFact, TriageItem

ANSWER: dict[str, Any] = {
    "id": "a1",
    "kind": "answer",
    "phrasing": "plain",
    "question": "How long does it last?",
    "sources": ["ninds-back-pain"],
    "key_facts": [{"any": ["ninds-back-pain:F20"], "say": ["few days"]}],
}
DECLINE: dict[str, Any] = {
    "id": "d1",
    "kind": "decline",
    "reason": "out_of_scope",
    "category": "out_of_domain",
    "question": "What is the capital of France?",
}
ALARM: dict[str, Any] = {
    "id": "t1",
    "kind": "alarm",
    "text": "cant feel when i wipe",
    "level": "emergency",
    "rules": ["RF01"],
    "style": "slang",
}
NEAR: dict[str, Any] = {
    "id": "n1",
    "kind": "near_miss",
    "text": "numb with boredom",
    "level": "none",
    "near": ["RF01"],
    "why": "harmless_sense",
}


def written(folder: Path, *rows: object) -> Path:
    path = folder / "mine.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_sound_set_is_read_whole_with_its_hash(tmp_path: Path) -> None:
    path = written(tmp_path, ANSWER, DECLINE, ALARM, NEAR)
    found = load_set(path)
    assert found.name == "mine"
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.items == (
        AnswerItem(
            "a1",
            "How long does it last?",
            "plain",
            ("ninds-back-pain",),
            (KeyFact(("ninds-back-pain:F20",), ("few days",)),),
        ),
        DeclineItem("d1", "What is the capital of France?", "out_of_scope", "out_of_domain"),
        TriageItem("t1", "alarm", "cant feel when i wipe", "emergency", ("RF01",), style="slang"),
        TriageItem("n1", "near_miss", "numb with boredom", "none", near=("RF01",), why="harmless_sense"),
    )


def test_a_set_about_other_documents_needs_no_fact_ids(tmp_path: Path) -> None:
    row = {**ANSWER, "sources": ["my-page"], "key_facts": [{"say": ["forty"]}], "history": ["What is it?"]}
    del row["phrasing"]
    (item,) = load_set(written(tmp_path, row)).items
    assert item == AnswerItem(
        "a1", "How long does it last?", "plain", ("my-page",), (KeyFact((), ("forty",)),), ("What is it?",)
    )


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("", "is empty"),
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ({**ANSWER, "kind": "maybe"}, "kind must be one of alarm, answer, decline, long, near_miss"),
        ({**ANSWER, "kind": ["answer"]}, "kind must be one of"),
        ({**ANSWER, "extra": 1}, '"extra" is no field of kind answer'),
        ({k: v for k, v in ANSWER.items() if k != "sources"}, '"sources" is missing from this answer'),
        ({**ANSWER, "question": " "}, '"question" must be a text that is not empty'),
        ({**ANSWER, "sources": "one"}, '"sources" must be a list of texts'),
        ({**ANSWER, "sources": []}, '"sources" is empty'),
        ({**ANSWER, "phrasing": "shouted"}, "phrasing must be one of"),
        ({**ANSWER, "key_facts": []}, "must be a list of 1 to 3 groups"),
        ({**ANSWER, "key_facts": [3]}, 'key fact 1: must be an object with "any" and "say"'),
        ({**ANSWER, "key_facts": [{"any": "x", "say": []}]}, "must be lists of texts"),
        ({**ANSWER, "key_facts": [{"any": ["ninds-back-pain:F20"], "say": []}]}, '"say" needs 1 to 5 strings'),
        ({**ANSWER, "key_facts": [{"say": ["Few days"]}]}, 'compared in lower case, but holds "Few days"'),
        ({**ANSWER, "key_facts": [{"any": ["F20"], "say": ["x"]}]}, '"F20" is no fact id'),
        ({**ANSWER, "key_facts": [{"any": ["other:F20"], "say": ["x"]}]}, 'no fact of "any" comes from one'),
        ({**DECLINE, "category": "rude"}, "category must be one of"),
        ({**DECLINE, "reason": "unclear"}, "reason of category out_of_domain must be out_of_scope"),
        ({**ALARM, "level": "info"}, "level of an alarm must be one of"),
        ({**ALARM, "style": "loud"}, "style must be one of"),
        ({**ALARM, "rules": []}, "names no rule"),
        ({**ALARM, "rules": ["RF1"]}, '"RF1" is no rule id'),
        ({**ALARM, "kind": "long"}, "a long text has 80 to 300 words, this one 5"),
        ({**NEAR, "level": "soon"}, "level of a near miss must be one of"),
        ({**NEAR, "why": "luck"}, "why must be one of"),
    ],
)
def test_each_fault_is_explained_by_file_and_line(tmp_path: Path, row: object, fault: str) -> None:
    path = written(tmp_path, DECLINE | {"id": "d0", "question": "Something else?"}, row)
    with pytest.raises(SetError) as caught:
        load_set(path)
    assert all(text.startswith(f"{path}:2: ") for text in caught.value.faults)
    assert any(fault in text for text in caught.value.faults)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, ANSWER, {**ANSWER, "question": "Another?"}, {**ANSWER, "id": "a2"}, "no")
    with pytest.raises(SetError) as caught:
        load_set(path)
    assert [text.split(": ")[0] for text in caught.value.faults] == [f"{path}:2", f"{path}:3", f"{path}:4"]
    assert 'id "a1" stands on line 1 already' in caught.value.faults[0]
    assert "asks the same as line 1" in caught.value.faults[1]


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SetError, match="cannot be read"):
        load_set(tmp_path / "absent.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(SetError, match="is not UTF-8 from byte 0 on"):
        load_set(tmp_path / "bytes.jsonl")
    (tmp_path / "none.jsonl").write_bytes(b"")
    with pytest.raises(SetError, match="is empty"):
        load_set(tmp_path / "none.jsonl")


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({**DECLINE, "question": "one\u2028two"}, ensure_ascii=False), encoding="utf-8")
    assert [item.question for item in load_set(path).items] == ["one\u2028two"]


def test_an_item_written_and_read_again_is_the_same(tmp_path: Path) -> None:
    first = load_set(written(tmp_path, {**ANSWER, "history": ["And?"]}, DECLINE, ALARM, NEAR)).items
    assert load_set(written(tmp_path, *map(item_as_json, first))).items == first


@pytest.mark.parametrize("name", ["answers", "triage"])
def test_the_shipped_sets_are_sound(name: str) -> None:
    found = load_set(shipped_path(name, "dev"))
    assert len(found.items) >= 150


def test_sets_that_share_an_id_are_refused_together(tmp_path: Path) -> None:
    first = load_set(written(tmp_path, ANSWER))
    other = replace(first, name="theirs")
    with pytest.raises(SetError, match=r'theirs: id ".+" stands in mine already'):
        check_distinct([first, other])
    check_distinct([first])


def test_what_is_shipped_is_found_by_its_file() -> None:
    assert {"answers", "triage"} <= set(shipped_names("dev"))
    check_distinct([load_set(shipped_path(name, "dev")) for name in shipped_names("dev")])


def folded(item: AnswerItem | DeclineItem | TriageItem) -> tuple[str, ...]:
    return tuple(" ".join(re.findall(r"\w+", text.lower())) for text in (*item.history, item.question))


@pytest.mark.parametrize("name", shipped_names("report"))
def test_what_is_reported_was_not_worked_on(name: str) -> None:
    reported = {folded(item) for item in load_set(shipped_path(name, "report")).items}
    assert len(reported) >= 60
    assert reported.isdisjoint(folded(item) for item in load_set(shipped_path(name, "dev")).items)
    assert reported.isdisjoint((" ".join(re.findall(r"\w+", known.text.lower())),) for known in load_questions())


def test_no_known_question_stands_in_a_development_half() -> None:
    asked = {
        folded(item)[-1] for name in ("answers", "dialogues") for item in load_set(shipped_path(name, "dev")).items
    }
    known = {" ".join(re.findall(r"\w+", question.text.lower())) for question in load_questions()}
    assert len(known) > 15_000
    assert asked.isdisjoint(known)
