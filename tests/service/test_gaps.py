import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from index.retrieving import Retriever
from index.snapshot import Snapshot
from service.gaps import cluster_gaps, collect_gaps, export_lines
from service.storage.answers import StoredAnswer, moment, store_answers
from service.storage.database import open_database
from service.storage.feedback import Fault, store_feedback
from tests.service.fakes import StemEmbedder


@pytest.fixture(scope="module")
def retriever(snapshot: Snapshot) -> Retriever:
    return Retriever(snapshot, StemEmbedder())


def told(
    engine: Engine, question: str, reason: str | None = None, *, missing: tuple[str, ...] = (), source: str = "s1"
) -> str:
    """Keep a reply to a question: silence with a reason, or an answer."""
    status = "abstained" if reason else "partial" if missing else "answered"
    reply: dict[str, Any] = {
        "status": status,
        "abstention": {"reason": reason} if reason else None,
        "rewritten_question": None,
        "missing": list(missing),
        "passages": [{"source_id": source}] if source else [],
    }
    name = f"ans_{len(list(collect_all(engine)))}"
    store_answers(engine, [StoredAnswer(name, "loopback", "c", "default", question, json.dumps(reply), moment())])
    return name


def collect_all(engine: Engine) -> Iterator[str]:
    with engine.connect() as connection:
        yield from connection.exec_driver_sql("SELECT id FROM answers").scalars()


def dislike(engine: Engine, answer: str, reason: Fault | None) -> None:
    store_feedback(engine, answer, "loopback", "", "no", reason, "secret words")


def test_what_was_asked_in_vain_is_collected_once_with_its_count(engine: Engine) -> None:
    told(engine, "Do TENS machines help?", "not_in_sources")
    last = told(engine, "do  tens machines help", "nothing_found", source="s2")
    told(engine, "What have I got?", "personal_advice")
    told(engine, "How long does a spasm last?")
    [gap] = collect_gaps(engine, "")
    assert (gap.question, gap.kind, gap.count) == ("do tens machines help", "unanswered", 2)
    assert (gap.answer_id, gap.reason, gap.nearest_source) == (last, "nothing_found", "s2")


def test_open_parts_and_disliked_answers_count_too(engine: Engine) -> None:
    told(engine, "What is a spasm and who pays for it?", missing=("who pays for it",))
    dislike(engine, told(engine, "How long does a spasm last?", source=""), "off")
    found = [(gap.question, gap.kind, gap.reason, gap.nearest_source) for gap in collect_gaps(engine, "")]
    assert found == [
        ("How long does a spasm last?", "disliked", "off", None),
        ("who pays for it", "unanswered", "partial", "s1"),
    ]


def test_scope_is_a_choice_and_what_is_over_is_left_out(engine: Engine) -> None:
    told(engine, "Who won the cup?", "out_of_scope")
    assert len(collect_gaps(engine, "")) == 1
    assert collect_gaps(engine, "", {"nothing_found"}) == []
    assert collect_gaps(engine, "9999") == []


def test_questions_about_one_thing_are_one_group_named_in_their_words(engine: Engine, retriever: Retriever) -> None:
    for question in ("tens pads where", "tens pads rent", "tens pads wet", "school bag weight", "school bag straps"):
        told(engine, question, "nothing_found")
    told(engine, "tens pads rent", "nothing_found")
    first, second = cluster_gaps(collect_gaps(engine, ""), retriever)
    assert (first.id, first.name, first.count) == ("cluster-1", "pads, tens, rent", 4)
    assert first.question == "tens pads rent"
    assert first.nearest_source == "s1"
    assert [gap.question for gap in first.gaps] == ["tens pads rent", "tens pads wet", "tens pads where"]
    assert (second.name, second.count) == ("bag, school", 2)


def test_the_order_of_asking_changes_nothing(engine: Engine, tmp_path: Path, retriever: Retriever) -> None:
    questions = ["tens pads where", "school bag weight", "tens pads wet", "school bag straps"]
    other = open_database(tmp_path / "other.sqlite")
    for question in questions:
        told(engine, question, "nothing_found")
    for question in reversed(questions):
        told(other, question, "nothing_found")
    one, two = (cluster_gaps(collect_gaps(database, ""), retriever) for database in (engine, other))
    assert [[gap.question for gap in cluster.gaps] for cluster in one] == [
        [gap.question for gap in cluster.gaps] for cluster in two
    ]


def test_a_missing_warning_comes_first(engine: Engine, retriever: Retriever) -> None:
    for question in ("tens pads where", "tens pads wet"):
        told(engine, question, "nothing_found")
    dislike(engine, told(engine, "numb feet since yesterday"), "warning")
    first, _ = cluster_gaps(collect_gaps(engine, ""), retriever)
    assert first.lacks_warning
    assert first.question == "numb feet since yesterday"


def test_the_export_names_nobody_and_repeats_no_comment(engine: Engine, retriever: Retriever) -> None:
    answer = told(engine, "Can you write to me@example.org about swimming?")
    dislike(engine, answer, None)
    [line] = export_lines(cluster_gaps(collect_gaps(engine, ""), retriever))
    row = json.loads(line)
    assert row.pop("id").startswith("gap-")
    assert row == {
        "question": "Can you write to [e-mail] about swimming?",
        "kind": "disliked",
        "answer_id": answer,
        "reason": None,
        "nearest_source": "s1",
        "count": 1,
        "collection": "default",
        "cluster": "cluster-1",
        "cluster_name": "Can you write to [e-mail] about swimming?",
    }


def test_nothing_is_no_fault(engine: Engine, retriever: Retriever) -> None:
    assert cluster_gaps(collect_gaps(engine, ""), retriever) == []
