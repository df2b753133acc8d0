"""Walks a tree of HTML, or of trafilatura's tags for the same things, and yields its blocks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml.etree import _Element

from corpus.reading.blocks import Block

_SKIPPED = frozenset(
    "script style template noscript head title button select input textarea "
    "svg math iframe object video audio canvas del".split()
)
_FLOW = frozenset(
    "html body p div section article main aside nav header footer blockquote quote center address figure figcaption "
    "fieldset form details summary dl dt dd hr tbody thead tfoot caption table tr row td th cell "
    "ul ol list li item pre".split()
)
_LISTS = frozenset({"ul", "ol", "list", "menu"})
_ITEMS = frozenset({"li", "item"})
_ROWS = frozenset({"tr", "row"})
_CELLS = frozenset({"td", "th", "cell"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def walk_blocks(root: _Element) -> Iterator[Block]:
    """Yield headings, paragraphs, list items and table rows in the order of the page."""
    walker = _Walker()
    walker.walk(root)
    walker.flush()
    yield from walker.blocks


@dataclass(slots=True)
class _Walker:
    """Collects words until a block ends."""

    blocks: list[Block] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)  # the running number of each open list
    marker: str = ""
    glued: bool = False

    def flush(self) -> None:
        """End the block."""
        text = "\n".join(" ".join(line.split()) for line in "".join(self.words).split("\n")).strip()
        self.words = []
        if text:
            self.blocks.append(Block(self.marker + text, glued=self.glued))
            self.marker, self.glued = "", bool(self.numbers)

    def walk(self, element: _Element) -> None:
        """Take in an element without the text behind it."""
        tag = element.tag if isinstance(element.tag, str) else ""
        level = _level(element)
        if level:
            self._heading(element, level)
        elif not tag or (tag in _SKIPPED):
            return
        elif tag in _LISTS:
            self._list(element)
        elif tag in _ITEMS:
            self._item(element)
        elif tag == "table" and _is_grid(element):
            self._grid(element)
        elif tag in {"br", "lb"}:
            self.words.append("\n")
        elif tag == "pre" or (tag == "code" and "\n" in "".join(element.itertext())):
            self.flush()
            self.blocks.append(Block("".join(element.itertext()), glued=self.glued))
        elif tag in _FLOW:
            self.flush()
            self._children(element)
            self.flush()
        else:
            self._children(element)

    def _children(self, element: _Element) -> None:
        self.words.append(_flat(element.text))
        for child in element:
            self.walk(child)
            self.words.append(_flat(child.tail))

    def _heading(self, element: _Element, level: int) -> None:
        self.flush()
        text = " ".join("".join(element.itertext()).split())
        self.glued = False
        if text:
            self.blocks.append(Block(text, level))

    def _list(self, element: _Element) -> None:
        self.flush()
        ordered = element.tag == "ol" or element.get("rend", "").startswith("ol")
        self.numbers.append(_start(element) if ordered else None)
        self._children(element)
        self.flush()
        self.numbers.pop()
        self.marker, self.glued = "", bool(self.numbers)

    def _item(self, element: _Element) -> None:
        self.flush()
        number = self.numbers[-1] if self.numbers else None
        self.marker = "- " if number is None else f"{number}. "
        if number is not None:
            self.numbers[-1] = number + 1
        self._children(element)
        self.flush()
        self.marker = ""

    def _grid(self, table: _Element) -> None:
        self.flush()
        glued = False
        for caption in table.iter("caption"):
            self.blocks.append(Block(_line(caption)))
        for row in table.iter(*_ROWS):
            cells = [_line(cell) for cell in row if cell.tag in _CELLS]
            if any(cells):
                self.blocks.append(Block(" | ".join(cells), glued=glued))
                glued = True
        self.glued = bool(self.numbers)


def _level(element: _Element) -> int:
    """Return the level of a heading, 0 for other elements; trafilatura's ``head`` says it in ``rend``."""
    if element.tag == "head":
        parent = element.getparent()
        of_page = parent is None or parent.tag == "html"
        return 0 if of_page else _HEADINGS.get(element.get("rend", ""), 2)
    return _HEADINGS.get(element.tag, 0) if isinstance(element.tag, str) else 0


def _is_grid(table: _Element) -> bool:
    """Whether a table holds data: some row has two cells, and no cell holds headings, lists or another table."""
    if next(table.iter(*_HEADINGS, *(_LISTS | {"head"})), None) is not None:
        return False
    if sum(1 for _ in table.iter("table")) > 1:
        return False
    return any(sum(1 for cell in row if cell.tag in _CELLS) > 1 for row in table.iter(*_ROWS))


def _start(element: _Element) -> int:
    start = element.get("start", "1")
    return int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1


def _line(element: _Element) -> str:
    """Return the words of a cell, with a blank where a break or a block stood."""
    parts = []
    for node in element.iter():
        if isinstance(node.tag, str) and node.tag not in _SKIPPED:
            parts.append((" " if node.tag in _FLOW or node.tag in {"br", "lb"} else "") + (node.text or ""))
        if node is not element:
            parts.append((" " if node.tag in _FLOW else "") + (node.tail or ""))
    return " ".join("".join(parts).split())


def _flat(text: str | None) -> str:
    """Return text with line ends of the file as blanks; only ``br`` makes a new line."""
    return "" if not text else " ".join(text.replace("\r", " ").split("\n"))
