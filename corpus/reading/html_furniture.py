"""Tells a page's text from its furniture: menus, banners, share buttons, lists of links.

trafilatura finds the text well but on plain pages drops the headings and lists between the paragraphs that it keeps.
A page that has lost its headings still looks right and answers wrongly, so what it kept is only used to see where on
the page the text begins and ends; where something between is missing, the page itself is read from there to there.
"""

import re

from lxml.etree import _Element

from corpus.normalising import normalise
from corpus.reading.blocks import Block
from corpus.reading.html_blocks import walk_blocks

_TAGS = ("nav", "header", "footer", "aside", "form", "dialog", "menu")
_ROLES = frozenset("navigation banner contentinfo search dialog alertdialog complementary menu menubar toolbar".split())
_NAMES = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|gdpr|share|sharing|social|newsletter|subscribe|signup|breadcrumbs?|related|"
    r"menu|sidebar|advert(?:isement)?|ads?|promo|banner|popup|modal|comments?|pagination|skip-link|toc)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LINK_SHARE = 0.6
_LONGEST_LABEL = 60
_ITEM = re.compile(r"(?:- |\d{1,6}\. )")


def drop_furniture(tree: _Element) -> None:
    """Remove from a page what its tags, roles, class names or links give away as furniture."""
    for element in [found for found in tree.iter() if isinstance(found.tag, str) and _is_furniture(found)]:
        if element.getparent() is not None:
            element.drop_tree()


def restore_lost(kept: list[Block], tree: _Element) -> list[Block]:
    """Return the kept blocks, or the page's own between them where headings or list items were lost.

    Args:
        kept: Blocks that trafilatura kept.
        tree: The page without hidden elements and furniture.

    Returns:
        ``kept`` if nothing between its blocks is missing, without the labels of what is furniture; else the page's
        blocks from the first that was kept (with the headings above it) to the last (with the rest of its list or
        table).
    """
    known = {_key(block) for block in kept}
    own = list(walk_blocks(tree))
    places = [index for index, block in enumerate(own) if not block.level and _key(block) in known]
    if not places:
        return kept
    words = "\n".join(_key(block) for block in own)
    kept = [block for block in kept if block.level or not _is_label(block.text) or _key(block) in words]
    first, last = places[0], places[-1]
    while first and own[first - 1].level:
        first -= 1
    while last + 1 < len(own) and (own[last + 1].glued or _is_item(own[last + 1])):
        last += 1
    between = own[first : last + 1]
    lost = any((block.level or _is_item(block)) and _key(block) not in known for block in between)
    return between if lost else kept


def _is_furniture(element: _Element) -> bool:
    if element.tag in {"html", "body", "main", "article"}:
        return False
    if element.tag == "header":
        return next(element.iterancestors("article", "main"), None) is None  # an article's header holds its title
    if element.tag in _TAGS or element.get("role", "").lower() in _ROLES:
        return True
    if element.tag in {"div", "section", "ul", "ol", "p", "span"}:
        names = f"{element.get('class', '')} {element.get('id', '')}"
        return bool(_NAMES.search(names)) or _is_list_of_links(element)
    return False


def _is_list_of_links(element: _Element) -> bool:
    if element.tag not in {"ul", "ol"}:
        return False
    links = [len("".join(link.itertext()).strip()) for link in element.iter("a")]
    words = len("".join(element.itertext()).strip())
    return len(links) > 1 and sum(links) > _LINK_SHARE * words


def _is_label(text: str) -> bool:
    """Whether a block is a short line without an end, such as the name of a box of links."""
    return len(text) <= _LONGEST_LABEL and text[-1:] not in '.!?…:)”"'


def _is_item(block: Block) -> bool:
    return bool(_ITEM.match(block.text))


def _key(block: Block) -> str:
    words = " ".join(normalise(block.text).split())
    return words if block.level else _ITEM.sub("", words, count=1)
