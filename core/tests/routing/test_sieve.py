"""Rules at call time: who is dropped, and with which reason. Nothing is asked before the rules are."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from core_law import TODAY, Clock, Recording, Watched, attested, target

from byollm import AsyncClient, Client
from byollm.errors import ByollmError, ConfigError, NoRouteError, OverloadedError

SETS = {
    "eu": {"regions": ["westeurope"], "hosts": ["*.eu.example"]},
    "us": {"regions": ["eastus"], "hosts": ["*.us.example"]},
}
DEPLOYMENTS = {
    "us": target("a.us.example", "eastus"),
    "eu": target("a.eu.example", "westeurope"),
    "stray": target("a.us.example", "westeurope"),
}


def config(**more: Any) -> dict[str, Any]:
    return {
        "policies": {
            "residency": SETS,
            "data_classes": {"personal": {"residency": "eu"}, "phi": {"requires": "hipaa-baa"}, "public": {}},
            "tags": [attested("hipaa-baa", "us", TODAY)],
            **more.pop("policies", {}),
        },
        "deployments": DEPLOYMENTS,
        "tasks": {"chat": {"route": ["us", "eu", "stray"]}},
        "tenants": {
            "berlin": {"credentials": {"custom": "literal:b"}, "residency": "eu"},
            "boston": {"credentials": {"custom": "literal:c"}, "requires": "hipaa-baa"},
            "oslo": {"credentials": {"custom": "literal:d"}, "data_class": "personal"},
        },
        **more,
    }


def down(host: str) -> str:
    return "503"


@pytest.mark.parametrize(
    ("asked", "contacted"),
    [
        ({}, ["a.us.example", "a.eu.example"]),
        ({"data_class": "public"}, ["a.us.example", "a.eu.example"]),
        ({"data_class": "personal"}, ["a.eu.example"]),
        ({"data_class": "phi"}, ["a.us.example"]),
        ({"tenant": "berlin"}, ["a.eu.example"]),
        ({"tenant": "oslo"}, ["a.eu.example"]),
        ({"tenant": "boston"}, ["a.us.example"]),
        ({"region": "eu"}, ["a.eu.example"]),
        ({"region": "eastus"}, ["a.us.example"]),
        ({"deployment": "us"}, ["a.us.example"]),
    ],
)
@pytest.mark.parametrize("how", ["complete", "stream"])
def test_whom_a_call_may_reach(asked: dict[str, Any], contacted: list[str], how: str) -> None:
    """With everybody down, a call tries exactly those that the rules leave, in the order of the file."""
    client = Watched(config(), behave=down)

    with pytest.raises(ByollmError):
        if how == "complete":
            client.complete("hi", timeout=1000, **asked)
        else:
            with client.stream("hi", timeout=1000, **asked):
                pass

    assert contacted == list(dict.fromkeys(client.contacted))


def test_counting_and_previews_obey_too() -> None:
    """What is counted or shown is what would be asked."""
    client = Watched(config())

    assert "https://a.eu.example/v1/chat/completions" == client.preview("hi", data_class="personal").url
    client.count_tokens("hi", data_class="personal")
    assert "a.us.example" not in client.contacted


@pytest.mark.parametrize("how", ["complete", "count_tokens", "preview", "stream"])
def test_nobody_left(how: str) -> None:
    """A call that nobody may answer is refused with each candidate's reason, and nothing is sent."""
    client = Watched(config())

    with pytest.raises(NoRouteError) as raised:
        getattr(client, how)("hi", data_class="phi", tenant="berlin")

    assert [] == client.contacted
    assert {"us", "eu", "stray"} == set(raised.value.skipped)
    assert "its region is eastus, outside residency `eu` (tenant `berlin`)" == raised.value.skipped["us"]
    assert "nobody attests `hipaa-baa`, which data class `phi` requires" == raised.value.skipped["eu"]
    assert "it may reach a.us.example, outside residency `eu` (tenant `berlin`)" == raised.value.skipped["stray"]
    assert "nothing was sent" in str(raised.value)


def test_a_dropped_candidate_is_told_of_when_the_rest_fails() -> None:
    """`NoRouteError.skipped` holds those that the rules dropped beside those that could not be tried."""
    found = config()
    found["deployments"] = {**DEPLOYMENTS, "eu": target("a.eu.example", "westeurope", api_key="env:NOBODY_SET_THIS")}
    client = Watched(found)

    with pytest.raises(ByollmError):
        client.complete("hi", data_class="personal")

    assert [] == client.contacted


def test_an_undeclared_class_is_refused_with_the_nearest() -> None:
    """A class that nobody declared has no rules to keep."""
    client = Watched(config())

    with pytest.raises(ConfigError, match="there is no data class `personnal`; nothing was sent") as raised:
        client.complete("hi", data_class="personnal")

    assert 'say data_class="personal"' == raised.value.hint
    for odd in (5, ["personal"], ""):
        with pytest.raises(ConfigError):
            client.complete("hi", data_class=odd)


def test_a_call_cannot_take_its_tasks_class_away() -> None:
    """A call that names another class keeps the rules of the task's own."""
    found = config(tasks={"letters": {"route": ["eu"], "data_class": "personal"}, "all": {"route": ["us", "eu"]}})
    client = Watched(found)

    client.complete("hi", task="letters", data_class="public")
    with pytest.raises(NoRouteError):
        client.complete("hi", task="letters", deployment="us")

    assert ["a.eu.example"] == client.contacted


def test_a_class_for_calls_that_name_none() -> None:
    """`default_data_class` holds where neither the call nor the task names one; every task must be able to keep it."""
    found = config(policies={"default_data_class": "personal"}, tasks={"chat": {"route": ["eu"]}})
    client = Watched(found)

    client.complete("hi")
    with pytest.raises(NoRouteError):
        client.complete("hi", deployment="us")
    client.complete("hi", deployment="us", data_class="public")

    assert ["a.eu.example", "a.us.example"] == client.contacted


def test_a_targets_own_list_only_takes_away() -> None:
    """A target that lists its classes sees no other, declared or not."""
    found = config(tasks={"chat": {"route": ["us", "eu"]}})
    found["deployments"] = {**DEPLOYMENTS, "us": target("a.us.example", "eastus", data_classes=["phi"])}
    client = Watched(found)

    client.complete("hi", data_class="public")

    assert ["a.eu.example"] == client.contacted


def test_a_wall_clock_that_is_set_back_revives_nothing() -> None:
    """What has expired stays expired, whatever somebody does to the wall clock."""
    clock = Clock()
    client = Watched(config(), clock)
    client.complete("hi", data_class="phi")
    clock.steady += 2 * 86400
    clock.wall -= 30 * 86400

    with pytest.raises(NoRouteError, match="expired on 2026-11-22"):
        client.complete("hi", data_class="phi")


@pytest.mark.parametrize("wall", [float("nan"), float("inf"), 1e18])
def test_a_clock_that_tells_no_time(wall: float) -> None:
    """Without a time nothing is known to be still attested."""
    clock = Clock()
    clock.wall = wall

    with pytest.raises(NoRouteError):
        Watched(config(), clock).complete("hi", data_class="phi")


def test_the_last_day_counts_and_the_longest_word_holds() -> None:
    """An attestation holds through its last day; of two for the same tag the longer one counts."""
    tags = [attested("hipaa-baa", "us", TODAY), attested("hipaa-baa", "custom", TODAY + timedelta(days=5))]
    clock = Clock()
    client = Watched(config(policies={"tags": tags}), clock)

    for days in (0, 1, 5):
        clock.go_to(TODAY + timedelta(days=days))
        clock.wall += 86399 if days == 5 else 0
        client.complete("hi", data_class="phi")
    clock.wall += 2

    with pytest.raises(NoRouteError):
        client.complete("hi", data_class="phi")


def openai(**more: Any) -> dict[str, Any]:
    return {"provider": "openai", "model": "m", "api_key": "literal:k", "api": "chat", "region": "eu", **more}


def test_hosts_that_only_the_plugin_knows() -> None:
    """A target without `endpoint:` may reach every host its plugin chooses among: one outside is enough to drop it."""
    rules = {"eu": {"regions": ["eu"], "hosts": ["eu.api.openai.com"]}}
    task = {"deployment": "open", "residency": "eu"}
    named = openai(endpoint="https://eu.api.openai.com/v1")
    loose = Watched({"policies": {"residency": rules}, "deployments": {"open": openai()}, "tasks": {"t": task}})
    tight = Watched({"policies": {"residency": rules}, "deployments": {"open": named}, "tasks": {"t": task}})

    with pytest.raises(NoRouteError, match=r"it may reach [a-z]+.api.openai.com, outside residency `eu`"):
        loose.complete("hi")
    tight.complete("hi")

    assert ([], ["eu.api.openai.com"]) == (loose.contacted, tight.contacted)


def test_a_token_endpoint_is_a_host_too() -> None:
    """Where tokens come from must be inside as well; the file says it, so the file is refused."""
    scheme = {
        "type": "oauth",
        "token_url": "https://login.us.example/t",
        "client_id": "x",
        "client_secret": "literal:y",
    }
    entry = {key: value for key, value in DEPLOYMENTS["eu"].items() if key != "api_key"}
    found = config(tasks={"t": {"deployment": "eu", "residency": "eu"}})
    found["deployments"] = {**DEPLOYMENTS, "eu": {**entry, "authentication": scheme}}

    with pytest.raises(ConfigError, match=r"it may reach login.us.example, outside residency `eu`"):
        Watched(found)


@pytest.mark.parametrize(
    ("endpoint", "proxy", "good"),
    [
        ("http://a.eu.example/v1", "none", True),
        ("http://a.eu.example/v1", "http://proxy.eu.example:3128", True),
        ("http://a.eu.example/v1", "http://proxy.us.example:3128", False),
        ("http://a.eu.example/v1", "${A_PROXY}", False),
        ("https://a.eu.example/v1", "http://proxy.us.example:3128", True),
    ],
)
def test_a_proxy_that_can_read(endpoint: str, proxy: str, good: bool) -> None:
    """A proxy reads what goes over plain http, so it must be inside; over https it passes on what it cannot read."""
    found = config(tasks={"t": {"deployment": "eu", "residency": "eu"}})
    found["deployments"] = {**DEPLOYMENTS, "eu": target("x", "westeurope", endpoint=endpoint, proxy=proxy)}

    if good:
        Watched(found).complete("hi")
    else:
        with pytest.raises(ConfigError, match="outside residency"):
            Watched(found)


def test_the_environments_proxy_can_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not in the file, so the call is what is refused."""
    monkeypatch.setenv("http_proxy", "http://proxy.us.example:3128")
    found = config(tasks={"t": {"deployment": "eu", "residency": "eu"}})
    found["deployments"] = {**DEPLOYMENTS, "eu": target("x", "westeurope", endpoint="http://a.eu.example/v1")}

    with pytest.raises(NoRouteError, match=r"it may reach proxy.us.example"):
        Watched(found).complete("hi")


def test_region_orders_where_a_policy_says_so() -> None:
    """`by_region` reads the caller's region as a wish; a residency set of that name stays a rule."""
    route = {"policy": "by_region", "over": ["us", "eu"], "regions": {"eu": "eu", "asia": "us"}}
    client = Watched(config(tasks={"chat": {"route": route}}), behave=down)

    for region, hosts in (("asia", {"a.us.example", "a.eu.example"}), ("eu", {"a.eu.example"})):
        client.contacted.clear()
        with pytest.raises(ByollmError):
            client.complete("hi", region=region, timeout=1000)
        assert hosts == set(client.contacted)


class Quiet(AsyncClient):
    """An async client whose contacts are written down."""

    recording = Recording()

    def transport(self) -> Any:
        return self.recording


def test_the_async_client_obeys_too() -> None:
    """One law, two shells."""

    async def go() -> None:
        async with Quiet(config(), clock=Clock()) as client:
            with pytest.raises(NoRouteError):
                await client.complete("hi", data_class="phi", tenant="berlin")
            with pytest.raises(NoRouteError):
                async with client.stream("hi", data_class="phi", tenant="berlin"):
                    pass
            with pytest.raises(NoRouteError):
                await client.count_tokens("hi", data_class="phi", tenant="berlin")

    asyncio.run(go())

    assert [] == Quiet.recording.hosts


def test_nobody_is_asked_what_he_can_do_either() -> None:
    """`capabilities(refine=True)` may ask the provider: only one that may answer."""
    found = config(policies={"default_data_class": "personal"}, tasks={"chat": {"route": ["eu"]}})

    with pytest.raises(NoRouteError):
        Watched(found).capabilities(deployment="us", refine=True)


def test_without_rules_there_is_no_sieve() -> None:
    """A file without rules takes the way it always took."""
    client = Client({"deployments": DEPLOYMENTS, "tasks": {"chat": {"route": ["us", "eu"]}}})

    assert client.route("chat", None, None).sieve is None


def test_an_answer_of_the_law_is_kept_until_the_evidence_ends() -> None:
    """The same question costs a look-up: the lines are the same list, until a day passes that something hangs on."""
    clock = Clock()
    client = Watched(config(), clock)
    route = client.route(None, None, None)
    first = client.prepare("hi", {"data_class": "phi"}, stream=False)[2]

    assert route.sieve is not None
    assert first is client.prepare("hi", {"data_class": "phi"}, stream=False)[2]
    assert first is not client.prepare("hi", {"data_class": "public"}, stream=False)[2]


@pytest.mark.parametrize(
    ("home", "region", "left"),
    [("eu", None, {"eu"}), ("eu", "us", set()), ("eastus", None, {"us", "eu", "stray"}), ("eastus", "us", {"us"})],
)
def test_a_tenants_region_that_is_a_residency_set(home: str, region: str | None, left: set[str]) -> None:
    """A tenant at home in a residency set stays inside, whatever region its call names; another word is a wish."""
    settings = config()
    settings["tenants"]["there"] = {"credentials": {"custom": "literal:e"}, "region": home}
    found = Watched(settings).explain("hi", tenant="there", region=region)

    assert left == {candidate.deployment for candidate in found if "outside" not in candidate.reason}


def ending_today() -> dict[str, Any]:
    """Both may answer until midnight."""
    tags = [attested("hipaa-baa", label, TODAY) for label in ("us", "eu")]
    return config(policies={"tags": tags}, tasks={"chat": {"route": ["us", "eu"], "requires": "hipaa-baa"}})


def test_evidence_that_ends_while_a_call_is_on_its_way() -> None:
    """Neither a retry nor a failover is made after midnight."""
    clock = Clock()

    def slow(host: str) -> str:
        clock.go_to(TODAY + timedelta(days=1))
        return "503"

    client = Watched(ending_today(), clock, slow)
    with pytest.raises(OverloadedError):
        client.complete("hi", timeout=2 * 24 * 3600)

    assert ["a.us.example"] == client.contacted


def test_evidence_that_ends_while_a_call_waits_for_its_turn() -> None:
    """Limits let it go after midnight: nobody may be asked any more, and each one's reason is told."""
    file = ending_today()
    limited = {label: {**entry, "limits": {"requests_per_minute": 1}} for label, entry in DEPLOYMENTS.items()}
    clock = Clock()
    clock.wall += 24 * 3600 - 30
    client = Watched({**file, "deployments": limited}, clock)
    client.complete("hi")
    client.complete("hi", timeout=10)

    with pytest.raises(NoRouteError) as raised:
        client.complete("hi")

    assert ["a.us.example", "a.eu.example"] == client.contacted
    assert {"us", "eu"} == {label for label, reason in raised.value.skipped.items() if "expired on" in reason}


def test_a_proxy_that_the_environment_names_later_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the rules judged is the way that is taken: both read the environment once, together."""
    plain = {**target("a.eu.example", "westeurope"), "endpoint": "http://a.eu.example/v1"}
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    client = Watched({**config(), "deployments": {**DEPLOYMENTS, "eu": plain}})
    client.explain("hi", data_class="personal")
    monkeypatch.setenv("HTTP_PROXY", "http://elsewhere.example:3128")

    client.complete("hi", data_class="personal")

    assert (["a.eu.example"], None) == (client.contacted, client.line("eu").place.proxy)


def test_what_explain_leaves_out_is_not_remembered() -> None:
    """A middleware's reasons are of the moment, and not the rules'."""

    class Full:
        position = "operation"

        def around(self, call: Any, request: Any, next: Any) -> Any:
            return (yield from next(request))

        def left_out(self, call: Any, request: Any) -> dict[str, str]:
            return {"us": "its budget is used up"}

    client = Client(config(), middleware=[Full()])
    assert not client.explain("hi")[-1].kept

    call, _, _ = client.prepare("hi", {}, stream=False)
    assert not call.skipped
