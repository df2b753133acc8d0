"""Reads robots.txt: which paths a site keeps from programs, and how often it wants to be asked.

Source: RFC 9309 (Robots Exclusion Protocol), https://doi.org/10.17487/RFC9309. The standard library's parser takes the
first rule that fits and knows no ``*`` and ``$`` in a path; sites are written for the RFC, where the longest rule
decides. Beyond the RFC ``Crawl-delay`` and ``Request-rate`` are obeyed, as the standard library reads them, and 401 and
403 count as a no.
"""

import math
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

_SAFE: Final = "/*$?=&:;,+@!~()'[]-._"
_RATE = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True, slots=True)
class RobotRules:
    """What a site's robots.txt says to one program.

    Attributes:
        rules: Pattern of a path and whether it may be fetched. The longest pattern that fits decides; of two as long,
            the one that allows. A path that none fits may be fetched.
        delay_seconds: Time that the site wants between two requests; 0 if it says nothing.
    """

    rules: tuple[tuple[str, bool], ...] = ()
    delay_seconds: float = 0.0

    def allows(self, path: str) -> bool:
        """Say whether a path with its query may be fetched."""
        plain = _normal(path)
        fitting = [(len(pattern), allowed) for pattern, allowed in self.rules if _fits(pattern, plain)]
        return max(fitting)[1] if fitting else True


ALL_ALLOWED: Final = RobotRules()
NONE_ALLOWED: Final = RobotRules((("/", False),))


def rules_for_status(status: int) -> RobotRules | None:
    """Return what a reply to the request for robots.txt means by its status alone; None if its text decides.

    A file that is not there allows everything. A site that hides it (401, 403) or cannot tell (429, 5xx, anything
    else) allows nothing.
    """
    if status == 200:
        return None
    return ALL_ALLOWED if 400 <= status < 500 and status not in {401, 403, 429} else NONE_ALLOWED


def read_robots(content: bytes, user_agent: str) -> RobotRules:
    """Return the rules for one program.

    The groups that name the program are taken together; the groups for ``*`` hold only when none does. A group names
    it when its name is found in the program's, whatever the case. Lines that cannot be read are passed over.

    Args:
        content: The file. Bytes that are no UTF-8 spoil their line only.
        user_agent: As it is sent; the product name up to the first slash or space counts.
    """
    product = re.split(r"[/ ]", user_agent, maxsplit=1)[0].lower()
    named: list[tuple[str, str]] = []
    starred: list[tuple[str, str]] = []
    seen_named = in_agents = False
    fits_name = fits_star = False
    for key, value in _lines(content):
        if key == "user-agent":
            if not in_agents:
                fits_name = fits_star = False
            in_agents = True
            fits_star |= value == "*"
            fits_name |= value != "*" and value != "" and value.lower() in product
            seen_named |= fits_name
        else:
            in_agents = False
            if fits_name:
                named.append((key, value))
            if fits_star:
                starred.append((key, value))
    return _rules(named if seen_named else starred)


def _lines(content: bytes) -> list[tuple[str, str]]:
    """Return the lines that matter, as lower-case field and value."""
    found = []
    for line in content.decode("utf-8", errors="replace").removeprefix("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        name = key.strip().lower()
        if colon and name in {"user-agent", "allow", "disallow", "crawl-delay", "request-rate"}:
            found.append((name, value.strip()))
    return found


def _rules(lines: list[tuple[str, str]]) -> RobotRules:
    rules = []
    delay = 0.0
    for key, value in lines:
        if key in {"allow", "disallow"}:
            if value:
                rules.append((_normal(value if value[0] in "/*" else f"/{value}"), key == "allow"))
        elif key == "crawl-delay":
            delay = max(delay, _seconds(value))
        elif (rate := _RATE.fullmatch(value)) and int(rate[1]):
            delay = max(delay, int(rate[2]) / int(rate[1]))
    return RobotRules(tuple(rules), delay)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _normal(path: str) -> str:
    """Write a path in one way, whatever was percent-encoded in it."""
    return quote(unquote(path), safe=_SAFE)


def _fits(pattern: str, path: str) -> bool:
    """Match a pattern with ``*`` and a ``$`` at its end; one pass, so that no pattern can make it slow."""
    anchored = pattern.endswith("$")
    pieces = pattern.removesuffix("$").split("*")
    if not path.startswith(pieces[0]):
        return False
    if len(pieces) == 1:
        return not anchored or path == pieces[0]
    place = len(pieces[0])
    for piece in pieces[1:-1]:
        found = path.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    last = pieces[-1]
    return path.endswith(last) and len(path) - len(last) >= place if anchored else path.find(last, place) >= 0
