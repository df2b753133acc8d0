"""What can go wrong while the rules of the screening are read."""


class TriageError(Exception):
    """Base of every error of this package."""


class RulesError(TriageError):
    """A rules file contradicts itself or names something that does not exist.

    Attributes:
        place: File and entry at fault.
        reason: What is wrong with it.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason
