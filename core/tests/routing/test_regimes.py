"""The regimes of the guide: each refuses whom it must, when the file is loaded and when a call is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from core_law import TODAY, Clock, Watched, attested, target

from byollm.config.llm_config import load
from byollm.errors import ConfigError, NoRouteError

REGIMES = {
    "HIPAA": ("hipaa-baa", "phi"),
    "SOX": ("sox", "ledgers"),
    "FedRAMP High": ("fedramp-high", "agency"),
    "FedRAMP Moderate": ("fedramp-moderate", "agency"),
    "IL2": ("il2", "defense"),
    "IL4": ("il4", "defense"),
    "CMMC": ("cmmc", "cui"),
    "on-premise": ("on-premise", "secret"),
}


def two(tag: str, kind: str, **policies: Any) -> dict[str, Any]:
    """A deployment that has the tag and one that has not; a task over the first, one over both without a class."""
    return {
        "policies": {
            "data_classes": {kind: {"requires": [tag]}},
            "tags": [attested(tag, "good")],
            **policies,
        },
        "deployments": {"good": target("good.example"), "other": target("other.example")},
        "tasks": {"strict": {"route": ["good"], "data_class": kind}, "loose": {"route": ["other", "good"]}},
    }


@pytest.mark.parametrize(("tag", "kind"), REGIMES.values(), ids=list(REGIMES))
def test_a_regime_refuses_at_load(tag: str, kind: str) -> None:
    """A task of the class whose failover leaves the attested is refused, with the way there."""
    config = two(tag, kind)
    config["deployments"]["good"]["failover"] = ["other"]

    with pytest.raises(ConfigError, match=f"strict → good → other.*nobody attests `{tag}`"):
        load(config)


@pytest.mark.parametrize(("tag", "kind"), REGIMES.values(), ids=list(REGIMES))
def test_a_regime_refuses_at_call_time(tag: str, kind: str) -> None:
    """A call of the class goes to the attested only, even where another stands first, and even when it is down."""
    client = Watched(two(tag, kind), behave=lambda host: "refused")

    with pytest.raises(Exception) as raised:
        client.complete("hi", task="loose", data_class=kind)

    assert {"good.example"} == set(client.contacted)
    assert not isinstance(raised.value, NoRouteError)


@pytest.mark.parametrize(("tag", "kind"), REGIMES.values(), ids=list(REGIMES))
def test_a_regime_ends_with_its_evidence(tag: str, kind: str) -> None:
    """On the day after the last, nobody is asked, and the reason names the day."""
    clock = Clock()
    client = Watched(two(tag, kind, tags=[attested(tag, "good", TODAY + timedelta(days=1))]), clock)
    client.complete("hi", task="strict")
    clock.go_to(TODAY + timedelta(days=2))

    with pytest.raises(NoRouteError) as raised:
        client.complete("hi", task="strict")

    assert ["good.example"] == client.contacted
    assert f"its attestation of `{tag}` expired on 2026-11-23" in raised.value.skipped["good"]


def test_residency_refuses_the_region_and_the_host() -> None:
    """Both must be inside: a region is a word in a file, a host name is where bytes go."""
    inside = {"eu": {"regions": ["westeurope"], "hosts": ["*.eu.example"]}}

    for entry in (target("a.us.example", "westeurope"), target("a.eu.example", "eastus"), target("a.eu.example")):
        with pytest.raises(ConfigError, match="`residency: eu` forbids it"):
            load({"policies": {"residency": inside}, "deployments": {"a": entry},
                  "tasks": {"t": {"deployment": "a", "residency": "eu"}}})  # fmt: skip
    assert load({"policies": {"residency": inside}, "deployments": {"a": target("a.eu.example", "WestEurope")},
                 "tasks": {"t": {"deployment": "a", "residency": "eu"}}})  # fmt: skip


def test_high_does_not_stand_for_moderate() -> None:
    """No tag stands for another: byollm knows what was attested, not what it is worth."""
    config = two("fedramp-moderate", "agency", tags=[attested("fedramp-high", "good")])

    with pytest.raises(ConfigError, match="nobody attests `fedramp-moderate`"):
        load(config)


def test_scenario_of_a_healthcare_system() -> None:
    """Scenario 3: Azure under the agreement that exists; everything else of the file never sees a patient's data."""
    azure = {"provider": "azure", "model": "gpt-5.4", "endpoint": "https://clinic.openai.azure.com", "region": "eastus",
             "api_key": "literal:k", "api": "chat"}  # fmt: skip
    client = Watched({
        "policies": {
            "approved_providers": ["azure", "custom"],
            "residency": {"us": {"regions": ["eastus"], "hosts": ["*.openai.azure.com"]}},
            "data_classes": {"phi": {"requires": "hipaa-baa", "residency": "us"}, "public": {}},
            "tags": [attested("hipaa-baa", "azure")],
        },
        "deployments": {"azure": azure, "cheap": target("cheap.example")},
        "tasks": {"claims": {"deployment": "azure", "data_class": "phi"}, "chat": {"route": ["cheap", "azure"]}},
    })  # fmt: skip

    client.complete("hi", task="claims")
    client.complete("hi", task="chat", data_class="phi")
    client.complete("hi", task="chat", data_class="public")

    assert ["clinic.openai.azure.com", "clinic.openai.azure.com", "cheap.example"] == client.contacted
