"""Sitemaps among the addresses to fetch: each stands for the pages that it lists.

What a sitemap lists is a stranger's word. Only pages of its own site are taken, an index is followed one step, and
there is an end to how many files and pages come of one list.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from corpus.errors import UnreadableDocumentError
from corpus.fetching.addresses import check_url
from corpus.fetching.fetching import Clock, fetch_pages
from corpus.fetching.policy import FetchPolicy
from corpus.fetching.refusals import FetchError, Refusal
from corpus.sandbox import Sandbox

MOST_PAGES: Final = 5_000
MOST_FILES: Final = 50
_MOST_BYTES: Final = 50 * 1024 * 1024
_XML: Final = frozenset({"application/xml", "text/xml", "text/plain"})
_GZIP: Final = frozenset({"application/gzip", "application/x-gzip", "application/octet-stream"})
_READER: Final = "corpus.reading.sitemap:list_addresses"
_NOT_OWN: Final = "the sitemap lists pages of another site"
_GIVE_THEM: Final = "give their addresses themselves if they are wanted"


def list_pages(
    urls: Sequence[str],
    folder: Path,
    *,
    policy: FetchPolicy,
    sandbox: Sandbox,
    on_refusal: Callable[[Refusal], None],
    clock: Clock | None = None,
) -> list[str]:
    """Return the addresses of pages, each sitemap replaced by what it lists.

    Args:
        urls: Addresses; one whose path ends in ``.xml`` or ``.xml.gz`` is taken for a sitemap.
        folder: Where fetched sitemaps are kept.
        policy: Manners and limits.
        sandbox: Where the XML is parsed.
        on_refusal: Told of each sitemap that cannot be used and of what was left out; the others go on.
        clock: What waits between requests.

    Returns:
        Each address once, in order.

    Raises:
        FetchError: the folder cannot be written to.
    """
    maps = _Sitemaps(folder, replace(policy, media_types=_XML | _GZIP), sandbox, on_refusal, clock)
    pages: list[str] = []
    for url in urls:
        pages += maps.pages_of(url) if _is_sitemap(url) else [url]
    return list(dict.fromkeys(pages))


class _Sitemaps:
    """Follows the sitemaps of one list, within its limits."""

    def __init__(
        self,
        folder: Path,
        policy: FetchPolicy,
        sandbox: Sandbox,
        on_refusal: Callable[[Refusal], None],
        clock: Clock | None,
    ) -> None:
        self._folder = folder
        self._policy = policy
        self._sandbox = sandbox
        self._refuse = on_refusal
        self._clock = clock
        self._files_left = MOST_FILES

    def pages_of(self, url: str) -> list[str]:
        """Return what a sitemap lists, and what the sitemaps of an index list."""
        listed = self._read(url)
        pages = listed["pages"]
        for further in self._own(url, listed["sitemaps"]):
            pages += self._read(further)["pages"]
        own = self._own(url, pages)
        if len(own) > MOST_PAGES:
            detail = f"it lists {len(own)} pages, and the first {MOST_PAGES} are taken"
            self._refuse(Refusal(url, "large", detail, "give a smaller sitemap of the same site for the others"))
        return own[:MOST_PAGES]

    def _read(self, url: str) -> dict[str, list[str]]:
        nothing: dict[str, list[str]] = {"pages": [], "sitemaps": []}
        if self._files_left == 0:
            detail = f"more than {MOST_FILES} sitemaps are listed"
            self._refuse(Refusal(url, "large", detail, "give this one by itself"))
            return nothing
        self._files_left -= 1
        for outcome in fetch_pages([url], self._folder, policy=self._policy, clock=self._clock):
            if isinstance(outcome, Refusal):
                self._refuse(outcome)
                continue
            try:
                content = _unpacked(outcome.content, outcome.url)
                found = self._sandbox.run(_READER, content, outcome.url)
            except UnreadableDocumentError as error:
                fault, _, advice = error.reason.partition("; ")
                self._refuse(Refusal(outcome.url, "broken", fault, advice or "give the addresses of its pages"))
                continue
            if isinstance(found, dict):
                return {
                    kind: [address for address in found.get(kind, []) if isinstance(address, str)] for kind in nothing
                }
        return nothing

    def _own(self, url: str, addresses: Sequence[str]) -> list[str]:
        """Return the addresses that are on the sitemap's own site and may be asked for."""
        if not addresses:
            return []
        site = check_url(url, self._policy.allow).origin
        own = []
        for address in addresses:
            try:
                target = check_url(address, self._policy.allow)
            except FetchError as error:
                self._refuse(error.refusal)
                continue
            if target.origin == site:
                own.append(target.url)
        if len(own) < len(addresses):
            self._refuse(Refusal(url, "address", _NOT_OWN, _GIVE_THEM))
        return list(dict.fromkeys(own))


def _is_sitemap(url: str) -> bool:
    path = url.split("?", 1)[0].split("#", 1)[0].lower()
    return path.endswith((".xml", ".xml.gz"))


def _unpacked(content: bytes, name: str) -> bytes:
    """Return a sitemap's XML; one that is packed is unpacked as far as the protocol's limit.

    Raises:
        UnreadableDocumentError: it is damaged, or longer.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, _MOST_BYTES)
    except zlib.error:
        raise UnreadableDocumentError(name, "what is packed in it is damaged; tell the site's operator") from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise UnreadableDocumentError(name, "it is longer than 50 MB or cut off; give a smaller sitemap")
    return unpacked
