"""Markdown into plain text with sections.

Inline marks go (a link leaves its words), list items keep a leading ``- `` or number, tables keep one row a line.
HTML comments leave the text and come back beside it, each with the sentence before it: digests name their facts
in them.
"""

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corpus.errors import UnreadableDocumentError
from corpus.normalising import normalise
from corpus.records import Section, Span

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A---\n(?:.*?\n)?---(?:\n|\Z)", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?td|/?li)\b", re.IGNORECASE)
_UNSEEN = tuple(
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (("<!--", "-->"), (r"<script\b", r"</script\s*>"), (r"<style\b", r"</style\s*>"))
)
_HEADING_LIMIT = 200


@dataclass(frozen=True, slots=True)
class MarkedText:
    """What a reader makes of a file.

    Attributes:
        title: The first top-level heading, or "".
        text: Normalised text.
        sections: In order, not overlapping.
        comments: Each comment with the span of the text before it, back to the previous one.
    """

    title: str
    text: str
    sections: tuple[Section, ...]
    comments: tuple[tuple[Span, str], ...] = ()


@dataclass(slots=True)
class _Builder:
    """Joins blocks to a text and notes where everything came to stand."""

    parts: list[str] = field(default_factory=list)
    length: int = 0
    comments: list[tuple[Span, str]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    sections: list[tuple[tuple[str, ...], int, int]] = field(default_factory=list)
    body_start: int | None = None
    title: str = ""

    def add(self, text: str, separator: str) -> int:
        """Append ``text`` and return where it starts."""
        if self.parts:
            self.parts.append(separator)
            self.length += len(separator)
        start = self.length
        self.parts.append(text)
        self.length += len(text)
        return start

    def add_heading(self, text: str, level: int) -> None:
        self.close_section()
        name = text if len(text) <= _HEADING_LIMIT else text[: _HEADING_LIMIT - 1].rstrip() + "…"
        self.headings = [(depth, above) for depth, above in self.headings if depth < level]
        if not self.title and level == 1 and not self.parts:
            self.title = name
        else:
            self.headings.append((level, name))
        self.add(text, "\n\n")

    def add_body(self, pieces: list[tuple[str, str | None]], separator: str) -> None:
        """Append one block made of pieces, each with the comment that followed it."""
        text = " ".join(piece for piece, _ in pieces if piece)
        if not text:
            return
        start = self.add(text, separator)
        if self.body_start is None:
            self.body_start = start
        for piece, comment in pieces:
            if piece and comment is not None:
                self.comments.append((Span(start, start + len(piece)), comment))
            start += len(piece) + (1 if piece else 0)

    def close_section(self) -> None:
        if self.body_start is not None:
            self.sections.append((tuple(name for _, name in self.headings), self.body_start, self.length))
        self.body_start = None


def read_markdown(markdown: str, name: str = "document") -> MarkedText:
    """Read Markdown (CommonMark with tables).

    Args:
        markdown: The file's text; a front-matter block is skipped.
        name: Name for the error message.

    Returns:
        Text, sections and comments. ``normalise(text) == text``.

    Raises:
        UnreadableDocumentError: nothing is left when the marks are gone.
    """
    from markdown_it import MarkdownIt  # a service that only answers reads no Markdown

    source = markdown.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    tokens = MarkdownIt("commonmark").enable("table").parse(_FRONT_MATTER.sub("", source))
    builder = _Builder()
    _walk(tokens, builder)
    builder.close_section()
    text = "".join(builder.parts)
    if not builder.sections:
        raise UnreadableDocumentError(name, "there is no text in it; add text under its headings")
    sections = tuple(Section(path, Span(start, end), anchor_of(path)) for path, start, end in builder.sections)
    return MarkedText(builder.title, text, sections, tuple(builder.comments))


def read_plain_text(text: str, name: str = "document") -> MarkedText:
    """Read plain text as one section.

    Raises:
        UnreadableDocumentError: the text is empty.
    """
    clean = normalise(text)
    if not clean:
        raise UnreadableDocumentError(name, "the file is empty")
    return MarkedText("", clean, (Section((), Span(0, len(clean))),))


def anchor_of(path: tuple[str, ...]) -> str | None:
    """Return the fragment that the innermost heading gets in our own pages."""
    return re.sub(r"[^a-z0-9]+", "-", path[-1].lower()).strip("-") or None if path else None


@dataclass(slots=True)
class _State:
    """Where in a list or table the walk stands."""

    numbers: list[int | None] = field(default_factory=list)  # the running number of each open list, None for bullets
    marker: str = ""
    row: list[str] | None = None
    glued: bool = False  # the next block follows on the next line: items and rows belong together

    def separator(self) -> str:
        return "\n" if self.glued else "\n\n"

    def take_marker(self) -> str:
        """Return the marker of the open item for its first block, then nothing."""
        marker, self.marker = self.marker, ""
        return marker

    def note(self, token: "Token") -> None:
        """Take in the start or end of a list or a table."""
        kind = token.type
        if kind in {"ordered_list_open", "bullet_list_open"}:
            start = token.attrGet("start")
            first = 1 if start is None else int(start)
            self.numbers.append(first if kind.startswith("ordered") else None)
        elif kind in {"ordered_list_close", "bullet_list_close"}:
            self.numbers.pop()
            self.glued = bool(self.numbers)
        elif kind == "list_item_open":
            number = self.numbers[-1]
            self.marker = "- " if number is None else f"{number}. "
            self.numbers[-1] = None if number is None else number + 1
        elif kind == "tr_open":
            self.row = []
        elif kind == "table_close":
            self.glued = False


def _walk(tokens: list["Token"], builder: _Builder) -> None:
    """Go through the block tokens in order."""
    state = _State()
    for position, token in enumerate(tokens):
        state.note(token)
        if token.type == "tr_close" and state.row is not None:
            builder.add_body([(_one_line(" | ".join(state.row)), None)], state.separator())
            state.row, state.glued = None, True
        elif token.type in {"fence", "code_block", "html_block"}:
            seen = _visible(token.content) if token.type == "html_block" else token.content
            _add_block([(normalise(seen), None)], state, builder)
        elif token.type == "inline":
            _add_inline(token, tokens[position - 1], state, builder)


def _add_inline(token: "Token", opener: "Token", state: _State, builder: _Builder) -> None:
    pieces = _pieces(token)
    words = " ".join(piece for piece, _ in pieces if piece)
    if state.row is not None:
        state.row.append(words)
    elif opener.type == "heading_open":
        if words:
            builder.add_heading(words, int(opener.tag[1]))
        state.glued = False
    else:
        _add_block(pieces, state, builder)


def _add_block(pieces: list[tuple[str, str | None]], state: _State, builder: _Builder) -> None:
    """Append a block; the first of a list item takes its marker."""
    for row, (piece, comment) in enumerate(pieces):
        if piece:
            pieces[row] = (state.take_marker() + piece, comment)
            builder.add_body(pieces, state.separator() if state.numbers else "\n\n")
            state.glued = bool(state.numbers)
            return


def _visible(markup: str) -> str:
    """Return the words of a piece of HTML: no comments, scripts, styles and tags."""
    for opening, closing in _UNSEEN:
        kept, at = [], 0
        while begin := opening.search(markup, at):
            kept.append(markup[at : begin.start()])
            end = closing.search(markup, begin.end())
            at = end.end() if end else len(markup)
        markup = "".join([*kept, markup[at:]])
    return html.unescape(_TAG.sub(" ", markup))


def _pieces(token: "Token") -> list[tuple[str, str | None]]:
    """Cut one inline token at its comments; texts come back normalised."""
    pieces: list[tuple[str, str | None]] = []
    words: list[str] = []
    for child in token.children or []:
        if child.type == "html_inline":
            markup = child.content.strip()
            if markup.startswith("<!--") and markup.endswith("-->"):
                pieces.append((_one_line("".join(words)), markup[4:-3].strip()))
                words = []
            elif _BREAK.match(markup):
                words.append(" ")
        elif child.type in {"softbreak", "hardbreak"}:
            words.append(" ")
        else:
            words.append(child.content)
    rest = _one_line("".join(words))
    if rest or not pieces:
        pieces.append((rest, None))
    return pieces


def _one_line(text: str) -> str:
    return normalise(text.replace("\n", " "))
