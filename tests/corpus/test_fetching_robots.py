from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.fetching.robots import ALL_ALLOWED, NONE_ALLOWED, RobotRules, read_robots, rules_for_status

_AGENT = "Backline/0.1 (about)"


def _allows(text: str, path: str) -> bool:
    return read_robots(text.encode(), _AGENT).allows(path)


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("user-AGENT: *\ndisAllow : /a # not this", "/a/b", False),
        ("User-agent: *\nDisallow: /a", "/b", True),
        ("User-agent: *\nDisallow: /\nAllow: /open", "/open/x", True),
        ("User-agent: *\nAllow: /\nDisallow: /shut", "/shut", False),
        ("User-agent: *\nDisallow: /same\nAllow: /same", "/same", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x", True),
        ("User-agent: *\nDisallow: /*?print=", "/a?x=1&print=2", True),
        ("User-agent: *\nDisallow: /*print=", "/a?x=1&print=2", False),
        ("User-agent: *\nDisallow: /exact$", "/exact", False),
        ("User-agent: *\nDisallow: /exact$", "/exactly", True),
        ("User-agent: *\nDisallow: /a*a$", "/a", True),
        ("User-agent: *\nDisallow: /a%3cd", "/a%3Cd", False),
        ("User-agent: *\nDisallow: /ä", "/%C3%A4", False),
        ("User-agent: Other\nDisallow: /", "/a", True),
        ("User-agent: backline\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", True),
        ("User-agent: *\nDisallow: /b\n\nUser-agent: BackLine\nDisallow: /a", "/a", False),
        ("User-agent: Other\nUser-agent: Backline\nDisallow: /a", "/a", False),
        ("User-agent: Backline\nDisallow: /a\nUser-agent: Other\nDisallow: /b", "/b", True),
        ("User-agent: Backline\nDisallow: /a\nUser-agent: Backline\nDisallow: /b", "/a", False),
        ("Disallow: /before-any-group", "/before-any-group", True),
        ("\ufeffUser-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("<html>not a robots file</html>", "/a", True),
    ],
)
def test_robots_txt_says(text: str, path: str, *, allowed: bool) -> None:
    assert _allows(text, path) is allowed


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-agent: *\nCrawl-delay: 7", 7.0),
        ("User-agent: *\nCrawl-delay: 2.5", 2.5),
        ("User-agent: *\nRequest-rate: 1/9", 9.0),
        ("User-agent: *\nRequest-rate: 2/9\nCrawl-delay: 3", 4.5),
        ("User-agent: *\nCrawl-delay: soon", 0.0),
        ("User-agent: *\nCrawl-delay: inf", 0.0),
        ("User-agent: *\nCrawl-delay: -3", 0.0),
        ("User-agent: *\nRequest-rate: 0/5", 0.0),
        ("User-agent: Other\nCrawl-delay: 7", 0.0),
    ],
)
def test_a_site_may_want_time_between_requests(text: str, seconds: float) -> None:
    assert read_robots(text.encode(), _AGENT).delay_seconds == seconds


@pytest.mark.parametrize(
    ("status", "rules"),
    [
        (200, None),
        (404, ALL_ALLOWED),
        (410, ALL_ALLOWED),
        (400, ALL_ALLOWED),
        (401, NONE_ALLOWED),
        (403, NONE_ALLOWED),
        (429, NONE_ALLOWED),
        (500, NONE_ALLOWED),
        (503, NONE_ALLOWED),
        (204, NONE_ALLOWED),
    ],
)
def test_a_status_alone_decides(status: int, rules: RobotRules | None) -> None:
    assert rules_for_status(status) == rules
    assert ALL_ALLOWED.allows("/a")
    assert not NONE_ALLOWED.allows("/a")


_PATHS = st.sampled_from(["/", "/a", "/a/", "/a/b", "/ab", "/b?c=d", "/%C3%A4", "/b"])


@settings(max_examples=200, deadline=None)
@given(st.lists(_PATHS, max_size=4), _PATHS, st.sampled_from(["*", "Backline", "Other"]))
def test_without_wildcards_and_exceptions_it_agrees_with_the_standard_library(
    shut: list[str], path: str, agent: str
) -> None:
    lines = [f"User-agent: {agent}", *(f"Disallow: {rule}" for rule in shut)]
    oracle = RobotFileParser()
    oracle.parse(lines)
    assert _allows("\n".join(lines), path) == oracle.can_fetch(_AGENT, f"https://example.org{path}")


def test_a_pattern_made_to_be_slow_is_not() -> None:
    assert _allows("User-agent: *\nDisallow: /" + "a*" * 20_000 + "b", "/" + "a" * 4_000)
