import pytest

from service.answering.following_up import rewrite

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
