"""A transport by name or by hand."""

from __future__ import annotations

import asyncio
import importlib.util
import sys

import httpx
import pytest

import byollm
from byollm.errors import ConfigError, PluginError, ProtocolError
from byollm.providers import discovery
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
        ("httpx", HttpTransport, AsyncHttpTransport, "'h11'"),
        ("httpx2", HttpTransport, AsyncHttpTransport, "'h11'"),
        ("httptools", HttpTransport, AsyncHttpTransport, "'httptools'"),
        ("pyreqwest", FastTransport, AsyncFastTransport, ""),
    ],
)
def test_names(name, kind, asynchronous, shown):
    """Each known name has its sync and its async transport."""
    assert isinstance(make_transport(name), kind)
    assert isinstance(make_async_transport(name), asynchronous)
    assert shown in repr(make_transport(name))


def test_the_default():
    """Without a word it is httpx's parser."""
    assert "HttpTransport('h11')" == repr(make_transport())
    assert "AsyncHttpTransport('h11')" == repr(make_async_transport())
    assert FromDoor is AsyncHttpTransport


@pytest.mark.parametrize("make", [make_transport, make_async_transport])
def test_unknown_name(make):
    """An unknown name is answered with the known ones."""
    with pytest.raises(ConfigError, match="httpx, httpx2, httptools, pyreqwest"):
        make("requests")


@pytest.mark.parametrize("make", [make_transport, make_async_transport])
@pytest.mark.parametrize(
    "name, command",
    [
        ("httptools", '"byollm[fast]"'),
        ("pyreqwest", '"byollm[fast]"'),
        ("httpx2", "pip install httpx2"),
    ],
)
def test_not_installed(make, name, command, monkeypatch):
    """A library that is missing is named with the command that brings it."""
    found = importlib.util.find_spec
    missing = {"httptools", "pyreqwest", "httpx2"}
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


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a distribution `acme-wire` that brings the transport `acme`; its code is given."""

    def install(code):
        info = tmp_path / "acme_wire-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-wire\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[byollm.transports]\nacme = acme_wire:make\n")
        (tmp_path / "acme_wire.py").write_text(code)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(discovery, "_loaded", {})

    yield install
    sys.modules.pop("acme_wire", None)


CONFIG = {
    "llm_config": {
        "default": {"provider": "custom", "model": "m", "endpoint": "https://llm.example.com"},
        "plugins": ["byollm-openai-compatible"],
    }
}
WIRE = """
from byollm.transports.replay import AsyncReplayTransport, ReplayTransport
def make(asynchronous):
    kind = AsyncReplayTransport if asynchronous else ReplayTransport
    return kind(200, {"content-type": "application/json"}, [b"{}"])
"""


def test_a_plugin_brings_a_transport(plugin):
    """Entry point group `byollm.transports`: a name, and a callable that makes either kind."""
    plugin(WIRE)

    assert hasattr(make_transport("acme"), "close")
    assert hasattr(make_async_transport("acme"), "aclose")


def test_the_allow_list_holds_for_transports(plugin):
    """A transport sees every key: one that `plugins:` does not name is not imported."""
    plugin("raise SystemExit('imported')")

    with pytest.raises(PluginError, match="acme-wire brings 'acme' and is not in `plugins:`"):
        make_transport("acme", (("byollm-openai",), None))
    with pytest.raises(PluginError, match="is not in `plugins:`"):
        byollm.Client(CONFIG, transport="acme").transport()


@pytest.mark.parametrize("code", ["def make(asynchronous): return 3", "def make(): ...", "raise RuntimeError"])
def test_a_broken_transport_plugin(plugin, code):
    """What makes no transport is named, as its own error."""
    plugin(code)

    with pytest.raises(PluginError, match="acme"):
        make_transport("acme")


BREAKING = """
from byollm.wire.exchange import Head
class Wire:
    head = Head(200, {{}})
    def __init__(self, asynchronous):
        self.asynchronous = asynchronous
    def _open(self, outgoing):
        {opening}
        return self
    def _read(self):
        {reading}
    async def _later(self, work, *arguments):
        return work(*arguments)
    def open(self, outgoing):
        return self._later(self._open, outgoing) if self.asynchronous else self._open(outgoing)
    def read(self):
        return self._later(self._read) if self.asynchronous else self._read()
    def close(self, reuse=False):
        return self._later(lambda: None) if self.asynchronous else None
    aclose = close
def make(asynchronous):
    return Wire(asynchronous)
"""


async def later(config):
    async with byollm.AsyncClient(config) as client:
        await client.complete("hi")


KEYED = 'raise ValueError(f"broken: {outgoing.headers}")'


@pytest.mark.parametrize(
    ("opening", "reading", "words"),
    [
        (KEYED, "return b''", r"transport 'acme' failed \(ValueError\)"),
        ("return None", "return b''", r"`open` answered NoneType"),
        ("pass", "raise OSError('gone')", r"transport 'acme' failed \(OSError\)"),
        ("pass", "return 'a text'", r"`read` answered str"),
    ],
)
def test_what_a_plugins_transport_breaks_is_a_byollm_error(plugin, opening, reading, words):
    """Its own exceptions may hold the request, and with it the key: nothing of them is shown."""
    plugin(BREAKING.format(opening=opening, reading=reading))
    target = {"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "api_key": "sk-Zx81kQ0aPq7rT5vN"}
    config = {"llm_config": {**target, "transport": "acme", "retries": {"attempts": 1}}}

    with pytest.raises(ProtocolError, match=words) as raised, byollm.Client(config) as client:
        client.complete("hi")
    with pytest.raises(ProtocolError, match=words):
        asyncio.run(later(config))
    assert "sk-Zx81" not in repr(raised.value.__dict__)
    assert raised.value.__context__ is None
