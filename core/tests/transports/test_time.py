"""Every wait is bounded: by its own timeout, and by the deadline of the whole call."""

from __future__ import annotations

import socket
import time

import pytest

from byollm.transports.base import Place, Timeouts

HEAD = b"HTTP/1.1 200 OK\r\n"


def timed(call, *arguments, **changes):
    """The result, and the seconds it took."""
    begun = time.monotonic()
    result = call(*arguments, **changes)
    return result, time.monotonic() - begun


def test_dripped_headers(call, serve):
    """A server that drips one header byte every 50 ms ends within 1.1 of the deadline."""

    def habit(peer):
        peer.request()
        peer.drip(HEAD + b"x: " + b"y" * 400)

    result, seconds = timed(call, serve(habit).url, seconds=1.0)

    assert ("deadline", "yes") == (result.head.kind, result.head.sent)
    assert 1.0 <= seconds < 1.1


def test_dripped_body(call, serve):
    """So does one that drips its body."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(100):
            peer.chunk(b": ping\n\n")
            time.sleep(0.05)

    result, seconds = timed(call, serve(habit).url, seconds=1.0)

    assert "deadline" == result.body.kind
    assert 1.0 <= seconds < 1.1


def test_dripped_handshake(call, serve, ca_file):
    """So does one that drips a TLS handshake."""
    from byollm.transports.base import TlsFiles

    def habit(peer):
        peer.socket.recv(1000)
        peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 400)

    url = serve(habit).url.replace("http:", "https:")
    place = Place(frozenset({"127.0.0.1"}), tls=TlsFiles(ca=ca_file))
    result, seconds = timed(call, url, place=place, seconds=0.5)

    assert ("deadline", "no") == (result.head.kind, result.head.sent)
    assert 0.5 <= seconds < 1


def test_deadline_that_is_over(call, answering, ask):
    """A call that begins after its deadline sends nothing."""
    server = answering()

    broken = call(ask(server.url, seconds=-1)).head

    assert ("deadline", "no") == (broken.kind, broken.sent)
    assert 0 == server.accepted


def test_deadline_that_is_over_with_an_idle_connection(call, answering, ask):
    """Nor does it on a connection that is open already."""
    server = answering()
    call(server.url)

    broken = call(ask(server.url, seconds=-1)).head

    assert ("deadline", "no") == (broken.kind, broken.sent)
    assert 1 == len(server.requests)


def test_no_connection_in_time(call, black_hole):
    """A host that takes no connection ends by the connect timeout."""
    result, seconds = timed(call, black_hole, timeouts=Timeouts(connect=0.3))

    assert ("timeout_connect", "no") == (result.head.kind, result.head.sent)
    assert 0.3 <= seconds < 1


def test_no_connection_before_the_deadline(call, black_hole):
    """Or by the deadline, when that comes first."""
    result, seconds = timed(call, black_hole, seconds=0.3)

    assert "deadline" == result.head.kind
    assert 0.3 <= seconds < 1


def test_resolver_that_hangs(call, monkeypatch):
    """A resolver that does not answer is waited for no longer than for a connection."""

    def hang(*_, **__):
        time.sleep(2)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    place = Place(frozenset({"slow.test"}))

    result, seconds = timed(call, "http://slow.test/", timeouts=Timeouts(connect=0.3), place=place)

    assert ("timeout_connect", "no") == (result.head.kind, result.head.sent)
    assert 0.3 <= seconds < 1


def test_no_first_byte(call, serve):
    """`first_byte` counts from sent until the answer begins."""

    def habit(peer):
        peer.request()
        peer.gone()

    result, seconds = timed(call, serve(habit).url, timeouts=Timeouts(first_byte=0.3, idle=0.1))

    assert ("timeout_first_byte", "yes") == (result.head.kind, result.head.sent)
    assert 0.3 <= seconds < 1


def test_idle_does_not_count_before_the_first_byte(call, serve):
    """A model may think for longer than it may pause."""

    def habit(peer):
        peer.request()
        time.sleep(0.4)
        peer.send(HEAD + b"content-length: 2\r\n\r\nok")
        peer.gone()

    assert b"ok" == call(serve(habit).url, timeouts=Timeouts(first_byte=None, idle=0.2)).body


def test_pause_in_the_body(call, serve):
    """`idle` counts between two reads of the body."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"content-length: 100\r\n\r\nshort")
        peer.gone()

    result, seconds = timed(call, serve(habit).url, timeouts=Timeouts(first_byte=5, idle=0.3))

    assert ("timeout_idle", "yes") == (result.body.kind, result.body.sent)
    assert 0.3 <= seconds < 1


def test_pauses_that_are_short_enough(call, serve):
    """A stream may last much longer than `idle`."""

    def habit(peer):
        peer.request()
        peer.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(6):
            time.sleep(0.1)
            peer.chunk(b"x")
        peer.send(b"0\r\n\r\n")
        peer.gone()

    assert b"xxxxxx" == call(serve(habit).url, timeouts=Timeouts(idle=0.3)).body


def test_server_that_takes_no_body(call, serve):
    """A request that is not taken ends by `idle`, partly sent."""

    def habit(peer):
        time.sleep(2)

    result, seconds = timed(call, serve(habit).url, body=b"x" * 20_000_000, timeouts=Timeouts(idle=0.3))

    assert ("timeout_idle", "partial") == (result.head.kind, result.head.sent)
    assert seconds < 1.9


@pytest.mark.parametrize("seconds", [None, 5.0])
def test_no_timeouts_at_all(call, answering, ask, seconds):
    """Without any limit a call simply runs."""
    timeouts = Timeouts(connect=None, first_byte=None, idle=None, total=None)

    assert b"ok" == call(ask(answering().url, timeouts=timeouts, seconds=seconds)).body


def test_limits_of_years(call, answering, ask):
    """A limit longer than the system's own calls can wait is no fault."""
    timeouts = Timeouts(connect=1e9, first_byte=1e9, idle=1e9, total=1e9)

    assert b"ok" == call(ask(answering().url, timeouts=timeouts, seconds=1e9)).body
