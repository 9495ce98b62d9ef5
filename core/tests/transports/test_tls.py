"""TLS: whom we trust, who we are, and when it costs nothing."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization

from byollm.transports import tls
from byollm.transports.base import Broken, Place, TlsFiles
from byollm.transports.progress import Stop


@pytest.fixture
def place(ca_file):
    """Loopback, trusting the test's authority."""
    return Place(frozenset({"127.0.0.1", "localhost"}), tls=TlsFiles(ca=ca_file))


@pytest.fixture(scope="session")
def identity(authority, tmp_path_factory):
    """A client's certificate and key as files, the key also encrypted with the password "open sesame"."""
    folder = tmp_path_factory.mktemp("identity")
    issued = authority.issue_cert("client.test")
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    (folder / "secret.pem").write_bytes(secret)
    return folder


@pytest.fixture
def mutual_tls(authority):
    """A server's context that wants a certificate of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_trusted(call, answering, server_tls, place):
    """A server that the CA bundle vouches for is talked to, again and again on one connection."""
    server = answering(tls=server_tls)

    assert [b"ok"] * 3 == [call(server.url, place=place).body for _ in range(3)]
    assert 1 == server.accepted


def test_by_name(call, answering, server_tls, place):
    """A name is resolved, connected to, and checked against the certificate."""
    server = answering(tls=server_tls)

    assert b"ok" == call(server.url.replace("127.0.0.1", "localhost"), place=place).body


def test_large_answer(call, answering, server_tls, place):
    """Megabytes in many records arrive whole, in both directions."""
    server = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + b"y" * 3_000_000, tls=server_tls)

    assert b"y" * 3_000_000 == call(server.url, place=place, body=b"x" * 3_000_000).body
    assert server.requests[0].endswith(b"x" * 3_000_000)


def test_not_trusted(call, answering, server_tls):
    """A server that nobody vouches for gets nothing."""
    server = answering(tls=server_tls)

    broken = call(server.url).head

    assert ("tls", "no", True) == (broken.kind, broken.sent, "certificate" in broken.detail)
    assert [] == server.requests


def test_wrong_name(call, authority, answering, place):
    """A certificate for somebody else is no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.test").configure_cert(context)
    server = answering(tls=context)

    assert ("tls", []) == (call(server.url, place=place).head.kind, server.requests)


def test_trust_of_the_system(call, answering, server_tls, ca_file, monkeypatch):
    """Without a bundle of ours, OpenSSL's own places count, SSL_CERT_FILE among them."""
    monkeypatch.setattr(tls, "_contexts", {})
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)

    assert b"ok" == call(answering(tls=server_tls).url).body


def test_plain_server(call, serve):
    """A server that speaks no TLS is a TLS failure, nothing sent."""

    def habit(peer):
        peer.socket.recv(1000)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    broken = call(serve(habit).url.replace("http:", "https:")).head

    assert ("tls", "no") == (broken.kind, broken.sent)


def test_server_that_hangs_up(call, serve):
    """So is one that closes during the handshake."""
    broken = call(serve(lambda peer: peer.socket.recv(100)).url.replace("http:", "https:")).head

    assert broken.kind in ("tls", "reset")
    assert "no" == broken.sent


def test_cut_without_goodbye(call, serve, server_tls, place):
    """An answer with a length that ends early is cut, with or without TLS's own goodbye."""

    def habit(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort")

    assert "closed" == call(serve(habit, server_tls).url, place=place).body.kind


def test_client_certificate(call, answering, mutual_tls, ca_file, identity):
    """A server that wants to know us is shown our certificate."""
    files = TlsFiles(ca_file, str(identity / "cert.pem"), str(identity / "key.pem"))

    assert b"ok" == call(answering(tls=mutual_tls).url, place=Place(frozenset({"127.0.0.1"}), tls=files)).body


def test_encrypted_key(call, answering, mutual_tls, ca_file, identity):
    """A key's password is asked for when the key is read."""
    asked = []

    def password():
        asked.append(True)
        return "open sesame"

    files = TlsFiles(ca_file, str(identity / "cert.pem"), str(identity / "secret.pem"), password)
    place = Place(frozenset({"127.0.0.1"}), tls=files)
    tls._contexts.pop(files, None)

    assert [] == asked
    assert b"ok" == call(answering(tls=mutual_tls).url, place=place).body
    assert [True] == asked


def test_no_client_certificate(call, answering, mutual_tls, place):
    """A server that refuses us for want of a certificate never saw the request."""
    server = answering(tls=mutual_tls)

    broken = call(server.url, place=place).head

    assert broken.kind in ("tls", "reset")
    assert [] == server.requests


@pytest.mark.parametrize(
    "files, word",
    [
        (TlsFiles(ca="/nowhere/ca.pem"), "tls.ca"),
        (TlsFiles(cert="/nowhere/cert.pem"), "tls.cert"),
        (TlsFiles(ca=__file__), "tls.ca"),
    ],
)
def test_files_that_cannot_be_used(call, answering, files, word):
    """A file that is missing or is something else is named by its key in the configuration."""
    server = answering()

    broken = call(server.url.replace("http:", "https:"), place=Place(frozenset({"127.0.0.1"}), tls=files)).head

    assert ("tls", "no", True) == (broken.kind, broken.sent, word in broken.detail)


def test_wrong_password(identity):
    """A wrong or missing password fails at once: nobody is asked on the terminal."""
    for password in (None, lambda: "wrong"):
        files = TlsFiles(cert=str(identity / "cert.pem"), key=str(identity / "secret.pem"), key_password=password)
        with pytest.raises(Stop, match="tls"):
            tls.context_for(files)


def test_one_context_for_the_same_files(ca_file):
    """A context is built once in the process: it costs 25 ms."""
    assert tls.context_for(TlsFiles(ca=ca_file)) is tls.context_for(TlsFiles(ca=ca_file))
    assert tls.context_for(TlsFiles(ca=ca_file)) is not tls.context_for(None)


PLAIN = """
import sys, time
from byollm.transports.base import *
from byollm.transports.sync_http import HttpTransport

place = Place(frozenset({"127.0.0.1"}), tls=TlsFiles(ca="/nowhere"))
request = Outgoing("POST", sys.argv[1], [], b"{}", place, Timeouts(), time.monotonic() + 5, Cancellation())
assert HttpTransport().open(request).read() == b"ok"
print("byollm.transports.tls" in sys.modules)
"""


def test_plain_http_builds_no_context(answering):
    """A plain http call builds no TLS context and reads no certificate."""
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, answering().url], capture_output=True, timeout=30, check=False, text=True
    )

    assert ("False\n", "") == (done.stdout, done.stderr)


def test_a_peer_that_closes_in_the_handshake(call, serve, place):
    """A server that restarts refuses no trust: it is a connection that was closed, and may be tried again."""

    def habit(peer):
        peer.socket.recv(70_000)
        peer.socket.shutdown(socket.SHUT_WR)
        peer.gone()

    url = serve(habit).url.replace("http:", "https:")

    assert Broken("closed", "no", "in the TLS handshake") == call(url, place=place).head
