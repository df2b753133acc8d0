import pytest

from service.answering.following_up import imply
from service.answering.understanding import asks


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How long till this goes away?", "How long till back pain goes away?"),
        ("heat or ice", "heat or ice for back pain?"),
        ("How should I sleep?", "How should I sleep for back pain?"),
        ("can I still go to work?", "can I still go to work for back pain?"),
    ],
)
def test_what_goes_without_saying_is_said(question: str, asked: str) -> None:
    assert imply(question, "back pain") == asked


@pytest.mark.parametrize(
    "question",
    [
        "How long does a kidney stone take to pass?",  # names its topic
        "What is the capital of France?",
        "How do I lower my cholesterol?",
        "???",
        "",
        "xyzzy plugh",
    ],
)
def test_a_question_with_a_topic_or_a_foreign_word_stands_as_it_is(question: str) -> None:
    assert imply(question, "back pain") is None


def test_nothing_goes_without_saying_in_a_collection_of_other_documents() -> None:
    assert imply("How long till this goes away?", "") is None


@pytest.mark.parametrize(
    ("text", "asking"),
    [
        ("I'm 8 months pregnant and my back is killing me", False),
        ("My back hurts. My toes are numb.", False),
        ("My toes are numb, is it bad", True),
        ("what should i do", True),
        ("My back went. How long does it last?", True),
    ],
)
def test_a_text_that_only_tells_is_told_from_one_that_asks(text: str, asking: bool) -> None:  # noqa: FBT001 # a column of the table
    assert asks(text) is asking
