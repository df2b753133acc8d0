"""From a found sentence to its citation."""

from collections.abc import Iterable
from dataclasses import replace

from corpus.records import Attribution, Document, Passage, Span
from index.retrieving import Retriever
from service.answering.deep_links import deep_link
from service.answering.records import VERBATIM, Citation, Support

CONTEXT_CHARACTERS = 60


def cite(citation_id: str, document: Document, passage: Passage, span: Span) -> Citation:
    """Return the citation of ``span``.

    Title, publisher and address are those of the page that was really read: for a digest the page that the sentence's
    facts were read on, else the document's own.

    Raises:
        BrokenProofError: the span is empty.
    """
    attribution = _attribution(document, span)
    source = document.source
    page = attribution.page if attribution else None
    url = page.url if page else source.url
    quote = document.text[span.start : span.end]
    return Citation(
        id=citation_id,
        document=document,
        passage=passage,
        span=span,
        quote=quote,
        prefix=_before(document.text, passage.span.start, span.start),
        suffix=_after(document.text, span.end, passage.span.end),
        title=page.title if page else document.title,
        publisher=page.publisher if page else source.publisher_short or source.publisher,
        url=url,
        deep_link=deep_link(url, quote, digest=source.digest, anchor=passage.anchor),
        published=(page.published if page else source.published) or None,
        licence=page.licence if page else source.licence,
        credit=page.credit if page else source.credit,
        evidence=attribution.evidence if attribution else "source",
        facts=attribution.facts if attribution else (),
    )


class Citations:
    """Citations of one answer, numbered by first appearance; the same span that supports as much keeps its number.

    Args:
        retriever: Knows the documents.
    """

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._by_place: dict[tuple[str, Span, str], Citation] = {}

    @property
    def all(self) -> tuple[Citation, ...]:
        """What was cited, in its order."""
        return tuple(self._by_place.values())

    def of(self, passage: Passage, span: Span, support: Support = VERBATIM) -> Citation:
        """Cite a span of a passage."""
        place = (passage.document_id, span, support.label)
        if place not in self._by_place:
            citation = cite(self._next_id, self._retriever.document_of(passage), passage, span)
            self._by_place[place] = replace(citation, support=support)
        return self._by_place[place]

    def again(self, citation: Citation) -> Citation:
        """Cite what another answer cited."""
        place = (citation.document.id, citation.span, citation.support.label)
        if place not in self._by_place:
            self._by_place[place] = replace(citation, id=self._next_id)
        return self._by_place[place]

    @property
    def _next_id(self) -> str:
        return f"c{len(self._by_place) + 1}"


def _before(text: str, begin: int, end: int) -> str:
    """Return whole words before a place, at most 60 characters, from inside the passage."""
    start = max(begin, end - CONTEXT_CHARACTERS)
    if start > begin and not text[start - 1].isspace():
        cut = text.find(" ", start, end)
        start = end if cut < 0 else cut + 1
    return text[start:end]


def _after(text: str, begin: int, end: int) -> str:
    """Return whole words after a place, at most 60 characters, from inside the passage."""
    stop = min(end, begin + CONTEXT_CHARACTERS)
    if stop < end and not text[stop].isspace():
        cut = text.rfind(" ", begin, stop)
        stop = begin if cut < 0 else cut
    return text[begin:stop]


def sentences_of_facts(documents: Iterable[Document]) -> dict[str, tuple[str, Span]]:
    """Return, for each fact, document id and span of the first sentence that rests on it."""
    found: dict[str, tuple[str, Span]] = {}
    for document in documents:
        for attribution in document.attributions:
            for fact in attribution.facts:
                found.setdefault(fact, (document.id, attribution.span))
    return found


def _attribution(document: Document, span: Span) -> Attribution | None:
    for attribution in document.attributions:
        if attribution.span.contains(span):
            return attribution
    return None
