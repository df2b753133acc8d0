"""HTML into text with sections.

A page of the web carries menus, banners and footers: trafilatura picks what was written for readers. The body of a
help-centre article is that part already and is walked as it stands. What a browser does not show is no text of the
page: hidden elements go first, before anything may be quoted from them.
"""

import re
from collections.abc import Iterator

import lxml.html
from lxml.html import HtmlElement

from corpus.errors import UnreadableDocumentError
from corpus.normalising import normalise
from corpus.reading.blocks import Block, mark_blocks
from corpus.reading.html_blocks import walk_blocks
from corpus.reading.html_furniture import drop_furniture, restore_lost
from corpus.reading.read_document import ReadDocument, iso_date, public_url, short_line
from corpus.reading.text import decode_text

_NOTHING = "there is no text in the page; if a script fills it, open it in a browser and print it to PDF"
_NOTHING_IN_ARTICLE = "the article has no text; write it, or leave the article out of the export"
_SAVED_FROM = re.compile(r"<!-- saved from url=\(\d+\)(\S+) -->")
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_DECLARABLE = re.compile(
    r"iso-8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]|shift_jis|euc-(jp|kr)|gb(k|2312|18030)|big5"
)
_HIDDEN_STYLE = re.compile(
    r"display:none|visibility:(hidden|collapse)|opacity:0*(\.0+)?(;|$)|font-size:0+(\.0+)?(px|pt|em|rem|%)?(;|$)"
    r"|(left|top|text-indent):-\d{4,}|clip:rect\((0|1)px"
)
_LICENCE_NAMES = ("dcterms.license", "dcterms.rights", "dc.rights", "license", "copyright")


def read_html(content: bytes, name: str) -> ReadDocument:
    """Read a saved web page without its furniture.

    Raises:
        UnreadableDocumentError: there is no text in it, or its encoding cannot be told.
    """
    import trafilatura
    from trafilatura.settings import Document

    text = decode_text(content, name, _declared_charset(content))
    tree = _tree(text, name)
    for element in list(tree.iter(lxml.html.etree.Comment, lxml.html.etree.PI)):
        _drop(element)
    _drop_hidden(tree)
    anchors = _anchors(tree)
    licence, canonical = _licence(tree), _canonical(tree)
    plain = lxml.html.document_fromstring(lxml.html.tostring(tree, encoding="unicode"))  # trafilatura eats its tree
    found = trafilatura.bare_extraction(
        tree, output_format="xml", with_metadata=True, include_comments=False, include_formatting=True
    )
    page = found if isinstance(found, Document) else None
    blocks = list(walk_blocks(page.body)) if page is not None and page.body is not None else []
    page_title = _page_title(plain)
    drop_furniture(plain)
    kept_some = any(block.text.strip() and not block.level for block in blocks)
    blocks = restore_lost(blocks, plain) if kept_some else list(walk_blocks(plain))
    saved_from = _SAVED_FROM.search(text, 0, 4_000)
    marked = mark_blocks(_with_anchors(blocks, anchors), name, _NOTHING)
    return ReadDocument(
        name=name,
        title=short_line(page.title if page is not None else "") or marked.title or page_title,
        url=canonical or public_url(saved_from[1] if saved_from else ""),
        publisher=short_line(page.sitename if page is not None else ""),
        published=iso_date(page.date if page is not None else ""),
        licence=licence or short_line(page.license if page is not None else ""),
        marked=marked,
        media_type="text/html",
    )


def read_article(content: bytes, name: str) -> ReadDocument:
    """Read an HTML fragment, such as the body of an article in an export: all that it shows is text.

    Raises:
        UnreadableDocumentError: there is no text in it.
    """
    tree = _tree(decode_text(content, name), name, _NOTHING_IN_ARTICLE)
    _drop_hidden(tree)
    anchors = _anchors(tree)
    marked = mark_blocks(_with_anchors(list(walk_blocks(tree)), anchors), name, _NOTHING_IN_ARTICLE)
    return ReadDocument(name, marked.title, "", "", "", "", marked, "text/html")


def _tree(text: str, name: str, nothing: str = _NOTHING) -> HtmlElement:
    clean = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.replace("\x00", ""))  # lxml refuses str that declares an encoding
    if not clean.strip():
        raise UnreadableDocumentError(name, nothing)
    parser = lxml.html.HTMLParser()
    try:
        tree = lxml.html.document_fromstring(clean, parser=parser)
    except lxml.html.etree.ParserError:
        raise UnreadableDocumentError(name, nothing) from None
    if any("depth" in entry.message for entry in parser.error_log):  # the parser leaves out what lies deeper
        raise UnreadableDocumentError(name, "it is nested too deeply; open it in a browser and print it to PDF")
    return tree


def _declared_charset(content: bytes) -> str | None:
    match = _CHARSET.search(content, 0, 4_096)
    charset = match[1].decode("ascii").lower() if match else ""
    if charset in {"iso-8859-1", "latin1", "latin-1"}:
        return "cp1252"  # browsers read it so
    return charset if _DECLARABLE.fullmatch(charset) else None


def _drop_hidden(tree: HtmlElement) -> None:
    for element in list(tree.iter("template", "noscript", "script", "style")):
        _drop(element)
    for element in list(tree.xpath("//body//*[@hidden or @aria-hidden or @style]")):
        style = re.sub(r"\s+", "", element.get("style", "")).lower()
        hidden = element.get("hidden")
        if (
            (hidden is not None and hidden.lower() != "until-found")
            or element.get("aria-hidden", "").lower() == "true"
            or _HIDDEN_STYLE.search(style)
        ):
            _drop(element)


def _drop(element: HtmlElement) -> None:
    """Remove an element, keeping the text behind it."""
    if element.getparent() is not None:
        element.drop_tree()


def _anchors(tree: HtmlElement) -> list[tuple[str, str]]:
    """Return each heading's words and the fragment that leads to it."""
    found = []
    for heading in tree.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        marks = [heading, *heading.iter("a", "span")]
        fragment = next(
            (mark.get("id") or mark.get("name") for mark in marks if mark.get("id") or mark.get("name")), None
        )
        if fragment and re.fullmatch(r"[\w.:-]{1,200}", fragment):
            found.append((_words(heading.text_content()), fragment))
    return found


def _with_anchors(blocks: list[Block], anchors: list[tuple[str, str]]) -> Iterator[Block]:
    """Give headings their fragments back, in order: two headings may have the same words."""
    waiting = list(anchors)
    for block in blocks:
        words = _words(block.text) if block.level else ""
        entry = next((entry for entry in waiting if entry[0] == words), None) if words else None
        if entry is None:
            yield block
        else:
            waiting.remove(entry)
            yield Block(block.text, block.level, anchor=entry[1])


def _words(text: str) -> str:
    return " ".join(normalise(text).split())


def _licence(tree: HtmlElement) -> str:
    for link in tree.iter("link", "a"):
        if "license" in link.get("rel", "").lower().split():
            return public_url(link.get("href"))
    for meta in tree.iter("meta"):
        if meta.get("name", "").lower() in _LICENCE_NAMES:
            return short_line(meta.get("content"))
    return ""


def _canonical(tree: HtmlElement) -> str:
    for link in tree.iter("link"):
        if "canonical" in link.get("rel", "").lower().split():
            return public_url(link.get("href"))
    return ""


def _page_title(tree: HtmlElement) -> str:
    title = tree.find(".//title")
    return short_line(title.text_content()) if title is not None else ""
