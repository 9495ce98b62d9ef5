"""The same sentence over real sockets: who was contacted is read from the twins and from the sockets themselves.

Each deployment has a twin on a port of its own. Names are resolved by a resolver of these tests. Ways out are tried on
purpose: redirects to a forbidden twin, a plugin that sends where it likes, DNS answers that lead elsewhere.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from core_law import TODAY, Clock, may
from core_law_machine import ASKED, NAMES, files, loaded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from byollm import Client
from byollm.errors import ByollmError, NoRouteError
from byollm_sandbox import Twins, serve

CONNECTED: list[Any] = []
"""Every address that a socket of this process was connected to, in order."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        CONNECTED.append(arguments[1])


@pytest.fixture(scope="module")
def twin() -> Iterator[Twins]:
    """A twin for each deployment, and the hook on `connect`, which stays: Python removes none."""
    sys.addaudithook(_hook)
    with serve() as twins:
        yield twins


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Every name below `.example` is this machine, but for what a test puts into the mapping."""
    odd: dict[str, list[str]] = {}

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        assert host.endswith(".example"), host
        found = odd.get(host, ["127.0.0.1"])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return odd


@pytest.fixture(scope="module")
def rogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A plugin whose requests go wherever the option `elsewhere` says, whatever its endpoint is."""
    folder = tmp_path_factory.mktemp("rogue")
    info = folder / "rogue-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rogue\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[byollm.providers]\nrogue = rogue_plugin:provider\n")
    (folder / "rogue_plugin.py").write_text(Path(__file__).with_name("rogue_plugin.txt").read_text())
    sys.path.insert(0, str(folder))
    yield "rogue"
    sys.path.remove(str(folder))
    sys.modules.pop("rogue_plugin", None)


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


CALLS = st.lists(st.tuples(ASKED, st.sampled_from(["complete", "stream", "count_tokens"])), min_size=2, max_size=5)


def forget(twin: Twins) -> None:
    twin.clear()
    CONNECTED.clear()


def check(config: dict[str, Any], calls: Any, faults: Any, twin: Twins) -> None:
    """Make the calls; whoever was contacted may be. Shared with the soak lane."""
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


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(
    config=files(),
    calls=CALLS,
    faults=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["status", "reset", "redirect", "disconnect"])),
)
def test_nobody_forbidden_is_connected_to(
    twin: Twins, resolver: dict[str, list[str]], config: Any, calls: Any, faults: Any
) -> None:
    """Random files, calls and failures; 1,000 files in the soak lane."""
    check(config, calls, faults, twin)


def walled(twin: Twins, **more: Any) -> tuple[dict[str, Any], dict[int, str]]:
    """A lawful `in.eu.example` and a forbidden `out.us.example`, each with a twin."""
    inside, outside = twin.url("custom", name="inside"), twin.url("custom", name="outside")
    ports = {urlsplit(inside).port or 0: "inside", urlsplit(outside).port or 0: "outside"}
    common = {"model": "m", "api_key": "literal:k", "proxy": "none", "retries": {"attempts": 1}}
    entry = {
        "provider": "custom",
        **common,
        "region": "westeurope",
        "endpoint": inside.replace("127.0.0.1", "in.eu.example"),
    }
    other = {**entry, "region": "eastus", "endpoint": outside.replace("127.0.0.1", "out.us.example")}
    config = {
        "policies": {"residency": {"eu": {"regions": ["westeurope"], "hosts": ["*.eu.example"]}}},
        "deployments": {"inside": {**entry, **more}, "outside": other},
        "tasks": {"t": {"deployment": "inside", "residency": "eu"}},
    }
    return config, ports


def test_a_redirect_leads_nowhere(twin: Twins, resolver: dict[str, list[str]]) -> None:
    """A lawful server that redirects to a forbidden one is not followed."""
    config, ports = walled(twin)
    forget(twin)
    where = config["deployments"]["outside"]["endpoint"]
    twin.fault("redirect", times=None, name="inside", location=f"{where}/chat/completions")

    with Client(config) as client, pytest.raises(ByollmError):
        client.complete("hi", task="t")

    assert {"inside"} == reached(twin, ports)


def test_a_plugin_cannot_choose_another_host(twin: Twins, resolver: dict[str, list[str]], rogue: str) -> None:
    """A plugin whose request names a host that is not the deployment's is stopped before a socket is opened."""
    config, ports = walled(twin, provider=rogue)
    config["deployments"]["inside"]["elsewhere"] = config["deployments"]["outside"]["endpoint"]
    forget(twin)

    with Client(config) as client, pytest.raises(ByollmError, match="not among the declared hosts"):
        client.complete("hi", task="t")

    assert set() == reached(twin, ports)


def test_a_plugin_that_declares_more_hosts_is_dropped(twin: Twins, resolver: dict[str, list[str]], rogue: str) -> None:
    """Without `endpoint:` it may choose among its manifest's hosts: one outside is enough."""
    config, ports = walled(twin, provider=rogue)
    del config["deployments"]["inside"]["endpoint"]
    forget(twin)

    with Client(config) as client, pytest.raises(NoRouteError, match=r"it may reach out.us.example"):
        client.complete("hi", task="t")

    assert set() == reached(twin, ports)


@pytest.mark.parametrize("answer", [["169.254.169.254"], ["127.0.0.1", "169.254.169.254"], ["fd00:ec2::254"]])
def test_dns_answers_that_lead_elsewhere(twin: Twins, resolver: dict[str, list[str]], answer: list[str]) -> None:
    """A lawful name that resolves to a metadata service, even among others, is not connected to at all."""
    config, ports = walled(twin)
    resolver["in.eu.example"] = answer
    forget(twin)

    with Client(config) as client, pytest.raises(ByollmError):
        client.complete("hi", task="t")

    assert set() == reached(twin, ports)
