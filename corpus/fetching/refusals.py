"""Why a page was not fetched: one record with the address, the reason and what to do about it."""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from corpus.errors import CorpusError

Reason = Literal[
    "address",
    "robots",
    "unreachable",
    "tls",
    "slow",
    "broken",
    "large",
    "kind",
    "charset",
    "redirect",
    "gone",
    "busy",
    "status",
    "disk",
]

_ADVICE: Final[dict[Reason, str]] = {
    "address": "give the public http or https address of the page, as a browser shows it",
    "robots": "the site does not want this page fetched by programs; ask the publisher, or save it from a browser",
    "unreachable": "check the spelling and the connection, then run the command again: it goes on where it stopped",
    "tls": "the site's certificate or encryption is not accepted; tell its operator, or save the page from a browser",
    "slow": "run the command again later: it goes on where it stopped",
    "broken": "run the command again; if it stays so, save the page from a browser and ingest the file",
    "large": "raise the size limit if the page is wanted, or save the part that is",
    "kind": "only web pages, PDF, DOCX and text are fetched; save the content in one of these",
    "charset": "save the page from a browser as UTF-8 and ingest the file",
    "redirect": "open the address in a browser and give the one where it ends",
    "gone": "look for the page's new address on the site, and correct the list",
    "busy": "wait as long as the site asks, then run the command again",
    "status": "open the address in a browser; a page that needs a login cannot be fetched",
    "disk": "free space, or choose a folder that may be written to, and run the command again",
}
_SHOWN: Final = 200
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}:)//([^/?#\\@]*)(/[^?#\\]*)?(\?)?")
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::[0-9]{1,5})?")
_UNSEEN = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One address that was not fetched.

    Attributes:
        url: The address that was asked for, without what may be secret in it: name and password, query, fragment.
        reason: What kind of fault it is.
        detail: The fault in a few words, without the address.
        advice: What the reader can do about it.
    """

    url: str
    reason: Reason
    detail: str
    advice: str

    def __post_init__(self) -> None:
        if self.reason not in get_args(Reason) or not self.detail or not self.advice:
            raise ValueError(f"a refusal needs a known reason, a detail and an advice, got {self.reason!r}")

    def __str__(self) -> str:
        return f"{self.url}: {self.detail}; {self.advice}"


class FetchError(CorpusError):
    """A page cannot be fetched.

    Attributes:
        refusal: Address, reason and advice.
    """

    def __init__(self, url: str, reason: Reason, detail: str, advice: str = "") -> None:
        self.refusal = Refusal(plain_url(url), reason, detail, advice or _ADVICE[reason])
        super().__init__(str(self.refusal))


def plain_url(url: str) -> str:
    """Return an address as it may be shown and logged, whatever it holds.

    Name and password, query and fragment are left out, a query leaving its question mark behind. What is no plain
    ``scheme://host:port/path`` shows its scheme at most: where the password of a broken address ends, nobody knows.
    The result has no control characters and at most 201 characters.
    """
    match = _ADDRESS.match(url)
    if match is None:
        scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]{0,20}:", url)
        return f"{scheme[0]}…" if scheme else "…"
    path = match[3] or ""
    torn = "@" in url[match.end(2) :] and ("." not in match[2] or ":" in match[2])  # a password may hold a slash
    if torn or not _AUTHORITY.fullmatch(match[2]) or (not match[4] and url[match.end() :][:1] not in {"", "#"}):
        return f"{match[1]}//…"
    shown = _UNSEEN.sub("�", f"{match[1]}//{match[2]}{path}{match[4] or ''}")
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
