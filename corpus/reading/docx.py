"""DOCX into text with sections.

The package is looked at before anything is unpacked: a few hundred kilobytes can hold gigabytes. Then the body is
walked as it is stored, because python-docx's own ``paragraph.text`` leaves out insertions, content controls and text
boxes. Deleted and hidden text is not on the page and stays out, and so does a table of contents.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from corpus.errors import UnreadableDocumentError
from corpus.reading.blocks import Block, mark_blocks
from corpus.reading.read_document import ReadDocument, short_line

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_MEMBERS = 5_000
_UNPACKED_BYTES = 120 * 1024 * 1024
_PART_BYTES = 32 * 1024 * 1024
_RATIO = 200
_RATIO_FROM_BYTES = 1024 * 1024
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DAMAGED = "it is a damaged DOCX file; open it in a word processor and save it again"
_OFF = frozenset({"0", "false", "off", "none"})
_SKIPPED = frozenset({_W + "del", _W + "moveFrom", _W + "txbxContent", _W + "pPr", _W + "rPr"})
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BREAKS = {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}
_CONTAINERS = frozenset({_W + "sdt", _W + "sdtContent", _W + "ins", _W + "moveTo", _W + "customXml", _W + "smartTag"})


def read_docx(content: bytes, name: str) -> ReadDocument:
    """Read a Word document: headings, paragraphs, lists, tables and text boxes; not headers, footers and notes.

    Raises:
        UnreadableDocumentError: the package is no DOCX file, would unpack to too much, or holds no text.
    """
    check_package(content, name)
    import docx

    try:
        document = docx.Document(io.BytesIO(content))
    except (ValueError, KeyError, SyntaxError, zipfile.BadZipFile):
        raise UnreadableDocumentError(name, _DAMAGED) from None
    styles = _Styles(document)
    blocks = _body_blocks(document.element.body, styles)
    nothing = "there is no text in it; if the pages are pictures, run text recognition over them first"
    marked = mark_blocks(blocks, name, nothing)
    title, published = _properties(document)
    return ReadDocument(
        name=name,
        title=marked.title or title,
        url="",
        publisher="",
        published=published,
        licence="",
        marked=marked,
        media_type=MEDIA_TYPE,
    )


def check_package(content: bytes, name: str) -> None:
    """Refuse a zip package by its directory, before a byte of it is unpacked.

    Raises:
        UnreadableDocumentError: it is damaged, encrypted or no Word document, names paths outside itself, or would
            unpack to too much.
    """
    try:
        members = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError):
        raise UnreadableDocumentError(name, _DAMAGED) from None
    if len(members) > _MEMBERS or sum(member.file_size for member in members) > _UNPACKED_BYTES:
        megabytes = _UNPACKED_BYTES // (1024 * 1024)
        raise UnreadableDocumentError(
            name, f"it unpacks to more than {megabytes} MB or {_MEMBERS} parts; take out its pictures or split it"
        )
    for member in members:
        part = short_line(member.filename, 80)
        if member.flag_bits & 1:
            raise UnreadableDocumentError(name, f"its part {part} is encrypted; save it without a password")
        if member.filename.startswith(("/", "\\")) or ".." in member.filename.replace("\\", "/").split("/"):
            raise UnreadableDocumentError(name, f"its part {part} has a name that leads out of the file; save it again")
        packed = max(member.compress_size, 1)
        bomb = member.file_size > _RATIO_FROM_BYTES and member.file_size > _RATIO * packed
        if bomb or (member.filename.endswith((".xml", ".rels")) and member.file_size > _PART_BYTES):
            raise UnreadableDocumentError(name, f"its part {part} unpacks to too much; split the document")
    if "word/document.xml" not in {member.filename for member in members}:
        raise UnreadableDocumentError(name, "it is a zip package but no Word document; save it as DOCX or unpack it")


def _properties(document: "WordDocument") -> tuple[str, str]:
    """Return title and date; python-docx would invent both where the file has no properties."""
    relations = document.part.package.rels.values()
    if not any(relation.reltype.endswith("/core-properties") for relation in relations):
        return "", ""
    properties = document.core_properties
    written = properties.modified or properties.created
    return short_line(properties.title), written.date().isoformat() if written else ""


class _Styles:
    """Which styles are headings, which are lists, and how lists are numbered."""

    def __init__(self, document: "WordDocument") -> None:
        self._styles: dict[str, Any] = {
            style.get(_W + "styleId", ""): style for style in document.styles.element.iter(_W + "style")
        }
        self._under_title = int(any(self._name(p) == "title" for p in document.element.body.iter(_W + "p")))
        self._formats: dict[tuple[str, str], str] = {}
        self._counts: dict[tuple[str, str], int] = {}
        for relation in document.part.rels.values():
            if relation.reltype.endswith("/numbering") and not relation.is_external:
                self._read_numbering(relation.target_part.element)

    def level(self, paragraph: Any) -> int:
        """Return 1 and up for a heading, 0 for other paragraphs: by outline level, else by the style's name."""
        for properties, style in self._chain(paragraph):
            outline = _value(properties, "outlineLvl")
            if outline is not None:
                return int(outline) + 1 + self._under_title if outline.isdigit() and int(outline) < 9 else 0
            name = (_value(style, "name") or "").lower() if style is not None else ""
            if name == "title":
                return 1
            if name.startswith("heading ") and name[8:].isdigit():
                return int(name[8:]) + self._under_title
        return 0

    def marker(self, paragraph: Any) -> str:
        """Return ``- ``, the running number of a list item, or "" for a paragraph outside lists."""
        identity, level = None, None
        for properties, style in self._chain(paragraph):
            numbering = properties.find(_W + "numPr") if properties is not None else None
            if numbering is not None:
                identity = identity or _value(numbering, "numId")
                level = level or _value(numbering, "ilvl")
            if (
                identity is None
                and style is not None
                and (_value(style, "name") or "").lower().startswith("list bullet")
            ):
                return "- "
        if identity in {None, "0"}:
            return ""
        key = (str(identity), level or "0")
        if self._formats.get(key, "bullet") in {"bullet", "none"}:
            return "- "
        self._counts[key] = self._counts.get(key, 0) + 1
        for other in self._counts:
            if other[0] == key[0] and other[1] > key[1]:
                self._counts[other] = 0  # an inner list starts again under the next outer item
        return f"{self._counts[key]}. "

    def _name(self, paragraph: Any) -> str:
        """Return the name of a paragraph's style, lower case."""
        style = self._styles.get(_value(paragraph.find(_W + "pPr"), "pStyle") or "")
        return (_value(style, "name") or "").lower()

    def _chain(self, paragraph: Any) -> Iterator[tuple[Any, Any]]:
        """Yield the paragraph's own properties, then those of its style and the styles that one is based on."""
        properties = paragraph.find(_W + "pPr")
        if properties is not None:
            yield properties, None
        style_id = _value(properties, "pStyle")
        for _ in range(20):  # a damaged file may base styles on each other in a ring
            style = self._styles.get(style_id) if style_id else None
            if style is None:
                return
            yield style.find(_W + "pPr"), style
            style_id = _value(style, "basedOn")

    def _read_numbering(self, numbering: Any) -> None:
        kinds: dict[str, dict[str, str]] = {}
        for abstract in numbering.iter(_W + "abstractNum"):
            levels = {level.get(_W + "ilvl", ""): _value(level, "numFmt") or "" for level in abstract.iter(_W + "lvl")}
            kinds[abstract.get(_W + "abstractNumId", "")] = levels
        for number in numbering.iter(_W + "num"):
            for level, kind in kinds.get(_value(number, "abstractNumId") or "", {}).items():
                self._formats[number.get(_W + "numId", ""), level] = kind


def _body_blocks(container: Any, styles: _Styles) -> Iterator[Block]:
    """Yield the blocks of a body or of what stands in for one."""
    in_list = False
    for child in container:
        if child.tag == _W + "p":
            for block in _paragraph_blocks(child, styles):
                item = block.glued
                yield Block(block.text, block.level, glued=item and in_list)
                in_list = item
        elif child.tag == _W + "tbl":
            yield from _table_blocks(child, styles)
            in_list = False
        elif child.tag in _CONTAINERS and not _is_contents(child):
            yield from _body_blocks(child, styles)
            in_list = False


def _paragraph_blocks(paragraph: Any, styles: _Styles) -> Iterator[Block]:
    """Yield a paragraph (``glued`` where it is a list item) and the text boxes anchored in it."""
    text = "".join(_words(paragraph)).strip()
    if text:
        level = styles.level(paragraph)
        marker = "" if level else styles.marker(paragraph)
        yield Block(marker + text, level, glued=bool(marker))
    for box in paragraph.iter(_W + "txbxContent"):
        if not any(parent.tag == _FALLBACK for parent in box.iterancestors()):  # the same box again, for old programs
            yield from _body_blocks(box, styles)


def _table_blocks(table: Any, styles: _Styles) -> Iterator[Block]:
    """Yield one block a row; a table of one column is a frame around text."""
    rows = [[cell for cell in row.iter(_W + "tc") if _table_of(cell) is table] for row in table.iter(_W + "tr")]
    rows = [row for row in rows if row]
    if all(len(row) == 1 for row in rows):
        for row in rows:
            yield from _body_blocks(row[0], styles)
        return
    glued = False
    for row in rows:
        cells = [" ".join("".join(_words(cell)).split()) for cell in row]
        if any(cells):
            yield Block(" | ".join(cells), glued=glued)
            glued = True


def _table_of(cell: Any) -> Any:
    return next((parent for parent in cell.iterancestors() if parent.tag == _W + "tbl"), None)


def _words(element: Any) -> Iterator[str]:
    """Yield the visible words below an element."""
    for child in element:
        if child.tag in _SKIPPED or child.tag == _FALLBACK:
            continue
        if child.tag == _W + "r" and _is_hidden(child):
            continue
        if child.tag == _W + "t":
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        else:
            yield from _words(child)
            if child.tag == _W + "p":
                yield " "


def _is_hidden(run: Any) -> bool:
    properties = run.find(_W + "rPr")
    vanish = properties.find(_W + "vanish") if properties is not None else None
    return vanish is not None and vanish.get(_W + "val", "true").lower() not in _OFF


def _is_contents(container: Any) -> bool:
    """Whether a content control is a table of contents."""
    gallery = next(container.iter(_W + "docPartGallery"), None)
    return gallery is not None and gallery.get(_W + "val") == "Table of Contents"


def _value(element: Any, child: str) -> str | None:
    """Return ``w:val`` of a child, or None."""
    found = element.find(_W + child) if element is not None else None
    value = found.get(_W + "val") if found is not None else None
    return value if isinstance(value, str) else None
