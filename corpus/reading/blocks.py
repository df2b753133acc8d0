"""Blocks to text with sections: what the readers of HTML, PDF and DOCX have in common.

Those formats name their headings, lists and tables already. Going through Markdown would mean escaping every
``*``, ``_`` and ``<`` of the text and hoping to get it back; a block keeps the words as they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from corpus.errors import UnreadableDocumentError
from corpus.normalising import normalise
from corpus.reading.markdown import MarkedText
from corpus.records import Section, Span

_HEADING_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, a list item with its marker, or a row of a table.

    Attributes:
        text: The words; normalised when the text is put together.
        level: 1 and up for a heading, 0 for everything else.
        glued: Follows its predecessor on the next line: items of one list and rows of one table.
        page: Page number, from 1, in a paged format.
        anchor: Fragment of a heading on its page, or None.
    """

    text: str
    level: int = 0
    glued: bool = False
    page: int | None = None
    anchor: str | None = None


def mark_blocks(blocks: Iterable[Block], name: str, nothing: str) -> MarkedText:
    """Put blocks together to one text.

    A heading of level 1 with nothing before it and no second of its level is the title and no part of the heading
    paths. A section ends at the next heading and at the end of its page.

    Args:
        blocks: In reading order.
        name: Name for the error message.
        nothing: What the error says where no text is left.

    Returns:
        Text and sections. ``normalise(text) == text``.

    Raises:
        UnreadableDocumentError: no block has text but headings.
    """
    kept = list(blocks)
    joiner = _Joiner(titled=sum(block.level == 1 for block in kept) == 1)
    for block in kept:
        text = normalise(block.text)
        if not text:
            continue
        if block.level:
            joiner.add_heading(text, block)
        else:
            joiner.add_body(text, block)
    joiner.close_section()
    if not joiner.sections:
        raise UnreadableDocumentError(name, nothing)
    return MarkedText(joiner.title, "".join(joiner.parts), tuple(joiner.sections))


class _Joiner:
    """Notes where every block comes to stand."""

    def __init__(self, *, titled: bool) -> None:
        self.title = ""
        self._titled = titled
        self.parts: list[str] = []
        self.sections: list[Section] = []
        self._length = 0
        self._headings: list[tuple[int, str, str | None]] = []
        self._start: int | None = None
        self._page: int | None = None

    def add_heading(self, text: str, block: Block) -> None:
        self.close_section()
        line = " ".join(text.split())
        line = line if len(line) <= _HEADING_LIMIT else line[: _HEADING_LIMIT - 1].rstrip() + "…"
        self._headings = [entry for entry in self._headings if entry[0] < block.level]
        if self._titled and block.level == 1 and not self.parts:
            self.title = line
        else:
            self._headings.append((block.level, line, block.anchor))
        self._append(line, "\n\n")

    def add_body(self, text: str, block: Block) -> None:
        if self._start is not None and block.page != self._page:
            self.close_section()
        start = self._append(text, "\n" if block.glued and self._start is not None else "\n\n")
        if self._start is None:
            self._start, self._page = start, block.page

    def close_section(self) -> None:
        if self._start is not None:
            path = tuple(heading for _, heading, _ in self._headings)
            anchor = self._headings[-1][2] if self._headings else None
            self.sections.append(Section(path, Span(self._start, self._length), anchor, self._page))
        self._start = None

    def _append(self, text: str, separator: str) -> int:
        if self.parts:
            self.parts.append(separator)
            self._length += len(separator)
        start = self._length
        self.parts.append(text)
        self._length += len(text)
        return start
