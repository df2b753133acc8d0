"""Documents into passages, along their structure.

A passage never crosses a section. A section that fits the budget is one passage; a longer one is cut between
blocks, then between sentences or list items, and only a single sentence that is longer than the budget is cut
inside, by LangChain's recursive splitter.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from langchain_text_splitters import RecursiveCharacterTextSplitter

from corpus.records import Document, Passage, Section, Span, passage_id
from corpus.sentences import is_list_item, split_sentences

SPLITTER_VERSION = 1
"""Raised whenever the same document would be cut otherwise; written into every snapshot."""

_BLOCK = re.compile(r"\n\s*\n")
CountTokens = Callable[[str], int]


def split_document(document: Document, count_tokens: CountTokens, budget: int = 256) -> list[Passage]:
    """Cut one document into passages.

    Args:
        document: The document.
        count_tokens: Tokens of a text as the embedding model counts them, its special tokens included.
        budget: Most tokens of ``context + newline + text`` together.

    Returns:
        Passages in order. Every non-blank character of every section stands in exactly one of them, and
        ``document.text[p.span.start:p.span.end] == p.text``.
    """
    known = {a.span for a in document.attributions}
    passages = []
    for section in document.sections:
        context = _fitting_context(document.title, section, count_tokens, budget // 2)
        for span, lead_in in _cut(document.text, section.span, context, count_tokens, budget):
            sentences = tuple(s for s in known if span.contains(s)) or tuple(
                split_sentences(document.text, span.start, span.end)
            )
            passages.append(
                Passage(
                    id=passage_id(document.id, document.version, span),
                    document_id=document.id,
                    source_id=document.source.id,
                    collection=document.source.collection,
                    span=span,
                    text=span.slice(document.text),
                    title=document.title,
                    heading_path=section.heading_path,
                    sentences=tuple(sorted(sentences)),
                    context=f"{context} › {lead_in}" if lead_in else context,
                    anchor=section.anchor,
                    page=section.page,
                )
            )
    return passages


def _fitting_context(title: str, section: Section, count_tokens: CountTokens, limit: int) -> str:
    """Title and headings, the outermost dropped first where they are too long."""
    parts = [part for part in (title, *section.heading_path) if part]
    while len(parts) > 1 and count_tokens(" › ".join(parts)) > limit:
        parts.pop(0)
    context = " › ".join(parts)
    while context and count_tokens(context) > limit:
        context = context[: len(context) // 2]
    return context


def _cut(text: str, section: Span, context: str, count_tokens: CountTokens, budget: int) -> Iterator[tuple[Span, str]]:
    """Yield the spans of one section's passages, each with the lead-in of the list that it goes on with."""

    def fits(start: int, end: int, lead_in: str) -> bool:
        head = f"{context} › {lead_in}" if lead_in else context
        return count_tokens(f"{head}\n{text[start:end]}") <= budget

    whole = _trim(text, section)
    if whole is None:
        return
    if fits(whole.start, whole.end, ""):
        yield whole, ""
        return
    start: int | None = None
    end = 0
    lead_in = intro = ""
    for unit in _units(text, whole, lambda a, b: fits(a, b, "")):
        item = is_list_item(text[unit.start : unit.end])
        if not item:
            line = text[unit.start : unit.end]
            intro = line if line.endswith(":") and count_tokens(line) <= budget // 4 else ""
        if start is not None and not fits(start, unit.end, lead_in):
            yield Span(start, end), lead_in
            lead_in = intro if item and fits(unit.start, unit.end, intro) else ""
            start = None
        start = unit.start if start is None else start
        end = unit.end
    if start is not None:
        yield Span(start, end), lead_in


def _units(text: str, section: Span, fits: Callable[[int, int], bool]) -> Iterator[Span]:
    """Yield what may not be cut: whole blocks where they fit, else sentences and items, else parts of them."""
    for block in _blocks(text, section):
        if fits(block.start, block.end):
            yield block
            continue
        for sentence in split_sentences(text, block.start, block.end):
            if fits(sentence.start, sentence.end):
                yield sentence
            else:
                yield from _hard_cut(text, sentence, fits)


def _blocks(text: str, section: Span) -> Iterable[Span]:
    begin = section.start
    for match in _BLOCK.finditer(text, section.start, section.end):
        block = _trim(text, Span(begin, match.start()))
        if block is not None:
            yield block
        begin = match.end()
    block = _trim(text, Span(begin, section.end))
    if block is not None:
        yield block


def _hard_cut(text: str, sentence: Span, fits: Callable[[int, int], bool]) -> Iterator[Span]:
    """Cut one over-long sentence at the best places LangChain's splitter finds."""
    size = sentence.end - sentence.start
    while size > 1:
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=size, chunk_overlap=0, keep_separator="end", strip_whitespace=False
        )
        parts = splitter.split_text(text[sentence.start : sentence.end])
        spans = _anchored(text, sentence, parts)
        if spans is not None and all(fits(span.start, span.end) for span in spans):
            yield from spans
            return
        size //= 2
    yield from (Span(at, at + 1) for at in range(sentence.start, sentence.end) if not text[at].isspace())


def _anchored(text: str, sentence: Span, parts: list[str]) -> list[Span] | None:
    """Give each part its span by adding up lengths; None when the parts are not the whole sentence.

    LangChain's own ``start_index`` is found by search and can point to an earlier, equal place.
    """
    if "".join(parts) != text[sentence.start : sentence.end]:
        return None
    spans = []
    at = sentence.start
    for part in parts:
        span = _trim(text, Span(at, at + len(part)))
        if span is not None:
            spans.append(span)
        at += len(part)
    return spans


def _trim(text: str, span: Span) -> Span | None:
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None
