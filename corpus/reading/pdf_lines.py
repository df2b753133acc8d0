"""The lines of a PDF page, where they stand and how large they are, and how lines become blocks.

A PDF has no paragraphs and often no headings: it has letters in places. What is told here is told from sizes and
gaps, by rules that a reader's eye would use too.
"""

import ctypes
import itertools
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from corpus.reading.blocks import Block

_BULLET = re.compile(r"(?:[•‣◦▪▫●○■□➢➤·\uf0b7\uf0a7]|[-–—*](?= )|o(?= [A-Z]))[\s\u200b]*")
_NUMBERED = re.compile(r"(?:\d{1,3}|[a-z])[.)]\s+\S")
_PAGE_NUMBER = re.compile(r"(?:page\s+)?[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:of|/)\s*\d{1,4})?", re.IGNORECASE)
_PRINTED = re.compile(
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4},? \d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s?(?:[AP]M\b)?|(?:https?|file)://\S+\s+\d{1,4}/\d{1,4}$"
)
"""What a browser prints above and below a page: date with title, address with page number."""
_HYPHENS = "-\u2010\u00ad\x02"  # PDFium gives U+0002 for a hyphen at the end of a line
_COMPOUNDS = frozenset("self well long short non low high over under x anti co post pre re half full day year".split())
_TERMINAL = ".!?:;…”\"')"
_HEADING_RATIO = 1.12
_LONGEST_HEADING = 200
_GAP_RATIO = 1.35
_REPEATED_SHARE = 0.3  # left and right pages may have heads of their own
_SAME_HEIGHT = 2.0
Bookmarks = dict[str, list[tuple[int, float | None]]]
"""Level, and height on the page where it is known, of the bookmarks that lead to a page, by their words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page; lengths in points, y grows upwards.

    Attributes:
        text: The words, with PDFium's mark for a hyphen at the end.
        page: Page number, from 1.
        left: Left edge of the first character.
        right: Right edge of the last character.
        bottom: Lower edge of a character's box.
        size: Height of a character's box: comparable within one document whatever the font's nominal size.
        first_word: Width of the first word.
    """

    text: str
    page: int
    left: float
    right: float
    bottom: float
    size: float
    first_word: float


def page_lines(textpage: Any, page: int) -> list[Line]:
    """Return the lines of a page in the order of its content.

    Args:
        textpage: A ``pypdfium2.PdfTextPage``.
        page: Its number, from 1.
    """
    import pypdfium2.raw as pdfium

    unicode_of, count = pdfium.FPDFText_GetUnicode, textpage.count_chars()
    # One entry a character, so that positions in the text are PDFium's indexes; surrogates come as two.
    text = "".join(map(chr, (unicode_of(textpage.raw, index) for index in range(count))))
    lines, start = [], 0
    for raw in re.split(r"(\r\n|\n|\r)", text):
        if raw.strip() and not raw.isspace():
            boxes = _boxes(textpage.raw, raw, start)
            if boxes:
                lines.append(_line(raw, page, boxes))
        start += len(raw)
    return lines


def _boxes(textpage: Any, raw: str, start: int) -> list[tuple[float, float, float, float]]:
    """Return left, bottom, right and top of five characters: first, last, end of the first word and two between."""
    import pypdfium2.raw as pdfium

    inked = [index for index, character in enumerate(raw) if not character.isspace() and character != "\x02"]
    if not inked:
        return []
    word_end = inked[0] + len(raw[inked[0] :].split(maxsplit=1)[0].rstrip("\x02")) - 1
    wanted = [inked[0], max(word_end, inked[0]), inked[len(inked) // 3], inked[2 * len(inked) // 3], inked[-1]]
    boxes = []
    for index in wanted:
        box = pdfium.FS_RECTF()
        if not pdfium.FPDFText_GetLooseCharBox(textpage, start + index, ctypes.byref(box)):
            return []
        boxes.append((box.left, box.bottom, box.right, box.top))
    return boxes


def _line(raw: str, page: int, boxes: list[tuple[float, float, float, float]]) -> Line:
    text = raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
    return Line(
        text=text,
        page=page,
        left=boxes[0][0],
        right=boxes[-1][2],
        bottom=statistics.median(box[1] for box in boxes),
        size=round(abs(statistics.median(box[3] - box[1] for box in boxes)), 1),
        first_word=abs(boxes[1][2] - boxes[0][0]),
    )


def with_bullets(lines: list[Line], marks: list[tuple[float, float, float, float]]) -> list[Line]:
    """Give lines the bullets that are drawn beside them: a browser's print has dots where others have letters.

    Args:
        lines: The lines of a page.
        marks: Left, bottom, right and top of what is drawn on it.
    """
    dots = [
        (right, (bottom + top) / 2, right - left)
        for left, bottom, right, top in marks
        if right - left > 0 and abs((right - left) - (top - bottom)) < 0.2 * (right - left)
    ]

    def dotted(line: Line) -> bool:
        return any(
            0 < line.left - right < 1.5 * line.size
            and 0.1 * line.size < width < 0.5 * line.size
            and line.bottom + 0.2 * line.size < middle < line.bottom + 0.8 * line.size
            for right, middle, width in dots
        )

    return [
        replace(line, text=f"• {line.text}") if dotted(line) and not _is_item(line.text) else line for line in lines
    ]


def body_size(lines: list[Line]) -> float:
    """Return the size that most characters have."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def without_running_heads(pages: list[list[Line]], body: float) -> list[list[Line]]:
    """Leave out page numbers and running heads.

    A running head is a small line at the edge of the page that many pages have at the same height, the same but for
    its digits. Height counts: two pages may well end with the same sentence. What a browser prints there is known by
    its form, also on a single page.
    """
    edges = [_edge_lines(lines, body) for lines in pages]
    heights: defaultdict[str, list[float]] = defaultdict(list)
    for edge in edges:
        for line in edge:
            heights[_repeated_key(line)].append(line.bottom)
    needed = max(2, _REPEATED_SHARE * len(pages))

    def runs(line: Line) -> bool:
        near = sum(abs(height - line.bottom) < _SAME_HEIGHT for height in heights[_repeated_key(line)])
        return near >= needed or bool(_PAGE_NUMBER.fullmatch(line.text) or _PRINTED.match(line.text))

    return [
        [line for line in lines if not (line in edge and runs(line))] for lines, edge in zip(pages, edges, strict=True)
    ]


def _edge_lines(lines: list[Line], body: float) -> list[Line]:
    """Return the two highest and the two lowest lines of a page, each once, unless they are larger than the body."""
    ordered = sorted(lines, key=lambda line: -line.bottom)
    edge = ordered if len(ordered) <= 4 else ordered[:2] + ordered[-2:]
    return [line for line in edge if line.size <= body * 1.02]


def _repeated_key(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def page_blocks(lines: list[Line], body: float, levels: dict[float, int], outline: Bookmarks) -> Iterator[Block]:
    """Yield the blocks of one page.

    Args:
        lines: The page's lines without running heads.
        body: Size of the body text.
        levels: Heading level of each size that is a heading's.
        outline: The bookmarks that lead to this page.
    """
    leading = _leading(lines, body)
    groups: list[list[Line]] = []
    for line in lines:
        if groups and not _breaks(groups[-1], line, leading, lines):
            groups[-1].append(line)
        else:
            groups.append([line])
    marked = _marked_groups(groups, outline)
    for index, group in enumerate(groups):
        yield _block_of(group, levels, marked.get(index, 0))


def _marked_groups(groups: list[list[Line]], outline: Bookmarks) -> dict[int, int]:
    """Return the groups that bookmarks lead to, with their levels.

    A table of contents on the same page has the same words: the nearest in height is meant, else the largest.
    """
    texts = [_key(join_lines([line.text for line in group])) for group in groups] if outline else []
    marked = {}
    for words, bookmarks in outline.items():
        places = [index for index, text in enumerate(texts) if text == words]
        for level, height in bookmarks if places else ():
            marked[min(places, key=lambda index: _distance(groups[index][0], height))] = level
    return marked


def _distance(line: Line, height: float | None) -> float:
    return -line.size if height is None else abs(line.bottom + line.size - height)


def heading_levels(pages: list[list[Line]], body: float) -> dict[float, int]:
    """Return a level for each size that is larger than the body's, the largest being 1."""
    sizes = {line.size for lines in pages for line in lines if _may_be_heading(line, body)}
    merged: list[float] = []
    levels: dict[float, int] = {}
    for size in sorted(sizes, reverse=True):
        if not merged or size < merged[-1] * 0.96:
            merged.append(size)
        levels[size] = min(len(merged), 6)
    return levels


def _may_be_heading(line: Line, body: float) -> bool:
    letters = sum(character.isalpha() for character in line.text)
    return line.size >= body * _HEADING_RATIO and letters >= 2 and len(line.text) <= _LONGEST_HEADING


def _leading(lines: list[Line], body: float) -> float:
    """Return the usual distance between the lines of a paragraph on this page."""
    steps = [a.bottom - b.bottom for a, b in itertools.pairwise(lines) if abs(a.size - b.size) < 0.5]
    steps = [step for step in steps if 0.8 * body < step < 2.5 * body]
    return statistics.quantiles(steps, n=4)[0] if len(steps) > 1 else 1.3 * body


def _breaks(group: list[Line], line: Line, leading: float, lines: list[Line]) -> bool:
    """Whether ``line`` begins a new block behind the lines of ``group``."""
    last, size = group[-1], max(group[-1].size, 1.0)
    if abs(line.size - last.size) > 0.1 * size or _is_item(line.text):
        return True
    step = last.bottom - line.bottom
    if step < 0 or step > _GAP_RATIO * max(leading, size * 0.9):
        return abs(step) > 0.3 * size  # a superscript or a second piece of one line is no new block
    shift = line.left - last.left
    if abs(step) > 0.3 * size and shift > 0.8 * size and not _is_item(last.text):
        return True
    if shift < -0.8 * size and len(group) > 1:
        return True
    column = max(
        other.right for other in lines if abs(other.left - line.left) < 3 * size and abs(other.size - size) < 0.5
    )
    room = column - last.right - line.first_word - 0.25 * size
    ends = last.text.endswith(tuple(_TERMINAL))
    return step > 0.3 * size and room > (0.0 if ends else 0.3 * (column - line.left))


def _is_item(text: str) -> bool:
    return bool(_BULLET.match(text) or _NUMBERED.match(text))


def _block_of(group: list[Line], levels: dict[float, int], marked: int) -> Block:
    first = group[0]
    text = join_lines([line.text for line in group])
    level = marked or (levels.get(first.size, 0) if len(text) <= _LONGEST_HEADING else 0)
    if level:
        return Block(text, level, page=first.page)
    bullet = _BULLET.match(text)
    item = _is_item(text)
    if bullet:
        text = "- " + text[bullet.end() :]
    return Block(text, glued=item, page=first.page)


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def outline_key(title: str) -> str:
    """Return the form in which a bookmark's words are compared with a line's."""
    return _key(title)


def join_lines(texts: list[str]) -> str:
    """Join the lines of a block; a word cut by a hyphen becomes whole, a compound keeps its hyphen."""
    joined = ""
    for text in texts:
        if not joined:
            joined = text
        elif len(joined) > 1 and joined[-1] in _HYPHENS and joined[-2].isalpha() and text[:1].islower():
            before = joined[:-1].split()[-1].lower()
            hyphen = "-" if (before in _COMPOUNDS or "-" in before) and joined[-1] != "\u00ad" else ""
            joined = joined[:-1] + hyphen + text
        elif joined[-1] == "\x02":
            joined = joined[:-1] + "-" + text
        else:
            joined += " " + text
    return joined.replace("\x02", "-")
