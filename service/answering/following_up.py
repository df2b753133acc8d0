"""Follow-ups: a question that leans on the one before it takes that one along."""

import re
from dataclasses import dataclass

from index.stemming import STOP_WORDS, stems
from service.answering.understanding import GENERIC, SUBJECT, TOPIC, topic_of

_LEANS = re.compile(
    r"^(?:and|or|but|so|ok|okay|then|also|any|why|how|when|what|whats|which|should|could|can|will|would|is|are|does|do|"
    r"did|for|until when|who|most)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:the (?:first|second|other) one|(?<=which )ones?|it|that|this|they|them|those|these)\b", re.IGNORECASE
)
RETURNS = re.compile(
    r"\b(?:com(?:e|es|ing)|came|go(?:es|ing)?|went|get(?:s|ting)?|got|bring(?:s|ing)?|be|been|being) "
    r"(?:right |straight )?back\b(?! (?:pain|ache|spasm|muscle|injur|problem|trouble|surgery|strain|cramp))|"
    r"\bback (?:to (?:(?:my|your|his|her|their|the) )?(?:normal|usual|work|school|gym|office|sports?|life)|home)\b",
    re.IGNORECASE,
)
"""Where "back" is no part of the body."""

_DOCTORS = re.compile(r"\bthey (?:do|order|test|find|treat|check|look|give|take|need to|ask)\b", re.IGNORECASE)
"""Where "they" are those who treat, and no topic."""

_JOINERS = re.compile(r"^(?:and|or|but|so|then|also|ok|okay|,|\s)+\b", re.IGNORECASE)
_SHORT_WORDS = 9
_FEW_WORDS = 3

_HURTS = re.compile(r"\b(?:hurt\w*|ach\w*|sore|pain\w*|killing)\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_PLAIN = STOP_WORDS | frozenset(
    "kind kinds type types one ones side effects both then though doesnt does what's thing".split()
)


_SITUATION = frozenset(
    stems(
        "work job walk walking run sit sitting stand standing sleep sleeping bed night morning rest resting "
        "lie lying move moving movement active activity exercise exercises stretch stretches stretching yoga "
        "swim swimming gym sport lift lifting bend bending heat heating hot cold ice pack warm massage physio "
        "physiotherapy therapy therapist acupuncture doctor doctors gp nurse er a&e hospital ambulance "
        "emergency urgent urgently serious dangerous danger worry worried worrying last lasts lasting heal "
        "heals healing recover recovery better worse away stop stops start over pain pains painful hurt hurts "
        "hurting sore soreness ache aches aching stiff stiffness flare attack episode painkiller painkillers "
        "pills tablets medicine medicines medication meds ibuprofen paracetamol tylenol acetaminophen "
        "naproxen opioids cream patch injection injections antidepressants relaxants relaxers mri ct scan "
        "scans xray x-ray test tests tested diagnosed diagnosis surgery operation cause causes caused reason "
        "prevent prevention avoid stress anxiety smoking smoke overweight weight age older posture mattress "
        "pillow chair treat treated treatment treatments cure relief relieve ease remedy remedies home "
        "symptom symptoms sign signs red flag flags warning chronic acute permanent forever come comes return "
        "back stay safe bad good ok wrong till until see seen call sudden suddenly common risk heavy car desk "
        "drive driving bath shower more less worst since doesnt dont wont isnt didnt cant one two three four five six"
    )
)
"""Stems of what people do, feel and ask about when the pain itself goes without saying."""


def imply(question: str, topic: str) -> str | None:
    """Return a question that names no topic with the one that goes without saying, or None.

    "How long till this goes away?" put to a page about back pain is about back pain. A question with one word that
    does not belong to that situation stands as it is.

    Args:
        question: What was asked, with no turn before it.
        topic: What people come to ask about.
    """
    if not topic or names_topic(question) or len(question.split()) > 2 * _SHORT_WORDS:
        return None
    telling = [stem for stem in stems(question) if stem not in GENERIC]
    if not _WORD.search(question) or any(stem not in _SITUATION for stem in telling):
        return None
    return with_topic(question, (topic,))


@dataclass(frozen=True, slots=True)
class Reading:
    """How a question is read in its conversation.

    Attributes:
        text: The question, with the topic that it leans on where a rule puts it in.
        earlier: The turn that it leans on, which is searched beside it; "" where it stands alone.
        weight: Share of that turn's embedding that is added to the question's.
    """

    text: str
    earlier: str = ""
    weight: float = 0.0

    @property
    def shown(self) -> str:
        """The question as it is read, for people: with the topic of the turn before, not with its words."""
        return f"{self.text} (about: {_topic(self.earlier)})" if self.weight == LEANING else self.text


REWRITTEN, LEANING = 0.2, 0.5
"""How much of the earlier turn comes along where its topic was put in, and where it was not."""


def read_in_turn(question: str, history: tuple[str, ...], implied: str) -> Reading:
    """Return how a question is read after the turns before it.

    One that names its own topic stands alone. Any other leans on the last turn that names one, else on the last that
    says anything, and takes its topic into its words where a rule says how. Where nothing is implied (a user's own
    documents, whose topics nobody knows) only those rules hold: a question that they leave alone is searched alone.

    Args:
        question: What was asked now.
        history: Earlier questions, oldest first.
        implied: What people come to ask about, "" for nothing.
    """
    if not implied:
        return Reading(rewrite(question, history) or question)
    telling = [text for text in reversed(history) if any(stem not in GENERIC for stem in stems(text))]
    earlier = next((text for text in telling if names_topic(text)), telling[0] if telling else "")
    if not earlier:
        return Reading(imply(question, implied) or question)
    if names_topic(question):
        return Reading(question)
    rewritten = rewrite(question, (earlier,))
    return Reading(question, earlier, LEANING) if rewritten is None else Reading(rewritten, earlier, REWRITTEN)


def rewrite(question: str, history: tuple[str, ...]) -> str | None:
    """Return the question with the topic that it leans on, or None when it stands alone.

    A pronoun is replaced by the topic; where there is none, the topic is added at the end.

    Args:
        question: What was asked now.
        history: Earlier questions, oldest first.
    """
    if not history or names_topic(question) or len(question.split()) > _SHORT_WORDS:
        return None
    few = len(question.split()) <= _FEW_WORDS
    leans = _LEANS.match(question.strip()) or few or _POINTS_BACK.search(question)
    return with_topic(question, history) if leans else None


def with_topic(question: str, earlier: tuple[str, ...]) -> str | None:
    """Return a question with the last topic of earlier ones, or None when it has one or they have none."""
    if names_topic(question) or not earlier:
        return None
    leaned_on = next((text for text in reversed(earlier) if names_topic(text)), earlier[0])
    topic = _topic(leaned_on)
    if not topic:
        return None
    core = _JOINERS.sub("", question.strip()).rstrip("?.! ")
    if not _telling(_POINTS_BACK.sub("", core)) and _telling(leaned_on):
        # "Which kind?", "and if it doesn't?": what was asked before is what it is about.
        topic = " ".join(_telling(leaned_on)[:_SHORT_WORDS]) if core.lower().startswith(("which", "if")) else topic
    if _POINTS_BACK.search(core) and not _DOCTORS.search(core):
        return _POINTS_BACK.sub(lambda _: topic, core, count=1) + "?"
    if re.match(r"(?:for|in|with) \w+$", core, re.IGNORECASE):
        return f"{topic} {core}?"
    return f"{core} for {topic}?"


def complete_parts(parts: tuple[str, ...], whole: str, implied: str) -> tuple[str, ...]:
    """Return the parts of one question, each with the topic that it leans on, wherever that stands.

    Args:
        parts: The parts, in their order.
        whole: The question, with what was said before anything was asked.
        implied: What people come to ask about: the topic where nothing names one, "" for none.
    """
    naming = [part if names_topic(part) else "" for part in (*parts, whole)]
    if not any(naming):
        return tuple(imply(part, implied) or part for part in parts)
    return tuple(
        with_topic(part, tuple(filter(None, naming[:number])))
        or with_topic(part, tuple(filter(None, naming[number:])))
        or part
        for number, part in enumerate(parts)
    )


def names_topic(text: str) -> bool:
    """Whether a text says what it is about, in words that the sources have."""
    text = RETURNS.sub(" ", text)
    return bool(TOPIC.search(text) or SUBJECT.search(text))


def _topic(text: str) -> str:
    """Return what an earlier question is about: a subject of the sources before anything that is said of the back."""
    subject = SUBJECT.search(text)
    if subject:
        return subject[0]
    topic = topic_of(text)
    if len(topic.split()) == 1 and TOPIC.fullmatch(topic):
        named = list(dict.fromkeys(match[0] for match in TOPIC.finditer(text)))
        if len(named) > 1:
            return " ".join(named[:3])
        return f"{topic} pain" if topic.lower() == "back" and _HURTS.search(text) else topic
    return topic


def _telling(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word.lower() not in _PLAIN]
