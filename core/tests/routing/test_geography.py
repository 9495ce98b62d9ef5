"""A model id that is computed elsewhere than its host says keeps no residency."""

from __future__ import annotations

from typing import Any

import pytest

import byollm
from byollm.config.llm_config import load
from byollm.errors import ConfigError, NoRouteError
from byollm.routing.geography import elsewhere

EU = {"eu": {"regions": ["eu-central-1", "eu-west-1"], "hosts": ["bedrock-runtime.eu-*.amazonaws.com"]}}
HERE = "eu-central-1"


def config(model: str, **task: Any) -> dict[str, Any]:
    target = {"provider": "aws_bedrock", "model": model, "region": HERE, "api_key": "${KEY}",
              "endpoint": f"https://bedrock-runtime.{HERE}.amazonaws.com"}  # fmt: skip
    return {"policies": {"residency": EU}, "deployments": {"a": target}, "tasks": {"t": {"route": ["a"], **task}}}


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("global.anthropic.claude-sonnet-4-5", "computed in any region of the world"),
        ("us.anthropic.claude-sonnet-4-5", "computed in us"),
        ("arn:aws:bedrock:eu-central-1:1:inference-profile/global.amazon.nova-pro-v1:0", "any region of the world"),
    ],
)
def test_a_profile_that_leaves_its_region_is_refused_at_load(model: str, told: str) -> None:
    """The host is in Europe, and says nothing of where the model runs."""
    with pytest.raises(ConfigError, match=f"{told}, outside residency `eu`"):
        load(config(model, residency="eu"))


@pytest.mark.parametrize("model", ["eu.anthropic.claude-sonnet-4-5", "anthropic.claude-sonnet-4-5-v1:0"])
def test_one_that_stays_is_not(model: str) -> None:
    """Europe's profile in Europe, and a model without one."""
    assert load(config(model, residency="eu"))


def test_a_calls_own_region_holds_too() -> None:
    """Where the file has no set of that name."""
    with byollm.Client(config("global.anthropic.claude-sonnet-4-5")) as client, pytest.raises(NoRouteError) as caught:
        client.complete("hi", region=HERE)
    assert "computed in any region of the world" in str(caught.value)


@pytest.mark.parametrize(
    ("model", "region", "away"),
    [
        ("us-gov.anthropic.claude", "us-gov-west-1", False),
        ("us-gov.anthropic.claude", "us-west-2", True),
        ("us.anthropic.claude", "us-gov-west-1", True),
        ("jp.anthropic.claude", "ap-northeast-1", False),
        ("jp.anthropic.claude", "ap-southeast-2", True),
        ("apac.anthropic.claude", "ap-southeast-2", False),
        ("eu.anthropic.claude", None, True),
        ("eurollm.model", "us-east-1", False),
    ],
)
def test_each_geography_has_its_regions(model: str, region: str | None, away: bool) -> None:
    """And an id that only begins like one has none."""
    assert away == bool(elsewhere("bedrock", model, region))
    assert "" == elsewhere("openai", model, region)


@pytest.mark.parametrize("model", ["gpt-oss:120b-cloud", "glm-4.6:cloud"])
def test_ollamas_cloud_is_not_this_house(model: str) -> None:
    """The server on one's own machine passes the prompt on to ollama.com."""
    house = {"house": {"regions": ["house"], "hosts": ["localhost"]}}
    target = {"provider": "ollama", "model": model, "endpoint": "http://localhost:11434", "region": "house"}
    file = {"policies": {"residency": house}, "deployments": {"a": target},
            "tasks": {"t": {"route": ["a"], "residency": "house"}}}  # fmt: skip

    with pytest.raises(ConfigError, match=r"is passed on to ollama\.com, outside residency `house`"):
        load(file)
    assert not elsewhere("ollama", "gpt-oss:20b", "house")


def test_a_calls_region_holds_in_a_file_without_rules() -> None:
    """`region=` asks the same of a model, whether the file has `policies:` or not."""
    file = {key: item for key, item in config("global.anthropic.claude-sonnet-4-5").items() if key != "policies"}
    with byollm.Client(file) as client, pytest.raises(NoRouteError) as caught:
        client.complete("hi", region=HERE)
    assert "computed in any region of the world" in caught.value.skipped["a"]
