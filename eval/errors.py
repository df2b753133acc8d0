"""What can go wrong in an evaluation, each error with its facts as fields."""


class EvaluationError(Exception):
    """Base of every error that this package raises on purpose."""


class SetError(EvaluationError):
    """A question set that cannot be trusted; nothing of it is used.

    Attributes:
        faults: One sentence a fault, each opening with ``file:line``.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} fault(s) in the question set:\n" + "\n".join(faults))


class TargetError(EvaluationError):
    """The target gave no reply that could be read.

    Attributes:
        target: Name of the target.
        reason: What happened, in one sentence.
    """

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"{target}: {reason}")


class RunError(EvaluationError):
    """A stored run that cannot be read or compared.

    Attributes:
        path: The file in question.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class CalibrationError(EvaluationError):
    """A fit that would not mean anything, such as one without a single right answer.

    Attributes:
        reason: What is missing.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class MappingError(EvaluationError):
    """A mapping file that cannot be used.

    Attributes:
        reason: What is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class DraftError(EvaluationError):
    """Questions cannot be drafted from what was given.

    Attributes:
        reason: What is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class LoadError(EvaluationError):
    """A load that will not be put on a service.

    Attributes:
        reason: What stands against it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
