"""Limits that several deployments share because their key does, and those of a tenant over all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import byollm
from byollm.config.llm_config import load
from byollm.errors import ConfigError, RateLimitError
from byollm.routing.joint import Joint
from byollm.routing.limits import Limits, LimitsConfig
from byollm.testing import ManualClock
from byollm_sandbox import serve

TARGET = {"provider": "custom", "model": "any", "endpoint": "http://127.0.0.1:9", "api_key": "literal:sk-0123456789"}


def lines(client: byollm.Client, *places: tuple[str, str | None]) -> list[Any]:
    return [client.line(name, tenant) for name, tenant in places]


def config(**more: Any) -> dict[str, Any]:
    return {
        "limits": {"team": {"requests_per_minute": 60}},
        "deployments": {
            "a": {**TARGET, "limits": "team"},
            "b": {**TARGET, "limits": {"shared": "team", "requests_per_minute": 6}},
            "c": TARGET,
        },
        "tasks": {"chat": {"route": ["a", "b", "c"]}},
        **more,
    }


def test_deployments_of_a_group_count_together():
    """What one of them takes is gone for the other; who is outside has no limit."""
    a, b, c = lines(byollm.Client(config()), ("a", None), ("b", None), ("c", None))
    instants = [a.limits.reserve(1, 1, 0.0).at for _ in range(3)]

    assert [0.0, 0.0, 1.0] == instants
    assert 2.0 == b.limits.parts[1].reserve(1, 1, 0.0).at
    assert c.limits is None


def test_the_tighter_of_two_limits_holds():
    """Six a minute for it alone, sixty for the group."""
    (b,) = lines(byollm.Client(config()), ("b", None))
    instants = [b.limits.reserve(1, 1, 0.0).at for _ in range(3)]

    assert [0.0, 9.0, 19.0] == instants


def test_every_tenant_has_a_count_of_its_own():
    """Its key is another."""
    tenants = {name: {"credentials": {"custom": f"literal:sk-{name}-0123456789"}} for name in ("one", "two")}
    first, second, platform = lines(byollm.Client(config(tenants=tenants)), ("a", "one"), ("a", "two"), ("a", None))

    assert 3 == len({id(line.limits) for line in (first, second, platform)})


def test_a_tenants_own_limit_holds_over_all_its_deployments():
    """And for nobody else."""
    own = {"credentials": {"custom": "literal:sk-one-0123456789"}, "limits": {"concurrency": 2}}
    client = byollm.Client(config(tenants={"one": own}))
    a, c, platform = lines(client, ("a", "one"), ("c", "one"), ("c", None))

    assert a.limits.parts[1] is c.limits
    assert platform.limits is None


def test_what_a_provider_tells_is_about_the_deployment():
    """Its headers speak of its own model; the group is what the file says, unless there is nothing else."""
    a, b = lines(byollm.Client(config()), ("a", None), ("b", None))
    b.limits.told({"requests": (6.0, 0.0, 30.0)}, 0.0)
    assert 0.0 == a.limits.reserve(1, 1, 0.0).at
    a.limits.refused(30.0, 0.0)

    assert [0.0, 0.0] == [a.limits.room(1.0), b.limits.room(1.0)]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 50), st.floats(0, 3), st.booleans()), max_size=60))
def test_together_they_never_pass_the_groups_limit(asked: list[tuple[int, int, float, bool]]):
    """Whatever the mix: in any minute no more than the limit and a second's worth; what was cancelled is given back."""
    group = Limits(LimitsConfig(tokens=600))
    both = [Joint((Limits(LimitsConfig(tokens=400)), group)), Joint((Limits(LimitsConfig(requests=100)), group))]
    now, went = 0.0, list[tuple[float, int]]()
    for which, amount, pause, cancelled in asked:
        now += pause
        ticket = both[which].reserve(amount, 0, now)
        if cancelled:
            ticket.cancel()
        else:
            went.append((ticket.tickets[1].at, amount))
    for at, _ in went:
        assert sum(amount for other, amount in went if at <= other < at + 60) <= 600 + 10 + 50


@pytest.mark.parametrize("taken", [0, 1])
def test_a_place_in_one_queue_is_left_when_the_other_has_none(taken: int):
    """Nobody holds a place that it cannot use."""
    with serve() as twin:
        target = {**TARGET, "endpoint": twin.url("custom")}
        groups = {"first": {"concurrency": 1}, "second": {"concurrency": 1}}
        both = {"limits": groups, "deployments": {"a": {**target, "limits": ["first", "second"]}}}
        with byollm.Client(both) as client:
            (line,) = lines(client, ("a", None))
            assert line.limits.parts[taken].enter() is None
            with pytest.raises(RateLimitError, match="stayed taken") as raised:
                client.complete("hi", timeout=0.2)
            assert "no" == raised.value.sent
            line.limits.parts[taken].leave()

            assert client.complete("hi").text
            assert [None, None] == [part.enter() for part in line.limits.parts]


def test_two_deployments_of_a_group_wait_on_one_clock():
    """The call on the second waits for what the first took."""
    with serve() as twin:
        target = {**TARGET, "endpoint": twin.url("custom"), "limits": "team"}
        clock = ManualClock()
        both = {"limits": {"team": {"requests_per_minute": 60}}, "deployments": {"a": target, "b": target}}
        with byollm.Client(both, clock=clock) as client:
            for name in ("a", "b", "a", "b"):
                client.complete("hi", deployment=name)

    assert [1.0, 1.0] == clock.slept


@pytest.mark.parametrize(
    "text, line, told",
    [
        ("limits: {team: {concurrency: 1}}\na: {provider: x, model: y, limits: taem}\n", 2, "did you mean `team`?"),
        ("a: {provider: x, model: y, limits: {shared: team}}\n", 1, "there is no group of limits `team`"),
        ("limits: {team: {}}\na: x/y\n", 1, "limits nothing"),
        ("limits: {team: {request_per_minute: 1}}\na: x/y\n", 1, "did you mean `requests_per_minute`?"),
        ("limits: {team: 3}\na: x/y\n", 1, "a mapping"),
        ("a: {provider: x, model: y, limits: 3}\n", 1, "a mapping"),
        ("a: {provider: x, model: y, limits: [1]}\n", 1, "there is no group"),
        ("limits: {team: {shared: other}}\na: x/y\n", 1, "`shared` is not a key"),
        ("a: x/y\ntenants: {t: {credentials: {x: k}, limits: {concurrency: 0}}}\n", 2, "at least 1"),
    ],
)
def test_a_wrong_line_is_refused_at_load(tmp_path: Path, text: str, line: int, told: str):
    """With its place and the nearest word."""
    (tmp_path / "llm.yaml").write_text(text)

    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "llm.yaml")
    assert (line, True) == (raised.value.line, told in str(raised.value))


def test_limits_of_a_single_target_are_its_own():
    """Where `provider:` stands in the root, `limits:` beside it is the target's."""
    found = load({"provider": "openai", "model": "m", "limits": {"concurrency": 3}})

    assert (LimitsConfig(concurrency=3), {}) == (found.deployments["default"].limits, found.limits)
