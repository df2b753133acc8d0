"""R15: what the guard refuses, before a name is looked up and after."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.fetching.addresses import Target, address_fault, check_url, resolve
from corpus.fetching.refusals import FetchError, plain_url
from tests.drilling import PROPERTY

_REFUSED = [
    # loopback
    "http://127.0.0.1/",
    "http://127.0.0.1:80/",
    "http://127.8.9.10/",
    "https://localhost/",
    "http://LOCALHOST./",
    "http://app.localhost/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    # private
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://printer/",
    "http://wiki.internal/",
    "http://nas.local/",
    "http://router.home.arpa/",
    # link-local and metadata
    "http://169.254.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://metadata.google.internal/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00:ec2::254]/",
    # unspecified, multicast, reserved, documentation
    "http://0.0.0.0/",
    "http://0/",
    "http://[::]/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://[ff02::1]/",
    "http://255.255.255.255/",
    "http://240.0.0.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://[2001:db8::1]/",
    # decimal, octal, hexadecimal, short and mixed forms
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://0177.0x0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1./",
    "http://127.0.0.01/",
    "http://256.256.256.256/",
    "http://8.8.8.0x8/",
    "http://134744072/",
    "http://1.2.3.4.5/",
    # IPv4 inside IPv6
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2001:0:53aa:64c:0:0:80ff:fffe]/",
    "http://[2600:1f18::5efe:10.0.0.1]/",
    # user names, and hosts that parsers disagree about
    "http://user@example.org/",
    "http://user:password@example.org/",
    "http://@example.org/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1#@example.org/",
    "http://127.0.0.1\\@example.org/",
    "http://example.org\\@127.0.0.1/",
    "http://example.org%2f@127.0.0.1/",
    "http://127.0.0.1%00.example.org/",
    "http://[::1].example.org/",
    "http://example.org[::1]/",
    "http://%31%32%37.0.0.1/",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://ⓛocalhost/",
    "http://exa mple.org/",
    "http://example.org/\r\nHost: 127.0.0.1",
    "http://example.org\t/",
    " http://example.org/",
    "http://example.org:80:81/",
    "http://-a.example.org/",
    "http://a..example.org/",
    "http://" + "a" * 64 + ".org/",
    "http:///etc/passwd",
    "http://",
    "http:example.org/",
    "//example.org/",
    "example.org/",
    "",
    "http://example.org/" + "a" * 5_000,
    # schemes
    "ftp://example.org/",
    "file:///etc/passwd",
    "gopher://example.org:70/_x",
    "javascript:alert(1)",
    "data:text/html,x",
    "dict://example.org/",
    "ws://example.org/",
    "unix:///run/x.sock",
    "view-source:http://example.org/",
    # odd ports
    "http://example.org:22/",
    "http://example.org:8080/",
    "https://example.org:8443/",
    "http://example.org:0/",
    "http://example.org:65536/",
    "http://example.org:99999/",
    "http://example.org:-80/",
    "http://example.org:8０/",
]


@pytest.mark.drill("R15")
@pytest.mark.parametrize("url", _REFUSED)
def test_the_guard_refuses(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        check_url(url)
    assert caught.value.refusal.reason == "address"


def test_the_table_has_more_rows_than_the_drill_asks_for() -> None:
    assert len(set(_REFUSED)) == len(_REFUSED) >= 40


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path"),
    [
        ("https://medlineplus.gov/backpain.html", "https", "medlineplus.gov", 443, "/backpain.html"),
        ("HTTPS://MedlinePlus.GOV./a", "https", "medlineplus.gov", 443, "/a"),
        ("http://example.org", "http", "example.org", 80, "/"),
        ("http://example.org:443/", "http", "example.org", 443, "/"),
        ("https://example.org/a?b=c&d=%20e#part", "https", "example.org", 443, "/a?b=c&d=%20e"),
        ("https://example.org/Rücken?q=ä", "https", "example.org", 443, "/R%C3%BCcken?q=%C3%A4"),
        ("https://example.org//b", "https", "example.org", 443, "//b"),
        ("https://example.org?x", "https", "example.org", 443, "/?x"),
        ("https://xn--rcken-kva.example/", "https", "xn--rcken-kva.example", 443, "/"),
        ("http://8.8.8.8/", "http", "8.8.8.8", 80, "/"),
        ("http://[2606:4700:0::1111]/", "http", "2606:4700::1111", 80, "/"),
    ],
)
def test_the_guard_takes_apart(url: str, scheme: str, host: str, port: int, path: str) -> None:
    target = check_url(url)
    assert (target.scheme, target.host, target.port, target.path) == (scheme, host, port, path)


def test_a_target_is_written_without_the_port_of_its_scheme_and_with_brackets() -> None:
    assert Target("https", "2606:4700::1111", 443, "/a").url == "https://[2606:4700::1111]/a"
    assert Target("http", "example.org", 443, "/a").url == "http://example.org:443/a"


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "[::1]", "[fd12::1]", "intranet", "a.local"])
def test_an_operator_may_allow_a_machine_inside(host: str) -> None:
    assert check_url(f"http://{host}:8123/x", frozenset({f"{host}:8123"})).authority == f"{host}:8123"
    for other in (f"http://{host}:8124/x", f"http://{host}/x"):
        with pytest.raises(FetchError):
            check_url(other, frozenset({f"{host}:8123"}))


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]", "[::ffff:127.0.0.1]", "2130706433"]
)
def test_what_no_operator_may_allow(host: str) -> None:
    with pytest.raises(FetchError):
        check_url(f"http://{host}/", frozenset({f"{host}:80"}))


def test_an_allowed_machine_is_still_asked_by_http_without_a_user_name() -> None:
    allow = frozenset({"127.0.0.1:8123"})
    for url in ("ftp://127.0.0.1:8123/", "http://a@127.0.0.1:8123/"):
        with pytest.raises(FetchError):
            check_url(url, allow)


_PUBLIC = check_url("https://pages.example/")


@pytest.mark.drill("R15")
@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("8.8.8.8", "10.0.0.1"),
        ("2606:4700::1111", "::1"),
        ("169.254.169.254",),
        ("::ffff:10.0.0.1",),
        ("64:ff9b::a00:1",),
        ("fe80::1%eth0",),
        ("0.0.0.0",),
        ("nonsense",),
    ],
)
def test_one_bad_address_of_a_name_refuses_all(addresses: tuple[str, ...]) -> None:
    with pytest.raises(FetchError) as caught:
        resolve(_PUBLIC, frozenset(), lambda _host, _port: addresses)
    assert caught.value.refusal.reason == "address"


def test_the_addresses_of_a_name_come_in_the_resolvers_order_each_once() -> None:
    found = resolve(_PUBLIC, frozenset(), lambda _host, _port: ("8.8.4.4", "8.8.8.8", "8.8.4.4"))
    assert found == ("8.8.4.4", "8.8.8.8")


def test_an_address_is_not_looked_up() -> None:
    def never(host: str, port: int) -> tuple[str, ...]:
        raise AssertionError(f"{host}:{port} was looked up")

    assert resolve(check_url("http://8.8.8.8/"), frozenset(), never) == ("8.8.8.8",)


def test_the_name_of_an_allowed_machine_may_lead_inside_but_not_to_metadata() -> None:
    allow = frozenset({"pages.example:443"})
    assert resolve(_PUBLIC, allow, lambda _host, _port: ("10.0.0.1",)) == ("10.0.0.1",)
    with pytest.raises(FetchError):
        resolve(_PUBLIC, allow, lambda _host, _port: ("169.254.169.254",))


def test_an_unknown_name_is_unreachable() -> None:
    def unknown(_host: str, _port: int) -> tuple[str, ...]:
        raise OSError

    for lookup in (unknown, lambda _host, _port: ()):
        with pytest.raises(FetchError) as caught:
            resolve(_PUBLIC, frozenset(), lookup)
        assert caught.value.refusal.reason == "unreachable"


@pytest.mark.drill("R11")
@PROPERTY
@given(st.ip_addresses())
def test_no_address_passes_that_the_standard_library_holds_for_special(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address_fault(str(address)):
        assert address.is_global
        assert not address.is_multicast
        assert not isinstance(address, ipaddress.IPv6Address) or (address.ipv4_mapped, address.sixtofour) == (
            None,
            None,
        )


_DISGUISES = st.sampled_from(["{0}", "0x{0:08x}", "0{0:o}", "[::ffff:{1}]", "[::{1}]", "[64:ff9b::{1}]", "{2}.{3}"])


@pytest.mark.drill("R11")
@PROPERTY
@given(st.ip_addresses(v=4), _DISGUISES)
def test_no_ipv4_address_passes_in_disguise(address: ipaddress.IPv4Address, form: str) -> None:
    number = int(address)
    host = form.format(number, address, number >> 24, number & 0xFF_FFFF)
    with pytest.raises(FetchError):
        check_url(f"http://{host}/")


@pytest.mark.drill("R11")
@PROPERTY
@given(st.text(max_size=60).map(lambda tail: f"http://{tail}") | st.text(max_size=60))
def test_any_text_is_refused_or_rebuilt_to_an_address_that_reads_the_same(url: str) -> None:
    try:
        target = check_url(url)
    except FetchError:
        return
    assert target.url.isascii()
    assert target.port in {80, 443}
    assert check_url(target.url) == target


_WORD = st.text(alphabet="abcXYZ019$!&'()*+,;=%:/@", min_size=1, max_size=12)


@pytest.mark.drill("R11")
@PROPERTY
@given(_WORD, _WORD, _WORD)
def test_no_secret_of_an_address_is_shown(name: str, password: str, query: str) -> None:
    shown = plain_url(f"https://Q{name}:S3{password}@example.org/page?token=K5{query}#K5")
    assert not {"S3", "K5", "Q"} & {shown[at : at + 2] for at in range(len(shown))}
    assert not any(secret in shown for secret in ("S3", "K5", "token"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a/b?c=d#e", "https://example.org/a/b?"),
        ("http://me:secret@example.org/", "http://…"),
        ("http://me:sec/ret@example.org/", "http://…"),
        ("http://me:12/34@example.org/", "http://…"),
        ("https://example.org/@me/a", "https://example.org/@me/a"),
        ("https://example.org/\r\nX", "https://example.org/��X"),
        ("data:text/html,secret", "data:…"),
        ("secret", "…"),
        ("", "…"),
    ],
)
def test_an_address_is_shown_as(url: str, shown: str) -> None:
    assert plain_url(url) == shown
