"""The guide's recommended configurations, called through: each provider a twin with its own dialect and its own key."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import byollm
from byollm.cli.configurations import PRESETS
from byollm.cli.main import main
from byollm.errors import (
    ByollmError,
    ConfigError,
    NoRouteError,
    OverloadedError,
    ProviderConnectionError,
    ServerError,
)
from byollm_sandbox import Twins, dialect_named, serve
from tests.scenarios.conftest import Asker
from tests.scenarios.presets import STANDS, environment, key_of, pointed, written

OUTAGES: dict[str, tuple[type[ByollmError], ...]] = {
    "down": (ProviderConnectionError,),
    "overloaded": (ServerError, OverloadedError),
}
"""Each with the errors that it may be told as."""


class Stage:
    """A preset in a file, its providers on this machine."""

    def __init__(self, twin: Twins, path: Path) -> None:
        self.twin = twin
        self.path = path

    def lose(self, *names: str, outage: str = "down") -> None:
        """An outage of these providers: nobody listens there, or they answer 503."""
        for name in names:
            self.twin.down(name) if outage == "down" else self.twin.fault("status", times=None, name=name)

    def change(self, name: str, **more: Any) -> None:
        """Further keys of a deployment."""
        config = yaml.safe_load(self.path.read_text())
        config["llm_config"]["deployments"][name].update(more)
        self.path.write_text(yaml.safe_dump(config, sort_keys=False))

    @property
    def asked(self) -> list[str]:
        """Who was asked, by the twins' own records, each once in order."""
        return list(dict.fromkeys(request.name for request in self.twin.requests))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    """`stage("cost")`: the preset as the command writes it, its endpoints on this machine, its keys in the environment.

    Afterwards: no key was seen by anybody but its own provider, who took it, and was asked in its own dialect.
    """
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with serve(key={name: key_of(name) for name in STANDS}) as twin:

        def make(preset: str, **more: Any) -> Stage:
            path = tmp_path / "llm.yaml"
            config = pointed(written(preset), twin)
            for name, value in environment(config).items():
                monkeypatch.setenv(name, value)
            config["llm_config"].update(more)
            path.write_text(yaml.safe_dump(config, sort_keys=False))
            return Stage(twin, path)

        yield make
        assert [] == [request for request in twin.requests if request.key != key_of(request.name)]
        assert [] == [request for request in twin.requests if request.status == 401]
        spoken = {(request.name, request.dialect) for request in twin.requests}
        assert spoken <= {(name, dialect_named(stand.dialect).name) for name, stand in STANDS.items()}


def test_every_deployment_of_every_preset_has_a_twin() -> None:
    """A preset that grows has to grow here, too."""
    files = [yaml.safe_load(written(name)) for name in PRESETS]

    assert {name for file in files for name in file["llm_config"]["deployments"]} == set(STANDS)


PRIMARIES = [
    ("cost", {}, "gemini"),
    ("cost", {"task": "analysis"}, "claude"),
    ("security", {}, "azure"),
    ("security", {"data_class": "internal"}, "azure"),
    ("security", {"task": "sensitive"}, "house"),
    ("global", {}, "americas"),
    ("global", {"region": "americas"}, "americas"),
    ("global", {"region": "europe"}, "europe"),
    ("global", {"region": "asia-pacific"}, "asia-pacific"),
    ("global", {"data_class": "european"}, "europe"),
]


@pytest.mark.parametrize(("preset", "words", "name"), PRIMARIES)
def test_the_primary_answers(stage: Callable[..., Stage], ask: Asker, preset: str, words: Any, name: str) -> None:
    """Whole and streamed, by the provider that the guide names; nobody else hears of it."""
    scene = stage(preset)
    scene.twin.script(f"{name} speaks", f"{name} streams", name=name)

    with ask.session(scene.path, clock=ask.clock) as session:
        whole, streamed = session.complete(**words), session.stream(**words)

    assert [(f"{name} speaks", name), (f"{name} streams", name)] == [
        (reply.text, reply.deployment) for reply in (whole, streamed)
    ]
    assert [name, name] == [request.name for request in scene.twin.requests]


BACKUPS = [
    ("cost", {}, ["gemini", "gpt"]),
    ("security", {}, ["azure", "bedrock"]),
    ("global", {"region": "americas"}, ["americas", "europe"]),
    ("global", {"region": "americas"}, ["americas", "europe", "europe-2", "asia-pacific"]),
    ("global", {"region": "europe"}, ["europe", "europe-2"]),
    ("global", {"region": "asia-pacific"}, ["asia-pacific", "americas"]),
    ("global", {"region": "americas", "data_class": "european"}, ["europe", "europe-2"]),
]


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize(("preset", "words", "order"), BACKUPS)
def test_the_next_lawful_one_answers(
    stage: Callable[..., Stage], ask: Asker, preset: str, words: Any, order: list[str], outage: str
) -> None:
    """In the order of the file, and the attempts tell the story: who failed, how, and who answered."""
    scene = stage(preset)
    *ill, last = order
    scene.lose(*ill, outage=outage)
    scene.twin.script(f"{last} speaks", f"{last} speaks", name=last)

    for way in (ask.complete, ask.stream):
        reply = way(scene.path, clock=ask.clock, **words)

        assert (f"{last} speaks", last) == (reply.text, reply.deployment)
        assert order == list(dict.fromkeys(attempt.deployment for attempt in reply.attempts))
        assert all(isinstance(attempt.error, OUTAGES[outage]) for attempt in reply.attempts[:-1])
        assert reply.attempts[-1].error is None
    assert ([last] if outage == "down" else order) == scene.asked


NOWHERE_ELSE = [
    ("cost", {}, ["gemini", "gpt"]),
    ("cost", {"task": "bulk"}, ["gemini", "gpt"]),
    ("cost", {"task": "analysis"}, ["claude"]),
    ("security", {}, ["azure", "bedrock"]),
    ("security", {"task": "sensitive"}, ["house"]),
    ("global", {"region": "europe"}, ["europe", "europe-2"]),
    ("global", {"data_class": "european"}, ["europe", "europe-2"]),
    ("global", {"region": "asia-pacific", "data_class": "european"}, ["europe", "europe-2"]),
]


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize(("preset", "words", "lawful"), NOWHERE_ELSE)
def test_a_total_outage_of_the_lawful_opens_no_other_way(
    stage: Callable[..., Stage], ask: Asker, preset: str, words: Any, lawful: list[str], outage: str
) -> None:
    """Premium prices, sensitive data and Europe's data stay where they belong: not a connection to the others.

    Ten calls, so that breakers are open, too.
    """
    scene = stage(preset)
    scene.lose(*lawful, outage=outage)

    with ask.session(scene.path, clock=ask.clock) as session:
        for way in [session.complete, session.stream] * 5:
            with pytest.raises(OUTAGES[outage]) as caught:
                way(**words)
            assert {attempt.deployment for attempt in caught.value.attempts} <= set(lawful)

    if outage == "down":
        assert 0 == scene.twin.connections
    else:
        assert set(lawful) == set(scene.asked)


@pytest.mark.parametrize(
    ("preset", "words", "why"),
    [
        ("security", {"data_class": "sensitive"}, "outside residency `house`"),
        ("security", {"deployment": "azure", "data_class": "sensitive"}, "outside residency `house`"),
        ("security", {"deployment": "bedrock", "data_class": "sensitive"}, "outside residency `house`"),
        ("global", {"deployment": "americas", "data_class": "european"}, "outside residency `europe`"),
        ("global", {"deployment": "asia-pacific", "region": "europe"}, "outside residency `europe`"),
    ],
)
def test_nobody_is_asked_against_a_rule(
    stage: Callable[..., Stage], ask: Asker, preset: str, words: Any, why: str
) -> None:
    """Where a call's own words leave nobody, it is refused before a connection, with each candidate's reason."""
    scene = stage(preset)

    with pytest.raises(NoRouteError) as caught:
        ask.complete(scene.path, **words)

    assert all(why in reason for reason in caught.value.skipped.values())
    assert 0 == scene.twin.connections


def test_bulk_goes_to_whoever_is_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the prices of the day for this very request; the file as it is written, and nothing is sent."""
    for stand in STANDS.values():
        monkeypatch.setenv(stand.variable, "k")

    with byollm.Client(yaml.safe_load(written("cost"))) as client:
        first, second = client.explain("Is this an invoice?", task="bulk")

    assert {"gemini", "gpt"} == {first.deployment, second.deployment}
    assert 0 < price(first) < price(second)


def price(candidate: Any) -> float:
    """`about 0.000123 USD with …`: what `explain` says of a candidate."""
    return float(candidate.reason.split("about ")[1].split(" USD")[0])


@pytest.mark.parametrize(("gemini", "gpt", "cheaper"), [(1, 2, "gemini"), (2, 1, "gpt")])
def test_bulk_is_answered_by_whoever_is_cheaper(
    stage: Callable[..., Stage], ask: Asker, gemini: int, gpt: int, cheaper: str
) -> None:
    """A negotiated price in the file turns the order round, and the other one answers when the cheaper is down."""
    scene = stage("cost")
    for name, rate in (("gemini", gemini), ("gpt", gpt)):
        scene.change(name, pricing={"input": rate, "output": rate})

    assert cheaper == ask.complete(scene.path, task="bulk").deployment
    scene.lose(cheaper)
    assert {"gemini", "gpt"} - {cheaper} == {ask.complete(scene.path, task="bulk", clock=ask.clock).deployment}


@pytest.mark.parametrize(
    ("preset", "words", "primary", "backup"),
    [
        ("cost", {}, "gemini", "gpt"),
        ("security", {}, "azure", "bedrock"),
        ("global", {"region": "asia-pacific"}, "asia-pacific", "americas"),
    ],
)
def test_the_primary_comes_back(
    stage: Callable[..., Stage], ask: Asker, preset: str, words: Any, primary: str, backup: str
) -> None:
    """An outage of 20 calls: the backup answers them all, soon without asking the primary; then it is asked again."""
    scene = stage(preset)
    with ask.session(scene.path, clock=ask.clock) as session:
        before = session.complete(**words)
        scene.lose(primary)
        during = [session.complete(**words) for _ in range(20)]
        scene.twin.up(primary)
        after = []
        for _ in range(40):
            ask.clock.now += 1
            after.append(session.complete(**words).deployment)

    assert primary == before.deployment
    assert {backup} == {reply.deployment for reply in during}
    assert [backup] == [attempt.deployment for attempt in during[-1].attempts]
    assert [primary] * 5 == after[-5:]


def test_a_tenant_is_at_home_in_its_region(stage: Callable[..., Stage], ask: Asker) -> None:
    """`region:` of a tenant stands for `region=` of its calls, with keys of its own: Europe's stays in Europe."""
    own = {name: f"literal:{key_of(name)}" for name in ("europe", "europe-2")}
    scene = stage("global", tenants={"berlin": {"region": "europe", "credentials": own}})

    assert "europe" == ask.complete(scene.path, tenant="berlin").deployment
    scene.lose("europe")
    assert "europe-2" == ask.complete(scene.path, tenant="berlin", clock=ask.clock).deployment
    scene.lose("europe-2")
    with pytest.raises(ProviderConnectionError):
        ask.complete(scene.path, tenant="berlin", region="americas", clock=ask.clock)
    assert ["europe", "europe-2"] == scene.asked


def test_the_report_tells_where_a_tenant_is_at_home(
    stage: Callable[..., Stage], capsys: pytest.CaptureFixture[str]
) -> None:
    """An auditor sees that the tenant's region is a rule, and who is left for its calls."""
    scene = stage("global", tenants={"berlin": {"region": "europe", "credentials": {}}})

    assert 0 == main(["policy", "report", "--json", str(scene.path)])
    (berlin,) = json.loads(capsys.readouterr().out)["tenants"]

    assert (["region: europe"], ["europe", "europe-2"]) == (berlin["rules"], berlin["tasks"]["assistant"])


def test_a_key_that_a_tenants_region_forbids(stage: Callable[..., Stage]) -> None:
    """A European tenant's key for a provider elsewhere is a contradiction, and told when the file is loaded."""
    scene = stage("global", tenants={"berlin": {"region": "europe", "credentials": {"openai": "literal:k"}}})

    with pytest.raises(ConfigError, match=r"tenant `berlin` has a key for `openai`.*`residency: europe` forbids it"):
        byollm.Client(scene.path)


@pytest.mark.parametrize(
    ("preset", "answers", "hosts"),
    [
        ("cost", [], {"generativelanguage.googleapis.com", "api.openai.com", "api.anthropic.com"}),
        (
            "security",
            ["https://acme.openai.azure.com", "westus3", "https://llm.acme.example"],
            {"acme.openai.azure.com", "bedrock-runtime.us-east-1.amazonaws.com", "llm.acme.example"},
        ),
        (
            "global",
            ["https://paris.openai.azure.com", "francecentral", "https://milan.openai.azure.com", "italynorth"],
            {"api.openai.com", "paris.openai.azure.com", "milan.openai.azure.com", "generativelanguage.googleapis.com"},
        ),
    ],
)
def test_init_on_a_terminal(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    preset: str,
    answers: list[str],
    hosts: set[str],
) -> None:
    """A few questions on a real terminal, and a file that `check` has nothing to say of; only its keys are missing."""
    for stand in STANDS.values():
        monkeypatch.delenv(stand.variable, raising=False)
    monkeypatch.chdir(tmp_path)
    keyboard, terminal = pty.openpty()
    os.write(keyboard, "".join(f"{line}\n" for line in [preset, *answers]).encode())
    command = [sys.executable, "-m", "byollm", "init"]
    done = subprocess.run(command, stdin=terminal, capture_output=True, text=True, timeout=60, check=True)
    os.close(terminal)
    os.close(keyboard)

    exported = [line.strip() for line in done.stdout.splitlines() if "export " in line]
    code, checked = main(["check", "--strict", "--json"]), json.loads(capsys.readouterr().out)
    main(["explain", "--json"])
    reasons = [candidate["reason"] for candidate in json.loads(capsys.readouterr().out)]

    assert (0, [], hosts) == (code, checked["findings"], set(checked["hosts"]))
    assert [f"export {name}=…" for name in environment(yaml.safe_load(Path("llm.yaml").read_text()))] == exported
    assert all(reason.endswith("is not set") for reason in reasons)
