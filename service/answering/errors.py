"""What can go wrong while an answer is made."""

from corpus.records import Span


class AnsweringError(Exception):
    """Base of every error of this package."""


class BrokenProofError(AnsweringError):
    """A sentence or quote does not stand where its citation says: a fault of ours that must not leave the house.

    Attributes:
        where: Document id, or the sentence.
        span: The span at fault.
    """

    def __init__(self, where: str, span: Span) -> None:
        super().__init__(f"the proof of {where[:60]!r} does not hold at [{span.start}, {span.end})")
        self.where = where
        self.span = span


class CalibrationError(AnsweringError):
    """The calibration cannot be used.

    Attributes:
        reason: What is wrong and what to do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
