"""The address guard: which addresses may be asked for, and to which machine the connection may go.

A page on the list, or a redirect, can name a machine that only this one can reach. So an address is taken apart once,
by rules stricter than a browser's, and rebuilt from its parts; nothing later reads the original again. A name is
resolved once, every address it has is checked, and the connection goes to an address that was checked.

The tables are our own: those of ``ipaddress`` differ between versions of Python. A property test holds ours to be at
least as strict.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, urlsplit

from corpus.fetching.refusals import FetchError

Scheme = Literal["http", "https"]
Lookup = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a name in the order to try them; raises ``OSError`` if there are none."""

PORTS: Final[dict[Scheme, int]] = {"http": 80, "https": 443}
LONGEST_URL: Final = 4_096

_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_SAFE: Final = "/%:=&?~+!$,;'@()*[]-._"
_INSIDE: Final = frozenset("localhost local internal intranet lan home corp private localdomain onion".split())

_NEVER_V4: Final = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network, and unspecified
        "100.100.100.200/32",  # metadata address of a cloud
        "168.63.129.16/32",  # likewise, although the block is public
        "169.254.0.0/16",  # link-local, and most metadata addresses
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_LOCAL_V4: Final = tuple(
    ipaddress.IPv4Network(block)
    for block in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
_NEVER_V6: Final = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, with Teredo, benchmarks and ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
        "fd00:ec2::/32",  # metadata address of a cloud, inside the private block
    )
)
_LOCAL_V6: Final = (ipaddress.IPv6Network("::1/128"), ipaddress.IPv6Network("fc00::/7"))
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be asked for, in parts.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Name in lower case without a dot at its end, or IP address without brackets.
        port: 1 to 65535.
        path: Path and query in ASCII; begins with a slash.
    """

    scheme: Scheme
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header and an address write them; the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The whole address; two spellings of one address have the same."""
        return self.origin + self.path


def check_url(url: str, allow: frozenset[str] = frozenset()) -> Target:
    """Take an address apart, or refuse it. No name is looked up here.

    Args:
        url: The address, as it was given or as a redirect names it.
        allow: ``host:port`` of machines inside that may be asked all the same; an IPv6 address stands in brackets.

    Raises:
        FetchError: the scheme is not http or https; there is a user name or password, a control character, space or
            backslash in it; the host is no name with a dot and no address in its plain form, or belongs to the inside;
            the port is neither 80 nor 443, or the address is longer than ``LONGEST_URL`` characters.
    """
    if len(url) > LONGEST_URL:
        raise FetchError(url, "address", f"the address is longer than {LONGEST_URL} characters")
    if _FORBIDDEN.search(url) or any("\ud800" <= letter <= "\udfff" for letter in url):
        raise FetchError(url, "address", "the address holds a space, a backslash or a control character")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FetchError(url, "address", "the address cannot be read") from error
    if parts.scheme not in PORTS:
        raise FetchError(url, "address", "the address begins with neither http:// nor https://")
    scheme: Scheme = "https" if parts.scheme == "https" else "http"
    if "@" in parts.netloc:
        raise FetchError(url, "address", "the address holds a user name or password")
    match = _AUTHORITY.fullmatch(parts.netloc.lower()) if parts.netloc.isascii() else None
    if match is None:
        raise FetchError(url, "address", "the host is no plain name in ASCII (write xn-- for other letters)")
    host = _check_v6(url, match["v6"]) if match["v6"] else _check_name(url, match["name"])
    port = int(match["port"] or PORTS[scheme])
    path = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    target = Target(scheme, host, port, path if path.startswith("/") else f"/{path}")
    _check_inside(url, target, allow)
    return target


def resolve(target: Target, allow: frozenset[str], lookup: Lookup) -> tuple[str, ...]:
    """Look the host of a target up, once, and return its addresses if every one of them may be connected to.

    One bad address refuses them all: a name that has a public and a private address is up to no good. The name of an
    allowed machine may lead to a loopback or private address, never to a link-local, multicast or metadata one.

    Raises:
        FetchError: the name is not known, or has an address that is refused.
    """
    literal = _address(target.host)
    try:
        found = (target.host,) if literal else tuple(dict.fromkeys(lookup(target.host, target.port)))
    except OSError as error:
        raise FetchError(target.url, "unreachable", "the name of the host is not known") from error
    if not found:
        raise FetchError(target.url, "unreachable", "the name of the host has no address")
    for address in found:
        fault = address_fault(address, local=_is_allowed(target, allow))
        if fault:
            raise FetchError(target.url, "address", f"the host leads to {fault}")
    return found


def address_fault(address: str, *, local: bool = False) -> str:
    """Say what kind of address this is if no connection may go there; empty if one may.

    Args:
        address: An IPv4 or IPv6 address.
        local: Whether loopback and private addresses may be connected to.
    """
    ip = _address(address)
    if ip is None:
        return "something that is no IP address"
    if isinstance(ip, ipaddress.IPv4Address):
        if any(ip in block for block in _NEVER_V4):
            return "a link-local, multicast, metadata or reserved address"
        inside = any(ip in block for block in _LOCAL_V4)
    else:
        inside = any(ip in block for block in _LOCAL_V6)
        if any(ip in block for block in _NEVER_V6) or (ip not in _GLOBAL_V6 and not inside):
            return "a link-local, multicast, metadata or reserved address, or an IPv4 address in disguise"
        if (int(ip) >> 32) & 0xFFFF_FFFF in _ISATAP:
            return "an IPv4 address in disguise"
    return "a loopback or private address" if inside and not local else ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if "%" in text:  # a zone belongs to link-local addresses only
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _check_v6(url: str, text: str) -> str:
    ip = _address(text)
    if not isinstance(ip, ipaddress.IPv6Address):
        raise FetchError(url, "address", "the host is no IPv6 address")
    return str(ip)


def _check_name(url: str, name: str) -> str:
    """Return a name, or an IPv4 address in four plain decimal numbers; resolvers read many other forms of it."""
    labels = name.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        plain = ".".join(labels)
        if plain != name or _address(plain) is None:
            raise FetchError(url, "address", "the host is an IP address in a form that hides it")
        return plain
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise FetchError(url, "address", "the host is no name of a machine")
    return ".".join(labels)


def _check_inside(url: str, target: Target, allow: frozenset[str]) -> None:
    if not 1 <= target.port <= 65_535:
        raise FetchError(url, "address", "there is no such port")
    allowed = _is_allowed(target, allow)
    if _address(target.host):
        fault = address_fault(target.host, local=allowed)
        if fault:
            raise FetchError(url, "address", f"the host is {fault}")
    elif not allowed and _is_inside(target.host):
        raise FetchError(url, "address", "the host is a name inside a network")
    if not allowed and target.port not in PORTS.values():
        raise FetchError(url, "address", f"the port {target.port} is not one of the web (80, 443)")


def _is_inside(name: str) -> bool:
    return "." not in name or name.rpartition(".")[2] in _INSIDE or name.endswith(".home.arpa")


def _is_allowed(target: Target, allow: frozenset[str]) -> bool:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{host}:{target.port}" in allow
