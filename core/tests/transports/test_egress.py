"""Where requests may go: to declared hosts, and never to an address that hands out credentials."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as some

from byollm.transports.base import Broken, Place
from byollm.transports.egress import destination, is_forbidden
from byollm.transports.names import Address, checked
from byollm.transports.progress import Stop

FORBIDDEN = [
    "169.254.169.254",
    "169.254.0.1",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "0.0.0.0",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "::",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::ffff:100.100.100.200",
    "::ffff:0.0.0.0",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::1",
]
FINE = ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "fd00::1", "1.1.1.1", "2606:4700::1111",
        "::ffff:10.0.0.1", "64:ff9b::1.1.1.1"]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_forbidden_address(address):
    """Metadata services, link-local, unspecified, broadcast and multicast, also as IPv4 inside IPv6."""
    assert is_forbidden(address)


@pytest.mark.parametrize("address", FINE)
def test_fine_address(address):
    """Loopback, private and public addresses are where models run."""
    assert not is_forbidden(address)


@given(some.ip_addresses(v=4, network="169.254.0.0/16"))
def test_mapped_like_plain(address):
    """Every link-local IPv4 address is forbidden in each of its IPv6 clothes."""
    low = int(address)
    clothes = [0xFFFF << 32 | low, 0x64FF9B << 96 | low, 0x2002 << 112 | low << 80, low]

    assert all(is_forbidden(str(ipaddress.IPv6Address(number))) for number in clothes)


@pytest.mark.parametrize("address", [address for address in FORBIDDEN if "%" not in address])
def test_forbidden_even_if_declared(call, address):
    """Declaring such a host does not help: nothing is sent, nothing is connected."""
    host = f"[{address}]" if ":" in address else address

    broken = call(f"http://{host}/latest/meta-data/", place=Place(frozenset({address}))).head

    assert ("refused", "no") == (broken.kind, broken.sent)


@pytest.mark.parametrize(
    "addresses", [["169.254.169.254"], ["127.0.0.1", "169.254.169.254"], ["::ffff:169.254.169.254"]]
)
def test_name_that_resolves_to_metadata(call, answering, monkeypatch, addresses):
    """A declared name with a forbidden address among its addresses is refused before a byte leaves."""
    server = answering()

    def resolver(host, port, **_):
        return [(socket.AF_INET6 if ":" in it else socket.AF_INET, 1, 6, "", (it, port)) for it in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    broken = call(f"http://model.test:{server.port}/", place=Place(frozenset({"model.test"}))).head

    assert ("refused", "no") == (broken.kind, broken.sent)
    assert 0 == server.accepted


def test_name_is_resolved_once(call, answering, monkeypatch):
    """The address that was checked is the one connected to: a resolver that changes its mind gets no second word."""
    server, answers = answering(), ["127.0.0.1", "169.254.169.254"]
    asked = []

    def resolver(host, port, **_):
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", (answers.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    result = call(f"http://model.test:{server.port}/", place=Place(frozenset({"model.test"})))

    assert (b"ok", ["model.test"]) == (result.body, asked)


def test_next_address(call, answering, monkeypatch):
    """An address that refuses the connection is passed over for the next."""
    server = answering()
    places = [("127.0.0.1", 1), ("127.0.0.1", server.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, 1, 6, "", place) for place in places])

    assert b"ok" == call("http://model.test/", place=Place(frozenset({"model.test"}))).body


def test_address_that_does_not_answer(call, answering, black_hole, monkeypatch):
    """An address that does not answer is tried beside the next after a quarter of a second."""
    server, hole = answering(), int(black_hole.rpartition(":")[2])
    places = [("127.0.0.1", hole), ("127.0.0.1", server.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, 1, 6, "", place) for place in places])

    assert b"ok" == call("http://model.test/", place=Place(frozenset({"model.test"})), seconds=2).body


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.test/",
        "http://127.0.0.1.evil.test/",
        "http://127.0.0.1@evil.test/",
        "http://evil.test@127.0.0.1/",
        "http://user:password@127.0.0.1/",
        "http://127.0.0.1\\@evil.test/",
        "http://evil.test\\@127.0.0.1/",
        "http://evil.test#@127.0.0.1/",
        "http://evil.test?@127.0.0.1/",
        "http://2130706433/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:-1/",
        "http://[127.0.0.1/",
        "http://127.0.0.1 /",
        "http://127.0.0.1%00.evil.test/",
        "http:///path",
        "http://",
        "//127.0.0.1/",
        "127.0.0.1",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "unix:///run/docker.sock",
        "ws://127.0.0.1/",
        "",
    ],
)
def test_undeclared(call, url):
    """What is not plainly a declared host is refused, however it is dressed."""
    broken = call(url).head

    assert ("refused", "no") == (broken.kind, broken.sent)


@pytest.mark.parametrize(
    "url, hosts",
    [
        ("https://api.example.com/v1", {"api.example.com"}),
        ("https://API.example.com./v1", {"api.example.com"}),
        ("https://api.example.com/v1", {"API.Example.COM."}),
        ("https://api.example.com:8443/v1", {"api.example.com"}),
        ("https://api.example.com:8443/v1", {"api.example.com:8443"}),
        ("https://api.example.com/v1", {"api.example.com:443"}),
        ("http://[::1]:8080/v1", {"::1"}),
        ("http://[::1]:8080/v1", {"[::1]"}),
        ("http://[::1]:8080/v1", {"[::1]:8080"}),
        ("http://my_model:8080/v1", {"my_model"}),
    ],
)
def test_declared(url, hosts):
    """Case, a final dot and brackets do not matter; a declared port does."""
    assert not isinstance(destination(url, frozenset(hosts)), Broken)


@pytest.mark.parametrize("hosts", [{"api.example.com:8443"}, {"example.com"}, {"*.example.com"}, set()])
def test_names_are_exact(hosts):
    """Another port, a parent domain and a pattern are not the host."""
    assert isinstance(destination("https://api.example.com/v1", frozenset(hosts)), Broken)


@given(some.text(alphabet="htps:/@\\.?#[]%0127evilgood \t\n", max_size=40))
def test_nothing_gets_past(text):
    """Whatever stands in a URL: the site that comes out is a declared one."""
    for url in (text, f"http://{text}", f"https://good.test{text}"):
        found = destination(url.partition("#")[0].partition("?")[0], frozenset({"good.test"}))
        assert isinstance(found, Broken) or "good.test" == found[0].name


def test_turns():
    """IPv6 and IPv4 addresses take turns, beginning as the resolver did."""
    six = [Address(socket.AF_INET6, (f"2001:db8::{n}", 443, 0, 0)) for n in range(1, 4)]
    four = [Address(socket.AF_INET, ("192.0.2.1", 443))]

    assert [six[0], four[0], six[1], six[2]] == checked("x", [*six, *four])
    assert [four[0], six[0], six[1], six[2]] == checked("x", [*four, *six])


def test_no_address():
    """A name without an address is a failure of DNS."""
    with pytest.raises(Stop, match="dns"):
        checked("x", [])
