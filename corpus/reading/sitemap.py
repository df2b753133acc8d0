"""Sitemaps (sitemaps.org): the addresses that a site lists of itself. Runs in the sandbox, as every parser of XML."""

from corpus.errors import UnreadableDocumentError

MOST_ADDRESSES = 50_000
"""As many as the protocol allows in one file."""

_LONGEST_URL = 2_048


def list_addresses(content: bytes, name: str) -> dict[str, list[str]]:
    """List what a sitemap names.

    Args:
        content: The XML, unpacked.
        name: Its address, for the error message.

    Returns:
        ``pages`` and ``sitemaps`` in the order of the file; the second are those of a sitemap index.

    Raises:
        UnreadableDocumentError: it is no XML, or no sitemap.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise UnreadableDocumentError(name, "it is damaged XML; tell the site's operator, or list its pages") from None
    kind = etree.QName(root).localname if isinstance(root.tag, str) else ""
    if kind not in {"urlset", "sitemapindex"}:
        raise UnreadableDocumentError(name, "it is XML, but no sitemap; give the addresses of its pages")
    addresses = [
        (child.text or "").strip()
        for entry in root.iterchildren()
        for child in entry.iterchildren()
        if isinstance(child.tag, str) and etree.QName(child).localname == "loc"
    ]
    listed = [address for address in addresses[:MOST_ADDRESSES] if 0 < len(address) <= _LONGEST_URL]
    return {"pages": listed if kind == "urlset" else [], "sitemaps": [] if kind == "urlset" else listed}
