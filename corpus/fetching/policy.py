"""What the fetcher may do: how often it asks, how long it waits, how much it takes and of what kind."""

import re
from dataclasses import dataclass
from typing import Final

_MEGABYTE: Final = 1024 * 1024
_AGENT = re.compile(r"[A-Za-z_-]+(?:/[\x21-\x7e]+)?(?: [\x21-\x7e]+)*")
_ALLOWED = re.compile(r"(?:\[[0-9a-f:]+\]|[a-z0-9._-]+):[0-9]{1,5}")

HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
XML: Final = frozenset({"application/xml", "text/xml"})
TEXT: Final = HTML | XML | {"text/plain", "text/markdown"}
PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """The fetcher's manners and limits.

    Attributes:
        user_agent: Product name first, then a version and where to learn more. robots.txt is read for the name.
        allow: ``host:port`` of machines inside the network that may be asked all the same, for operators and tests.
        seconds_between_requests: Least time from one request to a host to the next; at least 1. robots.txt may ask
            for more.
        longest_delay_seconds: A site that asks for more time between requests is left alone.
        connect_seconds: For looking the name up, and again for connecting.
        read_seconds: For each time that something is waited for on an open connection.
        total_seconds: For one request from beginning to end, the waiting between requests not counted.
        page_bytes: Largest page, as it is sent and as it is unpacked.
        robots_bytes: Largest robots.txt.
        redirects: Most redirects that are followed for a page; at most 5.
        media_types: What is taken.
    """

    user_agent: str = "Backline/0.1 (reads health pages for its own user)"
    allow: frozenset[str] = frozenset()
    seconds_between_requests: float = 1.0
    longest_delay_seconds: float = 60.0
    connect_seconds: float = 10.0
    read_seconds: float = 15.0
    total_seconds: float = 60.0
    page_bytes: int = 20 * _MEGABYTE
    robots_bytes: int = 500 * 1024
    redirects: int = 5
    media_types: frozenset[str] = TEXT | {PDF, DOCX}

    def __post_init__(self) -> None:
        if not _AGENT.fullmatch(self.user_agent):
            raise ValueError("user_agent is a product name in letters, then optional printable ASCII")
        if bad := [entry for entry in self.allow if not _ALLOWED.fullmatch(entry)]:
            raise ValueError(f"allow lists host:port in lower case, got {bad[0]!r}")
        if not 1 <= self.seconds_between_requests <= self.longest_delay_seconds:
            raise ValueError("seconds_between_requests is at least 1 and at most longest_delay_seconds")
        if min(self.connect_seconds, self.read_seconds, self.total_seconds) <= 0:
            raise ValueError("time limits are above 0")
        if min(self.page_bytes, self.robots_bytes) < 1 or not 0 <= self.redirects <= 5:
            raise ValueError("size limits are above 0, and redirects 0 to 5")
