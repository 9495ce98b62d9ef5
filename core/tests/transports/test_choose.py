"""A transport by name or by hand."""

from __future__ import annotations

import importlib.util

import httpx
import pytest

from byollm.errors import ConfigError
from byollm.transports import choose
from byollm.transports.adapter import AsyncHttpxTransport, HttpxTransport
from byollm.transports.async_fast import AsyncFastTransport
from byollm.transports.async_http import AsyncHttpTransport
from byollm.transports.choose import make_async_transport, make_transport
from byollm.transports.fast import FastTransport
from byollm.transports.http import AsyncHttpTransport as FromDoor
from byollm.transports.sync_http import HttpTransport


@pytest.mark.parametrize(
    "name, kind, asynchronous, shown",
    [
        ("httpx", HttpTransport, AsyncHttpTransport, "'httpcore'"),
        ("httpx2", HttpTransport, AsyncHttpTransport, "'httpcore2'"),
        ("pyreqwest", FastTransport, AsyncFastTransport, ""),
    ],
)
def test_names(name, kind, asynchronous, shown):
    """Each known name has its sync and its async transport."""
    assert isinstance(make_transport(name), kind)
    assert isinstance(make_async_transport(name), asynchronous)
    assert shown in repr(make_transport(name))


def test_the_default():
    """Without a word it is httpx's engine."""
    assert "HttpTransport('httpcore')" == repr(make_transport())
    assert "AsyncHttpTransport('httpcore')" == repr(make_async_transport())
    assert FromDoor is AsyncHttpTransport


@pytest.mark.parametrize("make", [make_transport, make_async_transport])
def test_unknown_name(make):
    """An unknown name is answered with the known ones."""
    with pytest.raises(ConfigError, match="httpx, httpx2, pyreqwest"):
        make("requests")


@pytest.mark.parametrize("make", [make_transport, make_async_transport])
@pytest.mark.parametrize("name, command", [("pyreqwest", '"byollm[fast]"'), ("httpx2", "pip install httpx2")])
def test_not_installed(make, name, command, monkeypatch):
    """A library that is missing is named with the command that brings it."""
    found = importlib.util.find_spec
    missing = {"pyreqwest", "httpcore2"}
    monkeypatch.setattr(choose, "find_spec", lambda module: None if module in missing else found(module))

    with pytest.raises(ConfigError) as raised:
        make(name)
    assert command in raised.value.hint


def test_objects():
    """A transport of httpx is adapted, one of ours is taken as it is."""
    ours, ours_async = HttpTransport(), AsyncHttpTransport()

    assert isinstance(make_transport(httpx.MockTransport(lambda _: httpx.Response(200))), HttpxTransport)
    assert isinstance(make_async_transport(httpx.MockTransport(lambda _: httpx.Response(200))), AsyncHttpxTransport)
    assert ours is make_transport(ours)
    assert ours_async is make_async_transport(ours_async)


@pytest.mark.parametrize(
    "make, thing",
    [
        (make_transport, httpx.Client),
        (make_transport, AsyncHttpTransport),
        (make_async_transport, httpx.AsyncClient),
        (make_async_transport, HttpTransport),
        (make_async_transport, httpx.HTTPTransport),
        (make_transport, dict),
    ],
)
def test_no_transport(make, thing):
    """A client, a transport of the other kind, or anything else is told what would do."""
    with pytest.raises(ConfigError, match="is no transport"):
        make(thing())
