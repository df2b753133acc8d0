"""The nouns of the corpus: sources, documents, sections, spans and passages.

Offsets are Unicode code points, half-open, over the stored (normalised) text of one document.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from corpus.errors import SpanError

Evidence = Literal["source", "copy", "candidate", "edition", "other"]
"""How firmly a fact was seen; what each label means stands in docs/architecture.md."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open slice ``[start, end)`` of one document's text, in code points.

    Raises:
        SpanError: ``start`` is negative or ``end`` lies before ``start``.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise SpanError(self.start, self.end, -1)

    def slice(self, text: str) -> str:
        """Return the slice of ``text``.

        Raises:
            SpanError: the span ends behind the text.
        """
        if self.end > len(text):
            raise SpanError(self.start, self.end, len(text))
        return text[self.start : self.end]

    def contains(self, other: "Span") -> bool:
        """Whether ``other`` lies wholly inside."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was really read: what a citation names and links to.

    Attributes:
        key: Name in ``pages.toml``.
        title: Title of the page.
        publisher: Short name for display.
        url: Public address, "" where none is known.
        published: Date as far as known (YYYY, YYYY-MM or YYYY-MM-DD), else "".
        licence: Licence of its publisher in a short phrase.
        credit: Line that the licence asks for, or "".
    """

    key: str
    title: str
    publisher: str
    url: str
    published: str = ""
    licence: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Who says it: one entry of the registry, or the origin of a document that a user brought.

    Attributes:
        id: Stable name, such as ``ninds-back-pain``.
        title: Title of the page or file.
        publisher: Full name of the publisher.
        publisher_short: Name for display.
        url: Address of the cited page, "" where there is none.
        licence: Licence in a short phrase.
        credit: Line that the licence asks for, or "".
        published: Date of the page as far as known, else "".
        retrieved: Date of reading, ISO 8601, else "".
        note: One open sentence on what stands in for what, or "".
        quotable: Whether the page's own words may be shown.
        digest: Whether the text is Backline's own wording of what the page says.
        collection: ``default`` for the shipped corpus.
    """

    id: str
    title: str
    publisher: str
    publisher_short: str
    url: str
    licence: str = ""
    credit: str = ""
    published: str = ""
    retrieved: str = ""
    note: str = ""
    quotable: bool = False
    digest: bool = False
    collection: str = "default"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the fact table.

    Attributes:
        id: ``source-id:Fnn``.
        text: The fact.
        label: How firmly it was seen.
        page: Key of the page that was read.
        date: Date of that page as far as known, else "".
    """

    id: str
    text: str
    label: Evidence
    page: str
    date: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """Which facts one sentence of a digest rests on.

    Attributes:
        span: The sentence.
        facts: Fact ids, ``source-id:Fnn``.
        evidence: The one label of all of them.
        page: The one page they were read on.
    """

    span: Span
    facts: tuple[str, ...]
    evidence: Evidence
    page: Page


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it.

    Attributes:
        heading_path: Headings from the outermost in, without the document's title.
        span: The text under the heading, heading line excluded.
        anchor: Fragment of the heading on the page, or None.
        page: Page number in a paged format, from 1, or None.
    """

    heading_path: tuple[str, ...]
    span: Span
    anchor: str | None = None
    page: int | None = None

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> "Section":
        """Return the section of which ``dataclasses.asdict`` gave these fields, also after a journey as JSON.

        Raises:
            LookupError: a field is missing.
            TypeError: one is of another kind.
        """
        return cls(tuple(fields["heading_path"]), Span(**fields["span"]), fields["anchor"], fields["page"])


@dataclass(frozen=True, slots=True)
class Document:
    """One text with an id, as stored.

    Attributes:
        id: Stable id; ``doc_`` and the source id for the shipped corpus.
        source: Who says it.
        title: Title of the text.
        text: Normalised text.
        sections: In order, not overlapping.
        attributions: In order, not overlapping; empty for documents that users bring.

    Raises:
        SpanError: a section or an attribution reaches beyond the text.
    """

    id: str
    source: Source
    title: str
    text: str
    sections: tuple[Section, ...]
    attributions: tuple[Attribution, ...] = ()
    version: str = field(init=False)

    def __post_init__(self) -> None:
        spans = [section.span for section in self.sections] + [a.span for a in self.attributions]
        for span in spans:
            if span.end > len(self.text):
                raise SpanError(span.start, span.end, len(self.text))
        object.__setattr__(self, "version", text_version(self.text))


@dataclass(frozen=True, slots=True)
class Passage:
    """What is embedded, ranked and quoted: a slice of one document.

    Attributes:
        id: Made from document id, version and span, so that it changes with the text.
        document_id: The document it is cut from.
        source_id: That document's source.
        collection: That source's collection.
        span: Where it stands in the document.
        text: ``document.text[span.start:span.end]``.
        title: The document's title.
        heading_path: Headings above it.
        sentences: Spans of its sentences, in document offsets.
        context: Title, headings and the lead-in of a list that was cut: what is embedded before the text.
        anchor: Fragment of the heading on the page, or None.
        page: Page number, or None.
    """

    id: str
    document_id: str
    source_id: str
    collection: str
    span: Span
    text: str
    title: str
    heading_path: tuple[str, ...]
    sentences: tuple[Span, ...]
    context: str
    anchor: str | None = None
    page: int | None = None

    def __post_init__(self) -> None:
        if self.span.end - self.span.start != len(self.text):
            raise SpanError(self.span.start, self.span.end, len(self.text))

    @property
    def embedded_text(self) -> str:
        """Context and text, as they are embedded."""
        return f"{self.context}\n{self.text}"

    def text_of(self, span: Span) -> str:
        """Return the text of a span, in document offsets, that lies in the passage."""
        return self.text[span.start - self.span.start : span.end - self.span.start]


def text_version(text: str) -> str:
    """Return ``sha256:`` and the hex digest of the UTF-8 text: the version of a document."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def passage_id(document_id: str, version: str, span: Span) -> str:
    """Return a passage id that is stable for the same text at the same place."""
    key = f"{document_id}\n{version}\n{span.start}:{span.end}"
    return "p_" + hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]
