"""Through a proxy: plain http forwarded, https through a tunnel, TLS to the proxy itself if it wants that."""

from __future__ import annotations

import base64
import re
import select
import socket

import pytest

from byollm.transports.base import Broken, Place, TlsFiles

REFUSAL = b"HTTP/1.1 %s\r\ncontent-length: 0\r\n\r\n"


class Proxying:
    """A tiny proxy. `seen` are the request lines it got, `tunnels` counts those it dug."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.authorizations: list[bytes] = []
        self.refusal: bytes | None = None

    def __call__(self, peer):
        head = b""
        while b"\r\n\r\n" not in head:
            head += peer.socket.recv(65536)
        self.seen.append(head.partition(b"\r\n")[0])
        self.authorizations += re.findall(rb"(?im)^proxy-authorization: (.*?)\r$", head)
        if self.refusal is not None:
            peer.send(REFUSAL % self.refusal)
        elif head.startswith(b"CONNECT "):
            self.tunnel(peer, head.split(b" ")[1])
        else:
            self.forward(peer, head)

    def tunnel(self, peer, target):
        host, _, port = target.decode().rpartition(":")
        with socket.create_connection((host, int(port))) as origin:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = {peer.socket: origin, origin: peer.socket}
            # One thread for both ways: an SSLSocket must not be read and written at once.
            while True:
                for ready in select.select(list(ends), [], [], 10)[0]:
                    data = ready.recv(65536)
                    while getattr(ready, "pending", int)():
                        data += ready.recv(65536)
                    if not data:
                        return
                    ends[ready].sendall(data)

    def forward(self, peer, head):
        target = head.split(b" ")[1].decode()
        host, port = re.match(r"http://([^:/]+):(\d+)/", target).groups()  # type: ignore[union-attr]
        with socket.create_connection((host, int(port))) as origin:
            origin.sendall(head)
            while data := origin.recv(65536):
                peer.send(data)


@pytest.fixture
def proxying() -> Proxying:
    return Proxying()


@pytest.fixture
def through(ca_file):
    """A place behind a proxy."""

    def build(proxy: str) -> Place:
        return Place(frozenset({"127.0.0.1", "localhost"}), proxy=proxy, tls=TlsFiles(ca=ca_file))

    return build


def test_plain_http_is_forwarded(call, serve, answering, proxying, through):
    """The proxy is given the whole URL."""
    origin, proxy = answering(), serve(proxying)

    assert b"ok" == call(origin.url + "/v1?a=1", place=through(proxy.url)).body
    assert [b"POST %s/v1?a=1 HTTP/1.1" % origin.url.encode()] == proxying.seen


def test_https_goes_through_a_tunnel(call, serve, answering, server_tls, proxying, through):
    """The proxy learns host and port, and sees nothing else; the tunnel serves again."""
    origin, proxy = answering(tls=server_tls), serve(proxying)

    assert [b"ok"] * 3 == [call(origin.url, place=through(proxy.url)).body for _ in range(3)]
    assert [b"CONNECT 127.0.0.1:%d HTTP/1.1" % origin.port] == proxying.seen


def test_tls_to_the_proxy(call, serve, answering, server_tls, proxying, through):
    """TLS to the proxy, and TLS to the host inside of it."""
    origin, proxy = answering(tls=server_tls), serve(proxying, server_tls)

    assert b"ok" == call(origin.url, place=through(proxy.url.replace("127.0.0.1", "localhost"))).body
    assert proxying.seen[0].startswith(b"CONNECT ")


@pytest.mark.parametrize("secure", [False, True])
def test_user_and_password(call, serve, answering, server_tls, proxying, through, secure):
    """What stands in the proxy's URL is what the proxy is told, and nobody else."""
    origin, proxy = answering(tls=server_tls if secure else None), serve(proxying)

    call(origin.url, place=through(proxy.url.replace("//", "//us%40er:pa%3Ass@")))

    assert [b"Basic " + base64.b64encode(b"us@er:pa:ss")] == proxying.authorizations
    assert secure is (b"proxy-authorization" not in origin.requests[0])


@pytest.mark.parametrize(
    "secure, refusal, detail",
    [
        (True, b"407 Who", "the proxy wants a user name and password (407)"),
        (False, b"407 Who", "the proxy wants a user name and password (407)"),
        (True, b"403 No", "the proxy answered 403"),
        (True, b"502 Bad", "the proxy answered 502"),
    ],
)
def test_refusal(call, serve, answering, server_tls, proxying, through, secure, refusal, detail):
    """A proxy that says no is a failure of its own kind: the host never saw the request."""
    origin, proxy = answering(tls=server_tls if secure else None), serve(proxying)
    proxying.refusal = refusal

    assert Broken("proxy", "no", detail) == call(origin.url, place=through(proxy.url)).head
    assert [] == origin.requests


def test_no_proxy_there(call, answering, server_tls, through):
    """A proxy that does not listen is a failed connection."""
    assert "connect" == call(answering(tls=server_tls).url, place=through("http://127.0.0.1:1")).head.kind


def test_proxy_that_hangs(call, serve, answering, server_tls, through):
    """A proxy that takes a CONNECT and says nothing ends by the connect timeout, nothing sent."""
    from byollm.transports.base import Timeouts

    proxy = serve(lambda peer: peer.socket.recv(1000) and peer.gone())

    broken = call(answering(tls=server_tls).url, place=through(proxy.url), timeouts=Timeouts(connect=0.3)).head

    assert ("timeout_connect", "no") == (broken.kind, broken.sent)


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:1080", "127.0.0.1:8080", "http://", "http://a b/", "http://h:x/"]
)
def test_not_a_proxy(call, answering, through, proxy):
    """Only http:// and https:// proxies are spoken to."""
    broken = call(answering().url, place=through(proxy)).head

    assert ("proxy", "no") == (broken.kind, broken.sent)


def test_hosts_count_behind_a_proxy_too(call, serve, proxying, through):
    """What is not declared, and what is never talked to, is not asked of a proxy either."""
    proxy = serve(proxying)
    place = Place(frozenset({"169.254.169.254"}), proxy=proxy.url)

    assert "refused" == call("http://evil.test/", place=through(proxy.url)).head.kind
    assert "refused" == call("http://169.254.169.254/", place=place).head.kind
    assert [] == proxying.seen


def test_metadata_service_as_a_proxy(call, through):
    """A metadata service is no proxy."""
    assert "refused" == call("http://127.0.0.1/", place=through("http://169.254.169.254:80")).head.kind


def test_apart_from_direct_connections(call, serve, answering, proxying, through):
    """A connection made through a proxy does not serve without it."""
    origin, proxy = answering(), serve(proxying)
    call(origin.url, place=through(proxy.url))
    call(origin.url)

    assert (2, 1) == (origin.accepted, len(proxying.seen))
