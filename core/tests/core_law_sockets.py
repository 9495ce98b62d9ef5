"""Random files over real sockets: who was contacted is read from the twins' logs and from the sockets themselves."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from core_law import TODAY, Clock, may
from core_law_machine import ASKED, NAMES, loaded
from hypothesis import strategies as st

from byollm import Client
from byollm.errors import ByollmError
from byollm_sandbox import Twins

CONNECTED: list[Any] = []
"""Every address that a socket of this process was connected to, in order."""


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """For `sys.addaudithook`."""
    if event == "socket.connect":
        CONNECTED.append(arguments[1])


class Resolver(dict[str, list[str]]):
    """Every name below `.example` is this machine, but for the names that a test puts in with other addresses."""

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        assert host.endswith(".example"), host
        found = self.get(host, ["127.0.0.1"])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


FAULTS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["status", "reset", "redirect", "disconnect"]))
CALLS = st.lists(st.tuples(ASKED, st.sampled_from(["complete", "stream", "count_tokens"])), min_size=2, max_size=5)


def on_sockets(config: dict[str, Any], twin: Twins) -> tuple[dict[str, Any], dict[int, str]]:
    """The file with each deployment's name kept and its port a twin's; and the ports, with whose they are."""
    ports: dict[int, str] = {}
    entries: dict[str, Any] = {}
    for label, entry in config["deployments"].items():
        url = urlsplit(twin.url("custom", name=label))
        assert url.port is not None
        ports[url.port] = label
        host = urlsplit(entry["endpoint"]).hostname
        short = {"retries": {"attempts": 1, "total": 4}, "proxy": "none", "timeout": {"connect": 5, "total": 20}}
        entries[label] = {**entry, **short, "provider": "custom", "endpoint": f"http://{host}:{url.port}{url.path}"}
    tenants = {label: {**item, "credentials": {"custom": "literal:t"}} for label, item in config["tenants"].items()}
    return {**config, "deployments": entries, "tenants": tenants}, ports


def reached(twin: Twins, ports: dict[int, str]) -> set[str]:
    """The deployments that were contacted: by the twins' logs and by the sockets; nothing of byollm is asked."""
    addresses = [address for address in CONNECTED if isinstance(address, tuple)]
    assert all(address[0] == "127.0.0.1" for address in addresses), addresses
    return {item.name for item in twin.requests} | {ports[address[1]] for address in addresses if address[1] in ports}


def forget(twin: Twins) -> None:
    """Begin anew."""
    twin.clear()
    CONNECTED.clear()


def check(config: dict[str, Any], calls: Any, faults: Any, twin: Twins) -> None:
    """Make the calls; whoever was contacted may be."""
    file, ports = on_sockets(config, twin)
    found = loaded(file)
    if found is None:
        return
    with Client(found, clock=Clock()) as client:
        for asked, how in calls:
            forget(twin)
            for label, kind in faults.items():
                there = file["deployments"][NAMES[-1 - NAMES.index(label)]]["endpoint"]
                options = {"location": f"{there}/chat/completions"} if kind == "redirect" else {}
                twin.fault(kind, times=None, name=label, **options)
            with suppress(ByollmError):
                if how == "stream":
                    with client.stream("hi", **asked) as stream:
                        list(stream)
                else:
                    getattr(client, how)("hi", **asked)
            words = asked if "deployment" in asked else {"task": "t0", **asked}
            for label in reached(twin, ports):
                assert may(found, label, TODAY, **words), (label, asked)
    forget(twin)
