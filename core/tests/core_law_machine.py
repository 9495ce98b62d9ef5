"""Random files, calls, failures and clocks against one sentence: nobody is contacted whom the rules forbid."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from core_law import TODAY, Clock, Watched, attested, may
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from byollm.config.llm_config import load
from byollm.errors import ByollmError, ConfigError

NAMES = [f"d{n}" for n in range(6)]
ZONES = {"eu": "westeurope", "us": "eastus", "far": "eastasia"}
TASKS = ["t0", "t1", "t2"]
TAGS = ["hipaa-baa", "sox"]
CLASSES = ["phi", "public", "odd"]
TENANTS = ["one", "two"]
HEALTH = ["ok", "503", "429", "400", "401", "refused", "reset", "cut"]
HOW = ["complete", "stream", "count_tokens", "preview", "capabilities"]
MANY = st.integers(0, 9)


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    """One or two of them."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def perhaps(strategy: st.SearchStrategy[Any], often: int = 3) -> st.SearchStrategy[Any]:
    """The value in `often` of ten cases, else None."""
    return MANY.flatmap(lambda n: strategy if n < often else st.none())


def without_none(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of what is not None."""
    return st.fixed_dictionaries(values).map(lambda found: {k: v for k, v in found.items() if v is not None})


RULES = without_none(
    requires=perhaps(some(TAGS), 4),
    residency=perhaps(some(["eu", "us", "west"]), 5),
    data_class=perhaps(st.sampled_from(CLASSES), 2),
)
CLASS = without_none(requires=perhaps(some(TAGS), 5), residency=perhaps(some(["eu", "us", "west"]), 5))


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    """Six targets in three zones; failover goes forward only. Region and host agree in most of them."""
    found: dict[str, Any] = {}
    for place, label in enumerate(NAMES):
        zone, host = draw(st.sampled_from(list(ZONES))), draw(st.sampled_from(list(ZONES)))
        host = zone if draw(MANY) < 8 else host
        entry: dict[str, Any] = {
            "provider": draw(st.sampled_from(["custom", "custom", "groq", "anthropic"])),
            "model": "m",
            "endpoint": f"https://{label}.{host}.example/v1",
            "api_key": "literal:k",
        }
        if draw(MANY) < 9:
            entry["region"] = ZONES[zone]
        if draw(MANY) < 2:
            entry["data_classes"] = draw(some(CLASSES))
        later = NAMES[place + 1 :]
        if later and draw(MANY) < 3:
            entry["failover"] = draw(some(later))
        found[label] = entry
    return found


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """A whole file that breaks no rule of its own, by rules that byollm had no hand in reading; or one that does."""
    places = {zone: {"regions": [region], "hosts": [f"*.{zone}.example"]} for zone, region in ZONES.items()}
    places["west"] = {"regions": ["westeurope", "eastus"], "hosts": ["*.eu.example", "*.us.example"]}
    entries = draw(deployments())
    providers = sorted({entry["provider"] for entry in entries.values()})
    policies: dict[str, Any] = {"residency": places, "tags": []}
    if draw(MANY) < 3:
        policies["approved_providers"] = providers
    if draw(MANY) < 8:
        policies["data_classes"] = {label: draw(CLASS) for label in CLASSES}
        if draw(MANY) < 3:
            policies["default_data_class"] = draw(st.sampled_from(CLASSES))
    for _ in range(draw(st.integers(3, 8))):
        days = draw(st.sampled_from([-1, 0, 1, 5]))
        subject = draw(st.sampled_from([*NAMES, *providers]))
        policies["tags"].append(attested(draw(st.sampled_from(TAGS)), subject, TODAY + timedelta(days=days)))
    tasks = {
        label: {"route": draw(st.permutations(NAMES))[: draw(st.integers(1, 4))], **draw(RULES)} for label in TASKS
    }
    tenants = {label: {"credentials": {"custom": "literal:t", "groq": "literal:t"}, **draw(RULES)} for label in TENANTS}
    if draw(MANY) < 3:
        tenants["one"] |= {"providers": ["custom"], "credentials": {"custom": "literal:t"}}
    found: dict[str, Any] = {
        "policies": policies,
        "deployments": entries,
        "tasks": tasks,
        "tenants": tenants,
        "default": "t0",
    }
    for tenant in tenants.values():
        tenant["credentials"] = {name: key for name, key in tenant["credentials"].items() if name in providers}
    found = lawful(found)
    for label in TENANTS if draw(MANY) < 6 else ():
        task = draw(st.sampled_from(TASKS))
        route = draw(st.permutations(NAMES))[: draw(st.integers(1, 4))]
        ways = {first: chain({**found, "tasks": {"": {"route": [first]}}}, "") for first in route}
        odd = draw(MANY) < 1
        fit = [one for one in ways if odd or all(may(found, it, EARLY, task=task, tenant=label) for it in ways[one])]
        if fit:
            found["tenants"][label]["tasks"] = {task: {"route": fit}}
    if draw(MANY) < 3:
        task = draw(st.sampled_from(TASKS))
        barred = [label for label in NAMES if not may(found, label, EARLY, task=task)]
        found["tasks"][task]["route"] += [draw(st.sampled_from(barred))] if barred else []
    return found


EARLY = TODAY - timedelta(days=5)


def lawful(config: dict[str, Any]) -> dict[str, Any]:
    """The file without what would break its own rules: targets' classes, candidates of tasks, keys of tenants."""
    for label, entry in config["deployments"].items():
        if "data_classes" in entry:
            fit = [name for name in entry["data_classes"] if may(config, label, EARLY, data_class=name)]
            entry["data_classes"] = fit
            if not fit:
                del entry["data_classes"]
    for label, task in config["tasks"].items():
        ways = {first: chain({**config, "tasks": {"": {"route": [first]}}}, "") for first in task["route"]}
        task["route"] = [one for one in ways if all(may(config, it, EARLY, task=label) for it in ways[one])]
    kept = {label: task for label, task in config["tasks"].items() if task["route"]}
    free = [label for label in NAMES if may({**config, "tasks": {}}, label, EARLY)]
    if not kept and free:
        config["policies"].pop("default_data_class", None)
    config["tasks"] = {label: kept.get(label, {"route": [free[0] if free else "d5"]}) for label in TASKS}
    if not kept or not free:
        config["policies"].pop("default_data_class", None)
    return config


def loaded(config: dict[str, Any]) -> dict[str, Any] | None:
    """The file, or the same without its tenants' rules, if it loads."""
    plain: dict[str, Any] = {label: {"credentials": {}} for label in TENANTS}
    for found in (config, {**config, "tenants": plain}):
        with suppress(ConfigError):
            load(found)
            return found
    return None


def chain(config: dict[str, Any], task: str) -> list[str]:
    """What a task may come to, at any depth."""
    found = list(config["tasks"][task]["route"])
    for label in found:
        found += [item for item in config["deployments"][label].get("failover", ()) if item not in found]
    return found


ASKED = without_none(
    task=perhaps(st.sampled_from(TASKS), 7),
    deployment=perhaps(st.sampled_from(NAMES), 1),
    tenant=perhaps(st.sampled_from(TENANTS), 3),
    data_class=perhaps(st.sampled_from([*CLASSES, *CLASSES, "unheard"]), 4),
    region=perhaps(st.sampled_from(["eu", "us", "west", "eastus", "nowhere"]), 1),
)


class Machine(RuleBasedStateMachine):
    """One client over one file, its providers failing as they like, its clock jumping."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.health: dict[str, str] = {}
        self.client: Watched | None = None

    @initialize(config=files())
    def begin(self, config: dict[str, Any]) -> None:
        """A file that loads keeps the rules of its tasks wherever failover leads."""
        found = loaded(config)
        if found is None:
            return
        self.config = found
        self.client = Watched(found, self.clock, lambda host: self.health.get(host.partition(".")[0], "ok"))
        for task in TASKS:
            assert all(may(found, label, EARLY, task=task) for label in chain(found, task))
        for tenant, entry in found["tenants"].items():
            for task, own in entry.get("tasks", {}).items():
                for label in chain({**found, "tasks": {task: own}}, task):
                    assert may(found, label, EARLY, task=task, tenant=tenant)

    @rule(ill=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(HEALTH), max_size=6))
    def fall_ill(self, ill: dict[str, str]) -> None:
        """Providers change their ways."""
        self.health = ill

    @rule(days=st.integers(0, 3))
    def pass_time(self, days: int) -> None:
        """Both clocks go on."""
        self.clock.wall += days * 86400
        self.clock.steady += days * 86400

    @rule(days=st.integers(1, 400))
    def turn_back(self, days: int) -> None:
        """Somebody sets the wall clock back."""
        self.clock.wall -= days * 86400

    @rule(calls=st.lists(st.tuples(ASKED, st.sampled_from(HOW)), min_size=2, max_size=8))
    def ask(self, calls: list[tuple[dict[str, Any], str]]) -> None:
        """Calls: whoever was contacted for one may be, by rules that byollm had no hand in reading."""
        if self.client is None:
            return
        for asked, how in calls:
            self.call(self.client, asked, how)

    def call(self, client: Watched, asked: dict[str, Any], how: str) -> None:
        """One of them."""
        day = TODAY + timedelta(seconds=self.clock.steady - 1000.0)
        client.contacted.clear()
        with suppress(ByollmError):
            if how == "capabilities":
                asked = {key: asked[key] for key in ("task", "deployment") if key in asked}
                client.capabilities(refine=True, **asked)
            elif how == "stream":
                with client.stream("hi", **asked) as stream:
                    list(stream)
            else:
                getattr(client, how)("hi", **asked)
        asked = asked if "deployment" in asked else {"task": "t0", **asked}
        for host in client.contacted:
            assert may(self.config, host.partition(".")[0], day, **asked), (host, asked)
