"""The nouns of an evaluation: items that are asked, replies that come back, figures that sum them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["none", "info", "soon", "today", "emergency"]
"""What triage says, from nothing at all to an emergency."""

LEVELS: tuple[Level, ...] = ("none", "info", "soon", "today", "emergency")
"""The levels in rising order; from ``soon`` on a level is an alarm."""

ALARM_LEVELS: frozenset[str] = frozenset({"soon", "today", "emergency"})

Better = Literal["higher", "lower", "neither"]
Unit = Literal["share", "score", "words", "sentences", "grade", "ms", "MB"]


@dataclass(frozen=True, slots=True)
class KeyFact:
    """One thing that a right answer must say.

    Attributes:
        any: Fact ids, each of which states it. May be empty in a set about a collection without fact ids.
        say: Lower-case strings, any of which shows that the fact is said.
    """

    any: tuple[str, ...]
    say: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerItem:
    """A question that the sources answer."""

    id: str
    question: str
    phrasing: str
    sources: tuple[str, ...]
    key_facts: tuple[KeyFact, ...]
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclineItem:
    """A question that must be declined."""

    id: str
    question: str
    reason: str
    category: str
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TriageItem:
    """A text that must, or must not, raise a red flag.

    Attributes:
        id: Name of the item.
        kind: ``alarm``, ``near_miss`` or ``long`` (an alarm buried in a long text).
        question: The text, as a person types it.
        level: The right level.
        rules: Acceptable rule ids of an alarm, best first.
        near: Rules that a near miss resembles.
        style: Manner of an alarm's wording.
        why: Why a near miss is none.
    """

    id: str
    kind: Literal["alarm", "near_miss", "long"]
    question: str
    level: Level
    rules: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    style: str = ""
    why: str = ""
    history: tuple[str, ...] = ()

    @property
    def is_alarm(self) -> bool:
        """Whether a person with this text needs care soon or sooner."""
        return self.level in ALARM_LEVELS


Item = AnswerItem | DeclineItem | TriageItem


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """One file of items.

    Attributes:
        name: File name without ``.jsonl``.
        sha256: Hash of the file's bytes: two runs compare only where it is the same.
        items: In file order.
    """

    name: str
    sha256: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, with the ids of the citations that it leans on."""

    text: str
    citation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """What a citation of the reply claims; ``source_start`` is -1 where the target gives no span."""

    id: str
    source_id: str
    quote: str
    document_id: str = ""
    source_start: int = -1
    source_end: int = -1
    facts: tuple[str, ...] = ()
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the measures read of one ``/v1/ask`` object.

    Attributes:
        status: ``answered``, ``partial``, ``abstained``, ``withheld``, or ``failed`` where no reply came.
        answer: The whole answer, "" when there is none.
        sentences: The answer's sentences in order.
        citations: In the reply's order.
        passage_sources: Source id of each ranked passage, best first; of the nearest ones after an abstention.
        probability: Calibrated probability that the answer is right, where the target states one.
        threshold: Probability below which the target abstains, where stated.
        reason: Reason of an abstention, else "".
        level: Level of triage.
        rules: Ids of the rules that fired.
        timings_ms: Milliseconds by stage, as the target measured them.
        error: Why there is no reply, else "".
    """

    status: str
    answer: str = ""
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    passage_sources: tuple[str, ...] = ()
    probability: float | None = None
    threshold: float | None = None
    reason: str = ""
    level: Level = "none"
    rules: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    error: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether the reply says something; a partial answer counts."""
        return self.status in {"answered", "partial"}

    @property
    def is_silent(self) -> bool:
        """Whether the target declined on purpose; a failure is not a choice."""
        return self.status in {"abstained", "withheld"}

    @property
    def is_alarm(self) -> bool:
        """Whether triage told the person to seek care."""
        return self.level in ALARM_LEVELS

    def cited(self) -> tuple[Citation, ...]:
        """Return the citations that a sentence really leans on, in the order of the sentences, once each."""
        known = {citation.id: citation for citation in self.citations}
        wanted = dict.fromkeys(name for sentence in self.sentences for name in sentence.citation_ids)
        return tuple(known[name] for name in wanted if name in known)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One item and its reply.

    Attributes:
        item: What was asked.
        reply: What came.
        wall_ms: Time as the asker saw it.
        by_searcher: Source of each passage that a searcher ranks by itself, best first, where the target shows it.
    """

    item: Item
    reply: Reply
    wall_ms: float = 0.0
    by_searcher: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the headline table.

    Attributes:
        name: Stable key, as gates and comparisons use it.
        title: What a newcomer reads.
        value: The measure, None where nothing could be measured.
        low: Lower end of the 95 % interval.
        high: Upper end.
        n: Cases behind the value.
        meaning: One sentence: what the number says.
        group: Heading under which it stands.
        unit: What the value counts.
        better: Which way is up.
    """

    name: str
    title: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    meaning: str
    group: str
    unit: Unit = "share"
    better: Better = "higher"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with the score of each case, so that two runs can be paired question by question."""

    figure: Figure
    scores: Mapping[str, float]


def reply_from_json(body: Mapping[str, Any]) -> Reply:
    """Read one ``/v1/ask`` object, leniently: what is absent counts as not said.

    Raises:
        ValueError: ``status`` is absent or a part has the wrong shape.
    """
    if "status" not in body:
        raise ValueError("the reply has no status")
    try:
        return _reply(body)
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"the reply has the wrong shape: {fault!r}") from fault


def _reply(body: Mapping[str, Any]) -> Reply:
    probability = body.get("probability") or {}
    abstention = body.get("abstention") or {}
    triage = body.get("triage") or {}
    passages = body.get("passages") or abstention.get("nearest") or []
    level = str(triage.get("level", "none"))
    return Reply(
        status=str(body["status"]),
        answer=body.get("answer") or "",
        sentences=tuple(
            Sentence(part["text"], tuple(part.get("citation_ids") or ())) for part in body.get("sentences") or ()
        ),
        citations=tuple(_citation(part) for part in body.get("citations") or ()),
        passage_sources=tuple(str(passage.get("source_id", "")) for passage in passages),
        probability=_number(probability.get("value")),
        threshold=_number(probability.get("threshold")),
        reason=str(abstention.get("reason", "")),
        level=next((known for known in LEVELS if known == level), "none"),
        rules=tuple(str(rule["id"]) for rule in triage.get("rules") or ()),
        timings_ms={str(k): float(v) for k, v in (body.get("timings_ms") or {}).items()},
    )


def _citation(part: Mapping[str, Any]) -> Citation:
    start, end = part.get("source_start"), part.get("source_end")
    return Citation(
        id=str(part["id"]),
        source_id=str(part.get("source_id", "")),
        quote=str(part.get("quote", "")),
        document_id=str(part.get("document_id", "")),
        source_start=-1 if start is None else int(start),
        source_end=-1 if end is None else int(end),
        facts=tuple(_texts(part.get("facts"))),
        title=str(part.get("title", "")),
        url=str(part.get("url", "")),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _texts(value: Any) -> Sequence[str]:
    return [str(entry) for entry in value or ()]
