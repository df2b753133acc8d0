"""Follow-ups: a question that leans on the one before it is searched together with it."""

import re

from service.answering.understanding import TOPIC

_LEANS = re.compile(
    r"^(?:and|or|but|so|what about|how about|what if|then|also|why|why not|how long|how often|how much|how|when|"
    r"for how long|until when|is (?:it|that|this)|are (?:they|those|these)|does (?:it|that|this)|do (?:they|those)|"
    r"can (?:it|that|this)|should (?:it|that)|and if)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(r"\b(?:it|that|this|they|them|those|these|one|same|instead|either)\b", re.IGNORECASE)
_SHORT_WORDS = 9


def rewrite(question: str, history: tuple[str, ...]) -> str | None:
    """Return the question together with the one that it leans on, or None when it stands alone.

    Args:
        question: What was asked now.
        history: Earlier questions, oldest first.
    """
    if not history:
        return None
    words = question.split()
    has_topic = TOPIC.search(question) is not None
    leans = (_LEANS.match(question.strip()) is not None or len(words) <= 3) and len(words) <= _SHORT_WORDS
    if has_topic or not (leans or (_POINTS_BACK.search(question) and len(words) <= _SHORT_WORDS)):
        return None
    topic = next((earlier for earlier in reversed(history) if TOPIC.search(earlier)), history[-1])
    return f"{topic.strip().rstrip('?.! ')}: {question.strip()}"
