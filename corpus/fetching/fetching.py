"""Fetches a list of pages as a good guest: asks robots.txt first, waits between requests, takes nothing twice."""

import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urljoin

from corpus.fetching.addresses import Target, check_url
from corpus.fetching.caching import FetchedPage, PageCache, page_key
from corpus.fetching.charsets import tell_charset
from corpus.fetching.connecting import Headers, Network, Reply, ask
from corpus.fetching.policy import HTML, PDF, TEXT, XML, FetchPolicy
from corpus.fetching.refusals import FetchError, Refusal, plain_url
from corpus.fetching.robots import RobotRules, read_robots, rules_for_status

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_BUSY: Final = frozenset({429, 503})
_LONGEST_VALIDATOR: Final = 300
_END_OF_HTML = re.compile(rb"</html\s*>(?:\s|<!--.*?-->)*\Z", re.IGNORECASE | re.DOTALL)
_START_OF_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)


class Clock(Protocol):
    """The time between requests; a test has one that does not wait."""

    def monotonic(self) -> float:
        """Return seconds from some fixed moment on."""

    def sleep(self, seconds: float, /) -> None:
        """Let some seconds pass."""


def fetch_pages(
    urls: Iterable[str],
    folder: Path,
    *,
    policy: FetchPolicy,
    network: Network | None = None,
    clock: Clock | None = None,
) -> Iterator[FetchedPage | Refusal]:
    """Fetch pages one after another into a folder, which is also the cache of the next run.

    Each address gives one item, in the order of the list, as soon as it is settled. A run that was stopped goes on
    where it was: finished pages come from disk without a request, refused ones are tried again. After a whole run
    the next asks for every page again, on condition that it has changed.

    Args:
        urls: Addresses of pages.
        folder: Where the pages are kept; made if it is missing. Its files are for their owner alone.
        policy: Manners and limits.
        network: How names are looked up and connections opened.
        clock: What waits between requests. Time limits run by the real clock.

    Yields:
        The page, whole and written to disk, or why there is none.

    Raises:
        FetchError: the folder cannot be written to; the pages before are kept.
    """
    listed = tuple(urls)
    cache = PageCache(folder)
    done = cache.read_done(listed)
    visit = _Visit(cache, policy, network or Network(), clock or time)
    for url in listed:
        try:
            target = check_url(url, policy.allow)
            key = page_key(target.url)
            page = cache.read(target.url, "resumed") if key in done else None
            if page is None:
                page = visit.fetch(target)
                done.add(key)
                cache.write_done(listed, done)
        except FetchError as error:
            if error.refusal.reason == "disk":
                raise
            yield error.refusal
        else:
            yield page
    cache.finish()


class _Visit:
    """What one run knows of the sites it visits."""

    def __init__(self, cache: PageCache, policy: FetchPolicy, network: Network, clock: Clock) -> None:
        self._cache = cache
        self._policy = policy
        self._network = network
        self._pace = _Pace(clock)
        self._robots: dict[str, RobotRules | FetchError] = {}

    def fetch(self, asked: Target) -> FetchedPage:
        """Return the page of an address from its site, or from disk if the site says that it is the same."""
        cached = self._cache.read(asked.url, "unchanged")
        target = asked
        try:
            for _ in range(self._policy.redirects + 1):
                delay = self._obey_robots(target)
                reply = self._ask(target, cached, delay)
                if reply.status not in _REDIRECTS:
                    return self._settle(asked, target, reply, cached)
                target = self._follow(target, reply)
        except FetchError as error:
            raise _as_asked(asked, error) from error
        raise FetchError(asked.url, "redirect", f"there are more than {self._policy.redirects} redirects")

    def _ask(self, target: Target, cached: FetchedPage | None, delay: float) -> Reply:
        headers = {"User-Agent": self._policy.user_agent, "Accept": ", ".join(sorted(self._policy.media_types))}
        if cached and cached.final_url == target.url:  # the marks of one address say nothing about another
            headers |= {"If-None-Match": cached.etag} if cached.etag else {}
            headers |= {"If-Modified-Since": cached.last_modified} if cached.last_modified else {}

        def want(status: int, received: Headers) -> bool:
            if status == 200:
                _check_kind(target, _media_type(received), self._policy)
            return status == 200

        self._pace.wait(target.host, delay)
        reply = ask(target, headers, self._policy.page_bytes, want, self._policy, self._network)
        if reply.status in _BUSY:
            self._pace.postpone(target.host, min(_retry_after(reply.headers), self._policy.longest_delay_seconds))
        return reply

    def _settle(self, asked: Target, target: Target, reply: Reply, cached: FetchedPage | None) -> FetchedPage:
        if reply.status == 304 and cached and cached.final_url == target.url:
            return cached
        _check_status(target, reply)
        media_type = _media_type(reply.headers) or _guess_kind(target, reply.content)
        _check_kind(target, media_type, self._policy)
        if not reply.whole and not _shows_its_end(media_type, reply.content):
            raise FetchError(target.url, "broken", "nothing shows that the page came whole")
        page = FetchedPage(
            url=asked.url,
            final_url=target.url,
            media_type=media_type,
            charset=_charset(target, media_type, reply),
            content=reply.content,
            sha256=hashlib.sha256(reply.content).hexdigest(),
            fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
            etag=_validator(reply.headers, "etag"),
            last_modified=_validator(reply.headers, "last-modified"),
            outcome="fetched",
        )
        self._cache.write(page)
        return page

    def _follow(self, target: Target, reply: Reply) -> Target:
        """Return where a redirect leads, checked like any address."""
        location = reply.headers.get("location", "")
        try:
            # Header bytes are read as Latin-1; an address that is not ASCII is meant as UTF-8.
            url = urljoin(target.url, location.encode("latin-1").decode("utf-8"))
        except ValueError:
            url = ""
        if not location or not url:
            raise FetchError(target.url, "redirect", "a redirect says not where to")
        following = check_url(url, self._policy.allow)
        if target.scheme == "https" and following.scheme == "http":
            raise FetchError(following.url, "redirect", "the redirect would leave the encrypted connection")
        return following

    def _obey_robots(self, target: Target) -> float:
        """Return the seconds to leave before a request, or refuse it."""
        rules = self._robots.get(target.origin)
        if rules is None:
            try:
                rules = self._read_robots(target)
            except FetchError as error:
                rules = error  # once a run is enough to find that a site is down
            self._robots[target.origin] = rules
        if isinstance(rules, FetchError):
            raise FetchError(
                target.url, rules.refusal.reason, f"on the way to robots.txt: {rules.refusal.detail}"
            ) from rules
        if not rules.allows(target.path):
            raise FetchError(target.url, "robots", "robots.txt forbids the page, or cannot be had")
        if rules.delay_seconds > self._policy.longest_delay_seconds:
            raise FetchError(target.url, "robots", f"robots.txt wants {rules.delay_seconds:.0f} s between requests")
        return max(rules.delay_seconds, self._policy.seconds_between_requests)

    def _read_robots(self, site: Target) -> RobotRules:
        target = replace(site, path="/robots.txt")
        policy = self._policy
        for _ in range(policy.redirects + 1):
            self._pace.wait(target.host, policy.seconds_between_requests)
            headers = {"User-Agent": policy.user_agent, "Accept": "text/plain, */*;q=0.1"}
            reply = ask(target, headers, policy.robots_bytes, lambda status, _: status == 200, policy, self._network)
            if reply.status in _REDIRECTS:
                target = self._follow(target, reply)
                continue
            by_status = rules_for_status(reply.status)
            return read_robots(reply.content, policy.user_agent) if by_status is None else by_status
        raise FetchError(target.url, "redirect", f"there are more than {policy.redirects} redirects")


class _Pace:
    """Holds requests to one host apart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def wait(self, host: str, delay: float) -> None:
        """Wait until a host may be asked, and count the request."""
        now = self._clock.monotonic()
        ready = max(self._last.get(host, now - delay) + delay, self._not_before.get(host, now))
        while now < ready:  # a sleep may end early
            self._clock.sleep(ready - now)
            now = self._clock.monotonic()
        self._last[host] = now

    def postpone(self, host: str, seconds: float) -> None:
        """Leave a host in peace for some seconds from now on."""
        self._not_before[host] = self._clock.monotonic() + seconds


def _as_asked(asked: Target, error: FetchError) -> FetchError:
    """Name the address of the list, and the one at fault where a redirect led to another."""
    refusal = error.refusal
    if refusal.reason == "disk" or refusal.url == plain_url(asked.url):
        return error
    return FetchError(asked.url, refusal.reason, f"it leads to {refusal.url}: {refusal.detail}", refusal.advice)


def _check_status(target: Target, reply: Reply) -> None:
    if reply.status in {404, 410}:
        raise FetchError(target.url, "gone", f"the page is not there (HTTP {reply.status})")
    if reply.status in _BUSY:
        seconds = _retry_after(reply.headers)
        raise FetchError(target.url, "busy", f"the site wants {seconds:.0f} s of peace (HTTP {reply.status})")
    if reply.status != 200:
        raise FetchError(target.url, "status", f"the site answered with HTTP {reply.status}")


def _check_kind(target: Target, media_type: str, policy: FetchPolicy) -> None:
    """Refuse a kind that is not taken; an empty one is left for the content to tell."""
    if media_type and media_type not in policy.media_types:
        shown = media_type if re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}", media_type) else "of no known kind"
        raise FetchError(target.url, "kind", f"the page is {shown}")


def _guess_kind(target: Target, content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return PDF
    if _START_OF_HTML.match(content):
        return "text/html"
    raise FetchError(target.url, "kind", "the site does not say what the page is")


def _charset(target: Target, media_type: str, reply: Reply) -> str:
    if media_type not in TEXT:
        return ""
    match = re.search(r"charset\s*=\s*[\"']?([^\s\"';]+)", reply.headers.get("content-type", ""), re.IGNORECASE)
    charset = tell_charset(reply.content, match[1] if match else "", markup=media_type in HTML | XML)
    if charset is None:
        raise FetchError(target.url, "charset", "the encoding of its letters cannot be told")
    return charset


def _shows_its_end(media_type: str, content: bytes) -> bool:
    if media_type in HTML:
        return _END_OF_HTML.search(content[-_LONGEST_VALIDATOR:]) is not None
    return media_type == PDF and b"%%EOF" in content[-1024:]


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _validator(headers: Headers, name: str) -> str:
    """Return a header to send back later, if it can be."""
    value = headers.get(name, "").strip()
    return value if len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable() else ""


def _retry_after(headers: Headers) -> float:
    value = headers.get("retry-after", "").strip()
    return float(value[:6]) if value.isascii() and value.isdecimal() else 30.0
