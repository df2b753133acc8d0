"""From a found sentence to its citation."""

from collections.abc import Mapping

from corpus.records import Attribution, Document, Passage, Span
from service.answering.deep_links import deep_link
from service.answering.records import Citation

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
        prefix=document.text[max(0, span.start - CONTEXT_CHARACTERS) : span.start],
        suffix=document.text[span.end : span.end + CONTEXT_CHARACTERS],
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


def sentences_of_facts(documents: Mapping[str, Document]) -> dict[str, tuple[str, Span]]:
    """Return, for each fact, document id and span of the first sentence that rests on it."""
    found: dict[str, tuple[str, Span]] = {}
    for document in documents.values():
        for attribution in document.attributions:
            for fact in attribution.facts:
                found.setdefault(fact, (document.id, attribution.span))
    return found


def _attribution(document: Document, span: Span) -> Attribution | None:
    for attribution in document.attributions:
        if attribution.span.contains(span):
            return attribution
    return None
