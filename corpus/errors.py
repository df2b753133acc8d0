"""What can go wrong while documents are read and split."""


class CorpusError(Exception):
    """Base of every error of this package."""


class SpanError(CorpusError):
    """A span does not fit the text it is meant for.

    Attributes:
        start: Start of the span, code points.
        end: End of the span, code points, exclusive.
        length: Length of the text, code points.
    """

    def __init__(self, start: int, end: int, length: int) -> None:
        super().__init__(f"span [{start}, {end}) does not fit a text of {length} characters")
        self.start = start
        self.end = end
        self.length = length


class UnreadableDocumentError(CorpusError):
    """A file cannot be read as a document.

    Attributes:
        name: The file or document that was refused.
        reason: What is wrong with it and what to do.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class RegistryError(CorpusError):
    """The registry of sources, pages or facts contradicts itself.

    Attributes:
        place: File and entry at fault.
        reason: What is wrong with it.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason
