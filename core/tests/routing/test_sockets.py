"""The same sentence over real sockets: who was contacted is read from the twins and from the sockets themselves.

Each deployment has a twin on a port of its own. Names are resolved by a resolver of these tests. Ways out are tried on
purpose: redirects to a forbidden twin, a plugin that sends where it likes, DNS answers that lead elsewhere.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from core_law_machine import files
from core_law_sockets import CALLS, FAULTS, Resolver, check, forget, hook, reached
from hypothesis import HealthCheck, given, settings

from byollm import Client
from byollm.errors import ByollmError, NoRouteError
from byollm_sandbox import Twins, serve


@pytest.fixture(scope="module")
def twin() -> Iterator[Twins]:
    """A twin for each deployment, and the hook on `connect`, which stays: Python removes none."""
    sys.addaudithook(hook)
    with serve() as twins:
        yield twins


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Names are resolved here."""
    found = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", found)
    return found


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


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(config=files(), calls=CALLS, faults=FAULTS)
def test_nobody_forbidden_is_connected_to(
    twin: Twins, resolver: Resolver, config: Any, calls: Any, faults: Any
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


def test_what_is_contacted_is_seen(twin: Twins, resolver: Resolver) -> None:
    """The watch works: a lawful call is seen, and so is one that no rule holds back."""
    config, ports = walled(twin)
    forget(twin)

    with Client(config) as client:
        client.complete("hi", task="t")
        seen = reached(twin, ports)
        client.complete("hi", deployment="outside")

    assert ({"inside"}, {"inside", "outside"}) == (seen, reached(twin, ports))


def test_a_redirect_leads_nowhere(twin: Twins, resolver: Resolver) -> None:
    """A lawful server that redirects to a forbidden one is not followed."""
    config, ports = walled(twin)
    forget(twin)
    where = config["deployments"]["outside"]["endpoint"]
    twin.fault("redirect", times=None, name="inside", location=f"{where}/chat/completions")

    with Client(config) as client, pytest.raises(ByollmError):
        client.complete("hi", task="t")

    assert {"inside"} == reached(twin, ports)


def test_a_plugin_cannot_choose_another_host(twin: Twins, resolver: Resolver, rogue: str) -> None:
    """A plugin whose request names a host that is not the deployment's is stopped before a socket is opened."""
    config, ports = walled(twin, provider=rogue)
    config["deployments"]["inside"]["elsewhere"] = config["deployments"]["outside"]["endpoint"]
    forget(twin)

    with Client(config) as client, pytest.raises(ByollmError, match="not among the declared hosts"):
        client.complete("hi", task="t")

    assert set() == reached(twin, ports)


def test_a_plugin_that_declares_more_hosts_is_dropped(twin: Twins, resolver: Resolver, rogue: str) -> None:
    """Without `endpoint:` it may choose among its manifest's hosts: one outside is enough."""
    config, ports = walled(twin, provider=rogue)
    del config["deployments"]["inside"]["endpoint"]
    forget(twin)

    with Client(config) as client, pytest.raises(NoRouteError, match=r"it may reach out.us.example"):
        client.complete("hi", task="t")

    assert set() == reached(twin, ports)


@pytest.mark.parametrize("answer", [["169.254.169.254"], ["127.0.0.1", "169.254.169.254"], ["fd00:ec2::254"]])
def test_dns_answers_that_lead_elsewhere(twin: Twins, resolver: Resolver, answer: list[str]) -> None:
    """A lawful name that resolves to a metadata service, even among others, is not connected to at all."""
    config, ports = walled(twin)
    resolver["in.eu.example"] = answer
    forget(twin)

    with Client(config) as client, pytest.raises(ByollmError):
        client.complete("hi", task="t")

    assert set() == reached(twin, ports)
