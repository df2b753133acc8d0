"""Follow-ups: a question that leans on the one before it takes that one's topic along."""

import re

from service.answering.understanding import TOPIC, topic_of

_LEANS = re.compile(
    r"^(?:and|or|but|so|what about|how about|what if|then|also|why|why not|how long|how often|how much|how|when|"
    r"for how long|until when|is (?:it|that|this)|are (?:they|those|these)|does (?:it|that|this)|do (?:they|those)|"
    r"can (?:it|that|this)|should (?:it|that)|and if)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(r"\b(?:it|that|this|they|them|those|these)\b", re.IGNORECASE)
_JOINERS = re.compile(r"^(?:and|or|but|so|then|also|ok|okay|,|\s)+\b", re.IGNORECASE)
_SHORT_WORDS = 9


def rewrite(question: str, history: tuple[str, ...]) -> str | None:
    """Return the question with the topic that it leans on, or None when it stands alone.

    A pronoun is replaced by the topic; where there is none, the topic is added at the end.

    Args:
        question: What was asked now.
        history: Earlier questions, oldest first.
    """
    if not history or TOPIC.search(question) or len(question.split()) > _SHORT_WORDS:
        return None
    leans = _LEANS.match(question.strip()) or len(question.split()) <= 3 or _POINTS_BACK.search(question)
    if not leans:
        return None
    return with_topic(question, history)


def with_topic(question: str, earlier: tuple[str, ...]) -> str | None:
    """Return a question with the last topic of earlier ones, or None when it has one or they have none."""
    if TOPIC.search(question) or not earlier:
        return None
    topic = topic_of(next((text for text in reversed(earlier) if TOPIC.search(text)), earlier[-1]))
    if not topic:
        return None
    core = _JOINERS.sub("", question.strip()).rstrip("?.! ")
    if _POINTS_BACK.search(core):
        return _POINTS_BACK.sub(lambda _: topic, core, count=1) + "?"
    return f"{core} for {topic}?"
