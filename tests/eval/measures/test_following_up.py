from dataclasses import replace

from eval.measures.following_up import measure_follow_ups
from eval.records import Reply
from eval.runs import measure_all
from tests.eval.measures.replies import FAILED, exchange, question


def test_follow_ups_are_measured_apart_and_failed_ones_count() -> None:
    first = exchange(question("a1"), Reply("answered", passage_sources=("wrong",)))
    later = [
        exchange(replace(question("a2"), history=("How long?",)), Reply("answered", passage_sources=("right",))),
        exchange(replace(question("a3"), history=("a", "b")), Reply("abstained", passage_sources=("wrong", "right"))),
        exchange(replace(question("a4"), history=("a",)), FAILED),
    ]
    found = {one.figure.name: one for one in measure_follow_ups([first, *later])}
    assert found["followups_first"].scores == {"a2": 1.0, "a3": 0.0, "a4": 0.0}
    assert found["followups_found"].scores == {"a2": 1.0, "a3": 1.0, "a4": 0.0}
    assert found["followups_right"].scores == {"a2": 0.0, "a3": 0.0, "a4": 0.0}
    turns = measure_all([first, *later], lambda _name: None).tables["turn"]
    assert {name: row[2] for name, row in turns.items()} == {
        "first question": 1,
        "follow-up, turn 2": 2,
        "follow-up, turn 3": 1,
    }


def test_a_set_without_follow_ups_has_no_such_figures() -> None:
    run = measure_all([exchange(question("a1"), Reply("answered"))], lambda _name: None)
    assert run.figure("followups_found") is None
    assert run.tables["turn"] == {}
