"""Documents into passages, along their structure.

A passage never crosses a section. A section that fits the budget is one passage; a longer one is cut between
blocks, then between list items or table rows, then between sentences, and only a single sentence that is longer than
the budget is cut inside, by LangChain's recursive splitter.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from corpus.records import Document, Passage, Section, Span, passage_id
from corpus.sentences import is_list_item, split_sentences

SPLITTER_VERSION = 3
"""Raised whenever the same document would be cut otherwise; written into every snapshot."""

CHARACTERS_PER_TOKEN = 40
"""Most characters a passage holds for each token of the budget.

A tokenizer counts a "word" of any length that it does not know as one token; without this bound a megabyte of
encoded data would be one passage.
"""

_BLOCK = re.compile(r"\n\s*\n")
_LINE = re.compile(r"[^\n]+")
_ARROW = " › "
_ENDS = tuple(".!?…。")
_POINTING = re.compile(r"\b(?:following|follows|these|below|any of)\b", re.IGNORECASE)
_CLUSTER_LIMIT = 16
_SPECIAL_TOKENS = 8
"""More than any model puts around a text."""
CountTokens = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What stays together, and the line it needs beside it when it opens a passage."""

    span: Span
    lead_in: str = ""


@dataclass(frozen=True, slots=True)
class _Room:
    """What one passage of a section may hold."""

    text: str
    context: str
    count_tokens: CountTokens
    budget: int

    def fits(self, start: int, end: int, lead_in: str = "") -> bool:
        if end - start > self.budget * CHARACTERS_PER_TOKEN:
            return False
        text = f"{_with_lead_in(self.context, lead_in)}\n{self.text[start:end]}"
        # No tokenizer makes more tokens than bytes, or fewer than words with a letter: most texts need no counting.
        if sum(any(map(str.isalnum, word)) for word in text.split()) > self.budget:
            return False
        return len(text.encode()) + _SPECIAL_TOKENS <= self.budget or self.count_tokens(text) <= self.budget

    def as_lead_in(self, line: str) -> str:
        """Return ``line`` if it is short enough to be repeated, else ""."""
        short = len(line) <= self.budget * CHARACTERS_PER_TOKEN and self.count_tokens(line) <= self.budget // 4
        return line if short else ""


def split_document(document: Document, count_tokens: CountTokens, budget: int = 256) -> list[Passage]:
    """Cut one document into passages.

    Args:
        document: The document.
        count_tokens: Tokens of a text as the embedding model counts them, its special tokens included.
        budget: Most tokens of ``context + newline + text`` together. Held unless a single character is over it.

    Returns:
        Passages in order. Every non-blank character of every section stands in exactly one of them, and
        ``document.text[p.span.start:p.span.end] == p.text``. Where a list or table is cut, the line that leads in to
        it, or the table's first row, stands in the context of what follows.
    """
    known = sorted(a.span for a in document.attributions)
    passages = []
    for section in document.sections:
        context = _fitting_context(document.title, section, count_tokens, budget // 2)
        room = _Room(document.text, context, count_tokens, budget)
        for span, lead_in in _cut(section.span, room):
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
                    sentences=_sentences(document.text, span, known),
                    context=_with_lead_in(context, lead_in),
                    anchor=section.anchor,
                    page=section.page,
                )
            )
    return passages


def _with_lead_in(context: str, lead_in: str) -> str:
    return _ARROW.join(part for part in (context, lead_in) if part)


def _sentences(text: str, passage: Span, known: Sequence[Span]) -> tuple[Span, ...]:
    """Return the sentences of a passage: those that are known from their facts, and what the splitter finds between."""
    spans: list[Span] = []
    at = passage.start
    for sentence in known:
        if passage.contains(sentence) and sentence.start >= at:
            spans += split_sentences(text, at, sentence.start)
            spans.append(sentence)
            at = sentence.end
    return tuple(spans + split_sentences(text, at, passage.end))


def _fitting_context(title: str, section: Section, count_tokens: CountTokens, limit: int) -> str:
    """Title and headings, the outermost dropped first where they are too long."""
    parts = [part for part in (title, *section.heading_path) if part]
    while len(parts) > 1 and count_tokens(_ARROW.join(parts)) > limit:
        parts.pop(0)
    context = _ARROW.join(parts)
    while context and count_tokens(context) > limit:
        context = context[: len(context) // 2]
    return context


def _cut(section: Span, room: _Room) -> Iterator[tuple[Span, str]]:
    """Yield the spans of one section's passages, each with the lead-in of the list or table that it goes on with."""
    whole = _trim(room.text, section)
    if whole is None:
        return
    if room.fits(whole.start, whole.end):
        yield whole, ""
        return
    units = list(_units(whole, room))
    first, guess = 0, 1
    lead_in = ""
    while first < len(units):
        start = units[first].span.start
        last = _reach(units, first, guess, lead_in, room)
        guess = max(1, last - first)
        yield Span(start, units[last].span.end), lead_in
        first = last + 1
        if first < len(units):
            unit = units[first]
            lead_in = unit.lead_in if room.fits(unit.span.start, unit.span.end, unit.lead_in) else ""


def _reach(units: Sequence[_Unit], first: int, guess: int, lead_in: str, room: _Room) -> int:
    """Return the last unit that still fits beside the first.

    Adding one unit at a time would count the tokens of a passage anew for each. So the width of the passage before is
    tried first, since neighbours are alike, then wider ones in steps that double; what is between is halved.
    """

    def fits(last: int) -> bool:
        return last < len(units) and room.fits(units[first].span.start, units[last].span.end, lead_in)

    fitting, beyond, step = first, first + guess, guess
    while fits(beyond):
        step = 1 if fitting == first else step * 2
        fitting, beyond = beyond, beyond + step
    while beyond - fitting > 1:
        middle = (fitting + beyond) // 2
        fitting, beyond = (middle, beyond) if fits(middle) else (fitting, middle)
    return fitting


def _units(section: Span, room: _Room) -> Iterator[_Unit]:
    """Yield what may not be cut: whole blocks where they fit, else items and rows, else sentences or parts of them."""
    intro = ""
    for block in _blocks(room.text, section):
        lines = [Span(*match.span()) for match in _LINE.finditer(room.text, block.start, block.end)]
        listed = is_list_item(lines[0].slice(room.text))
        needed = intro if listed or _is_row(room.text, lines[0]) else ""
        if room.fits(block.start, block.end, needed):
            yield _Unit(block, needed)
        else:
            for unit in _items(block, lines, intro, room):
                yield from _parts(unit, room)
        if not listed:
            intro = _leading_line(lines[-1], room)


def _items(block: Span, lines: Sequence[Span], intro: str, room: _Room) -> Iterator[_Unit]:
    """Cut a block that is too long before its list items, or between its table rows, or leave it whole."""
    text = room.text
    if all(_is_row(text, line) for line in lines):
        row = lines[0].slice(text).strip()
        header = room.as_lead_in(_with_lead_in(intro, row)) or room.as_lead_in(row)
        yield _Unit(lines[0], intro)
        yield from (_Unit(line, header) for line in lines[1:])
        return
    starts = [line.start for line in lines if is_list_item(line.slice(text))]
    if not starts:
        yield _Unit(block)
        return
    if starts[0] > block.start:
        before = Span(block.start, starts[0])
        yield _Unit(before)
        intro = _leading_line(next(line for line in reversed(lines) if line.end <= starts[0]), room)
    for start, end in zip(starts, [*starts[1:], block.end], strict=True):
        yield _Unit(Span(start, end), intro)


def _leading_line(line: Span, room: _Room) -> str:
    """Return the last sentence of a line if it leads in to a list or table that follows, and is short enough.

    It does with a colon, without any mark at its end, and where it speaks of what follows.
    """
    sentences = split_sentences(room.text, line.start, line.end)
    last = sentences[-1].slice(room.text) if sentences else ""
    leads = last[-1:] not in _ENDS or _POINTING.search(last)
    return room.as_lead_in(last) if leads and not _is_row(room.text, line) else ""


def _parts(unit: _Unit, room: _Room) -> Iterator[_Unit]:
    """Yield an item whole where it fits, else its sentences, else parts of them; all keep its lead-in."""
    span = _trim(room.text, unit.span)
    if span is None:
        return
    if room.fits(span.start, span.end):
        yield _Unit(span, unit.lead_in)
        return
    for sentence in split_sentences(room.text, span.start, span.end):
        if room.fits(sentence.start, sentence.end):
            yield _Unit(sentence, unit.lead_in)
        else:
            yield from (_Unit(part, unit.lead_in) for part in _hard_cut(sentence, room))


def _is_row(text: str, line: Span) -> bool:
    return " | " in f" {line.slice(text)} "


def _blocks(text: str, section: Span) -> Iterator[Span]:
    begin = section.start
    for match in _BLOCK.finditer(text, section.start, section.end):
        block = _trim(text, Span(begin, match.start()))
        if block is not None:
            yield block
        begin = match.end()
    block = _trim(text, Span(begin, section.end))
    if block is not None:
        yield block


def _hard_cut(sentence: Span, room: _Room) -> Iterator[Span]:
    """Cut one over-long sentence at the best places LangChain's splitter finds."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    text = room.text
    size = min(sentence.end - sentence.start, room.budget * CHARACTERS_PER_TOKEN)
    while size > 1:
        splitter = RecursiveCharacterTextSplitter(
            separators=["\n", "; ", ", ", " ", ""],
            chunk_size=size,
            chunk_overlap=0,
            keep_separator="end",
            strip_whitespace=False,
        )
        spans = _anchored(text, sentence, splitter.split_text(sentence.slice(text)))
        if spans is not None and all(room.fits(span.start, span.end) for span in spans):
            yield from spans
            return
        size //= 2
    yield from (Span(at, at + 1) for at in range(sentence.start, sentence.end) if not text[at].isspace())


def _anchored(text: str, sentence: Span, parts: list[str]) -> list[Span] | None:
    """Give each part its span by adding up lengths; None when the parts are not the whole sentence.

    LangChain's own ``start_index`` is found by search and can point to an earlier, equal place. A boundary inside
    what readers see as one character moves before it.
    """
    if "".join(parts) != sentence.slice(text):
        return None
    spans = []
    begin = end = sentence.start
    for row, part in enumerate(parts):
        end += len(part)
        cut = end if row == len(parts) - 1 else max(begin, _cluster_start(text, end))
        span = _trim(text, Span(begin, cut))
        if span is not None:
            spans.append(span)
        begin = cut
    return spans


def _cluster_start(text: str, at: int) -> int:
    """Return the last place up to ``at`` where no accent, joiner or modifier hangs on what stands before it."""
    place = at
    while at - place < _CLUSTER_LIMIT and place > 0 and _hangs_on(text, place):
        place -= 1
    return at if at - place == _CLUSTER_LIMIT else place


def _hangs_on(text: str, at: int) -> bool:
    follows = text[at : at + 1]
    if not follows or text[at - 1].isspace():
        return False
    joined = follows == "\u200d" or text[at - 1] == "\u200d"
    return joined or unicodedata.category(follows).startswith("M") or "\U0001f3fb" <= follows <= "\U0001f3ff"


def _trim(text: str, span: Span) -> Span | None:
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None
