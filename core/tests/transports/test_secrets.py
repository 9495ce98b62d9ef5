"""A key goes to the provider, and stays nowhere else."""

from __future__ import annotations

import gc
import logging
import types
from typing import Any

import pytest

from byollm.transports.base import Broken, Outgoing, Place

CANARY = "CANARY"


def everything_in(root: object) -> list[object]:
    """All objects that can be reached from one, modules and classes aside."""
    seen, waiting = {id(root): root}, [root]
    while waiting:
        for child in gc.get_referents(waiting.pop()):
            if isinstance(child, types.ModuleType | type | types.FunctionType) or id(child) in seen:
                continue
            seen[id(child)] = child
            waiting.append(child)
    return list(seen.values())


def holds_key(root: object) -> bool:
    """True when a string or bytes with the key can be reached."""
    found = everything_in(root)
    texts = [it for it in found if isinstance(it, str)]
    raw = [bytes(it) for it in found if isinstance(it, bytes | bytearray)]
    return any(CANARY in it for it in texts) or any(CANARY.encode() in it for it in raw)


def test_the_search_works(ask):
    """The search finds a key where there is one."""
    assert holds_key(ask("http://127.0.0.1/"))


def test_nothing_is_held_after_a_call(call, answering):
    """Neither the transport nor its idle connections hold anything of the request."""
    call(answering().url)

    assert 1 == call.idle()
    assert not holds_key(call.transport)


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut"])
def test_nothing_is_held_after_a_failure(call, serve, answer):
    """Nor after one that failed, and the failure itself holds nothing."""

    def habit(peer):
        peer.request()
        peer.send(answer)

    result = call(serve(habit).url)

    assert not holds_key([call.transport, *result])


def test_no_exception_is_left_behind(call, serve):
    """No exception of a library outlives the call: its frames would hold the request."""

    def habit(peer):
        peer.request()
        peer.send(b"garbage\r\n\r\n")

    call(serve(habit).url)
    gc.collect()

    left = [
        it for it in gc.get_objects() if isinstance(it, Exception) and type(it).__module__.startswith(("h11", "httpc"))
    ]
    assert [] == left


def test_nothing_in_the_log(call, answering, caplog):
    """With everything at DEBUG, httpcore writes no word of our calls, not even when a provider echoes the key."""
    caplog.set_level(logging.DEBUG)
    server = answering(b"HTTP/1.1 200 OK\r\nx-echo: Bearer sk-CANARY\r\ncontent-length: 2\r\n\r\nok")

    assert "Bearer sk-CANARY" == call(server.url).head.headers["x-echo"]
    assert CANARY not in caplog.text
    assert [] == [record.name for record in caplog.records if record.name.startswith("httpcore")]


def test_other_users_of_httpcore_keep_their_log(answering, caplog):
    """What httpcore logs for others it logs as before."""
    import httpcore

    from byollm.transports.library import load

    load("httpcore")
    caplog.set_level(logging.DEBUG)
    httpcore.request("GET", answering().url)

    assert any(record.name == "httpcore.http11" for record in caplog.records)


def test_representations(ask):
    """A request, and a place behind a proxy with a password, do not show what is secret."""
    request: Outgoing = ask("http://127.0.0.1/", place=Place(frozenset(), proxy="http://u:CANARY@h/"))

    assert CANARY not in repr(request)
    assert CANARY not in repr(request.place)


def test_failures_are_plain(call: Any):
    """A failure is three short words."""
    broken = call("http://127.0.0.1:1/").head

    assert isinstance(broken, Broken)
    assert CANARY not in repr(broken)
