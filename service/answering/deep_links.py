"""Links that lead as near to a cited text as can be."""

from urllib.parse import quote, urlsplit

_EDGE_WORDS = 5
_SHORT_WORDS = 12


def deep_link(url: str, text: str, *, digest: bool, anchor: str | None) -> str:
    """Return the link to a cited text.

    A digest's words do not stand on the page, so its link goes to the page alone. Elsewhere a text fragment jumps to
    the quote: the whole of a short one, first and last words of a longer one.

    Args:
        url: Address of the page; anything but http and https gives "".
        text: The quote.
        digest: Whether the quote is our own wording.
        anchor: Fragment of the heading on the page, or None.

    Source:
        URL Fragment Text Directives, W3C Community Group draft: "-", "," and "&" have a meaning of their own there.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        return ""
    if digest:
        return url
    words = text.split()
    if len(words) <= _SHORT_WORDS:
        directive = _encode(text)
    else:
        directive = f"{_encode(' '.join(words[:_EDGE_WORDS]))},{_encode(' '.join(words[-_EDGE_WORDS:]))}"
    page, _, fragment = url.partition("#")
    return f"{page}#{fragment or anchor or ''}:~:text={directive}"


def _encode(text: str) -> str:
    return quote(text, safe="").replace("-", "%2D")
