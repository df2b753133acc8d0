import json
import shutil
from pathlib import Path

import pytest

from corpus.errors import RegistryError
from corpus.questions import KnownQuestion, load_questions
from corpus.sources import DATA, load_facts, load_shipped_documents


def _data(folder: Path, *rows: object) -> Path:
    shutil.copytree(DATA / "facts", folder / "facts")
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_every_fact_that_a_digest_tells_is_asked_for_and_no_other_fact_is_named() -> None:
    told = {fact for document in load_shipped_documents() for note in document.attributions for fact in note.facts}
    questions = load_questions()
    asked = {fact for question in questions for fact in question.facts}
    assert asked <= load_facts().keys()
    assert told <= asked, sorted(told - asked)
    assert [question.text for question in questions if question.facts and not told & set(question.facts)] == []


def test_a_known_question_has_facts_or_a_reason_and_not_both() -> None:
    assert KnownQuestion("How long?", ("merck-low-back-pain:F17",)).reason == ""
    assert KnownQuestion("What is the capital of France?", reason="out_of_scope").facts == ()
    with pytest.raises(ValueError, match="either facts or a reason"):
        KnownQuestion("How long?")
    with pytest.raises(ValueError, match="either facts or a reason"):
        KnownQuestion("How long?", ("merck-low-back-pain:F17",), "not_in_sources")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"facts": ["merck-low-back-pain:F99"], "questions": ["How long?"]}, "unknown merck-low-back-pain:F99"),
        ({"reason": "bored", "questions": ["How long?"]}, "unknown bored"),
        ({"questions": ["How long?"]}, "either facts or a reason"),
        ({"reason": "out_of_scope"}, "needs questions"),
        ({"reason": "out_of_scope", "questions": ["How long?", "how long?"]}, "stands twice"),
    ],
)
def test_a_faulty_line_is_refused_with_its_number(tmp_path: Path, row: object, fault: str) -> None:
    data = _data(tmp_path, {"reason": "out_of_scope", "questions": ["What is the capital of France?"]}, row)
    with pytest.raises(RegistryError, match=rf"^questions.jsonl:2: .*{fault}"):
        load_questions(data)
