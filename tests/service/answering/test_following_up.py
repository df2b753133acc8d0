import json
from pathlib import Path

import pytest

from service.answering.following_up import (
    LEANING,
    REWRITTEN,
    Reading,
    complete_parts,
    imply,
    names_topic,
    read_in_turn,
    rewrite,
)

DATA = Path(__file__).parents[3] / "eval" / "data"
SPASM = "What is a back spasm?"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("and how long?", "how long for back spasm?"),
        ("is that dangerous?", "is back spasm dangerous?"),
        ("what about heat?", "what about heat for back spasm?"),
    ],
)
def test_a_leaning_question_takes_the_topic_along(question: str, expected: str) -> None:
    assert rewrite(question, (SPASM,)) == expected


@pytest.mark.parametrize("question", ["What are gallstones?", "How do I lift a heavy load without hurting my spine?"])
def test_a_question_with_its_own_topic_stands_alone(question: str) -> None:
    assert rewrite(question, (SPASM,)) is None


def test_without_history_nothing_is_rewritten() -> None:
    assert rewrite("and how long?", ()) is None


def test_the_last_topic_counts_not_the_last_follow_up() -> None:
    assert rewrite("and ice?", (SPASM, "what about heat?")) == "ice for back spasm?"


@pytest.mark.parametrize(
    ("question", "history", "expected"),
    [
        ("what tests show them", ("Can gallstones cause back pain?",), "what tests show gallstones?"),
        (
            "do kids get those",
            ("what does back pain from a spinal tumor feel like", "and other signs?"),
            "do kids get spinal tumor?",
        ),
        ("ok and for kids?", ("What is a kidney infection?",), "kidney infection for kids?"),
        ("which one is best?", ("Do muscle relaxants help back pain?",), "which muscle relaxants is best?"),
        ("which kind?", ("Does exercise help back pain?",), "which kind for exercise help back pain?"),
        ("when do they order one then?", ("do I need an mri for my back",), "when do they order one then for back?"),
        ("should i worry", ("my back has been killing me since monday",), "should i worry for back pain?"),
        (
            "what happens at a session?",
            ("What is myofascial release?",),
            "what happens at a session for myofascial release?",
        ),
    ],
)
def test_the_subject_of_a_source_is_the_topic_before_back_pain(
    question: str, history: tuple[str, ...], expected: str
) -> None:
    assert rewrite(question, history) == expected


def test_dialogues_of_the_development_set_are_dialogues() -> None:
    items = [json.loads(line) for line in (DATA / "dialogues.dev.jsonl").read_text("utf-8").splitlines()]
    assert len({item["history"][0] for item in items}) >= 40
    assert {len(item["history"]) for item in items} == {1, 2, 3}


@pytest.mark.parametrize(
    ("question", "implied"),
    [
        ("will it come back", "will back pain come back?"),
        ("why does it hurt more at night?", "why does back pain hurt more at night?"),
        ("what if it doesn't get better", "what if back pain doesn't get better?"),
    ],
)
def test_back_that_is_no_part_of_the_body_names_no_topic(question: str, implied: str) -> None:
    assert imply(question, "back pain") == implied
    assert imply("my back is stiff", "back pain") is None


def test_parts_that_name_no_topic_are_about_what_people_come_for() -> None:
    asked = ("how long will this last", "should I stay in bed?")
    assert complete_parts(asked, "", "back pain") == (
        "how long will back pain last?",
        "should I stay in bed for back pain?",
    )
    assert (
        complete_parts(("what is sciatica", "how long will this last"), "", "back pain")[1]
        == "how long will sciatica last?"
    )
    assert "back" not in " ".join(complete_parts(asked, "", ""))


def test_parts_take_the_topic_that_was_named_before_anything_was_asked() -> None:
    whole = "Slipped disc at 29, gutted. Do people get over it, and what does treatment involve?"
    parts = ("Do people get over it", "what does treatment involve?")
    assert complete_parts(parts, whole, "back pain") == (
        "Do people get over Slipped disc?",
        "what does treatment involve for Slipped disc?",
    )


@pytest.mark.parametrize(
    "part", ["When will I be back to my usual self?", "when am I back to normal", "how soon can she go straight back"]
)
def test_who_is_back_says_nothing_of_a_back(part: str) -> None:
    assert not names_topic(part)
    assert complete_parts((part,), "Keyhole gallbladder removal next month.", "back pain")[0].count("gallbladder") == 1


def test_a_back_that_hurts_is_a_topic() -> None:
    assert names_topic("could it be back pain?")
    assert names_topic("is my back to blame?")


@pytest.mark.parametrize(
    ("question", "history", "text", "weight"),
    [
        ("and how long?", (SPASM,), "how long for back spasm?", REWRITTEN),
        ("Would they be the same in a man of 84?", ("What are the signs of a kidney infection?",), "", LEANING),
        ("I'm a tummy sleeper, always have been, can't do it any other way", (SPASM,), "", LEANING),
        ("What are gallstones?", (SPASM,), "", 0.0),
    ],
)
def test_a_question_without_a_topic_leans_on_the_turn_that_has_one(
    question: str, history: tuple[str, ...], text: str, weight: float
) -> None:
    reading = read_in_turn(question, history, "back pain")
    assert (reading.text, reading.weight) == (text or question, weight)
    assert reading.earlier == (history[0] if weight else "")
    assert reading.shown.endswith(")") == (weight == LEANING)


def test_of_the_turn_before_only_its_topic_is_shown() -> None:
    reading = read_in_turn("Would they be the same in a man of 84?", ("I am Ada. Signs of a kidney infection?",), "x")
    assert reading.shown == "Would they be the same in a man of 84? (about: kidney infection)"


def test_without_a_topic_the_last_turn_that_says_anything_is_leaned_on() -> None:
    assert read_in_turn("will it come back", ("hi",), "back pain").text == "will back pain come back?"
    assert read_in_turn("and the weather?", ("hi",), "back pain") == Reading("and the weather?")
    assert read_in_turn("Does it hurt?", ("Is acupuncture worth trying?",), "back pain").earlier


def test_in_documents_of_ones_own_only_the_rules_hold() -> None:
    before = ("What does the Acme plan cost?",)
    assert "Acme" in read_in_turn("and yearly?", before, "").text
    alone = "How do I reset the password of my account on your new site today?"
    assert read_in_turn(alone, before, "") == Reading(alone)


def test_parts_of_a_leaning_question_are_not_about_what_goes_without_saying() -> None:
    parts = ("How long does it last?", "when should I see a doctor?")
    assert complete_parts(parts, "", "") == parts
    assert all("back pain" in part for part in complete_parts(parts, "", "back pain"))
