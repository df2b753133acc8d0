"""The nouns of the screening: what fired, how urgent it is, and what the person is told."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Reader = Literal["rule", "likeness"]
"""``rule``: a condition of the rule is met. ``likeness``: the message resembles others that needed care."""

Basis = Literal["sources", "safety"]
"""``sources``: named pages state the sign. ``safety``: a product rule that none of them states."""


class Level(StrEnum):
    """How soon care is needed, strictest first."""

    EMERGENCY = "emergency"
    TODAY = "today"
    SOON = "soon"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for emergency up to 3 for info: the lower, the stricter."""
        return _ORDER.index(self)

    @property
    def urgent(self) -> bool:
        """Whether care is needed within a day."""
        return self.rank <= Level.TODAY.rank

    def raised(self) -> "Level":
        """One tier up; an emergency stays one, and general information is never raised."""
        if self in {Level.EMERGENCY, Level.INFO}:
            return self
        return _ORDER[self.rank - 1]


_ORDER = (Level.EMERGENCY, Level.TODAY, Level.SOON, Level.INFO)


@dataclass(frozen=True, slots=True)
class RuleSource:
    """One source that stands behind a rule.

    Attributes:
        source_id: Id in the registry of sources.
        label: How firmly the source was seen to state the sign (source, copy, candidate, edition, other).
        says: What it says, in our words.
    """

    source_id: str
    label: str
    says: str


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """One rule that fired, with the words that fired it.

    Attributes:
        id: Id of the rule, such as ``RF01``.
        matched: The words, verbatim.
        start: Start of the words in their text, code points.
        end: End of the words, exclusive.
        level: Level of this rule, after the modifiers.
        turn: 0 when the words stand in the question, -1 in the turn before it, and so on.
        by: Which of the two readers found it.
    """

    id: str
    matched: str
    start: int
    end: int
    level: Level
    turn: int = 0
    by: Reader = "rule"


@dataclass(frozen=True, slots=True)
class Notice:
    """What the person is told first.

    Attributes:
        level: Level of the strictest rule that fired.
        urgent: True for emergency and today.
        rules: All rules that fired, strictest first; the first one decides the texts.
        key: Key of the message in the table of texts, such as ``rf.01``.
        title: Heading of the notice.
        label: Short name of the level.
        how: Where to turn.
        message: One or two plain sentences.
        conditional: Lines of the kind "go now if".
        sources: Sources of the warning; empty where ``basis`` is ``safety``.
        basis: Whether sources state the sign.
        withhold: True where no answer may follow (poisoning, self-harm).
        self_harm: True where the notice is about thoughts of self-harm.
    """

    level: Level
    urgent: bool
    rules: tuple[MatchedRule, ...]
    key: str
    title: str
    label: str
    how: str
    message: str
    conditional: tuple[str, ...]
    sources: tuple[RuleSource, ...]
    basis: Basis
    withhold: bool
    self_harm: bool
