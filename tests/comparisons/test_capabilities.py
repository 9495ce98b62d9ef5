"""Each limit and feature of a plugin beside litellm's and genai-prices': equal, or listed with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from genai_prices.data import providers

from byollm.cli.matrix_features import DEFAULTS
from byollm.engine.build import line_from
from byollm.errors import ByollmError
from byollm.providers.deployment import Deployment
from byollm.types.capabilities import Capabilities, Support
from tests.comparisons.wheels import PROVIDERS, Disagreement, listed, models, told_apart

LIMITS = {"context_window": "max_input_tokens", "max_output_tokens": "max_output_tokens"}
FEATURES = {
    "tools": "supports_function_calling",
    "tool_choice_required": "supports_tool_choice",
    "parallel_tool_calls": "supports_parallel_function_calling",
    "images": "supports_vision",
    "documents": "supports_pdf_input",
    "audio": "supports_audio_input",
    "reasoning": "supports_reasoning",
    "structured_output": "supports_response_schema",
    "prefill": "supports_assistant_prefill",
    "system": "supports_system_messages",
    "streaming": "supports_native_streaming",
}
"""Our word and litellm's. Its `supports_tool_choice` says no more than that the parameter is taken."""
GENAI = {"bedrock": "aws", "xai": "x-ai", "vertex": "google"}
PLUGINS = [name for name in PROVIDERS if name in DEFAULTS]


@cache
def usual(provider: str) -> Deployment:
    """A deployment of the plugin."""
    return line_from(provider, DEFAULTS[provider]).deployment


@cache
def declared(provider: str, model: str) -> Capabilities | None:
    """What the plugin says of a model; None when it takes no such name."""
    one = usual(provider)
    try:
        return Deployment(one.plugin, one.manifest, replace(one.target, model=model)).capabilities
    except ByollmError:
        return None


@cache
def beside_litellm(provider: str) -> list[tuple[str, str, str, str]]:
    """Model, field, our word and litellm's, wherever both have one."""
    return list(_beside_litellm(provider))


def _beside_litellm(provider: str) -> Iterator[tuple[str, str, str, str]]:
    for name, told in models(provider):
        can = declared(provider, name)
        if can is None:
            continue
        for field, key in LIMITS.items():
            mine, theirs = getattr(can, field), told.get(key)
            if mine is not None and isinstance(theirs, int):
                yield name, field, str(mine), str(mine if same_window(field, can, theirs) else theirs)
        for field, key in FEATURES.items():
            support = can.supports(field)
            if support is not Support.unknown and key in told:
                yield name, field, "no" if support.refused else "yes", "yes" if told[key] else "no"


def same_window(field: str, can: Capabilities, theirs: int) -> bool:
    """Whether litellm means the same: for most of OpenAI's models its figure is the window less the longest answer."""
    whole, answer = can.context_window, can.max_output_tokens
    return field == "context_window" and None not in (whole, answer) and theirs + (answer or 0) == whole


def beside_genai(provider: str) -> Iterator[tuple[str, str, str, str]]:
    """The same for genai-prices, which knows windows."""
    wheel = next(item for item in providers if item.id == GENAI.get(provider, provider))
    for model in wheel.models:
        name = model.id.removeprefix("regional.")
        can = declared(provider, name)
        if model.context_window is not None and can is not None and can.context_window is not None:
            yield name, "context_window", str(can.context_window), str(model.context_window)


@cache
def disagreements() -> list[Disagreement]:
    kinds = (("litellm", beside_litellm), ("genai-prices", beside_genai))
    return [
        Disagreement(provider, name, field, mine, theirs, other)
        for other, pairs in kinds
        for provider in PLUGINS
        for name, field, mine, theirs in pairs(provider)
        if mine != theirs
    ]


def test_every_capability_is_theirs_too_or_says_why_not():
    """No disagreement is unlisted, and none that is listed has gone."""
    unlisted, stale = told_apart(disagreements(), "capabilities")

    assert [] == unlisted
    assert [] == stale


def test_enough_is_compared_to_mean_something():
    """Thousands of facts, of every plugin with models of its own."""
    compared = {provider: len(beside_litellm(provider)) for provider in PLUGINS}

    assert sum(compared.values()) > 5000
    assert all(count > 10 for name, count in compared.items() if name not in ("cohere", "ollama", "openrouter"))
    assert len(disagreements()) < 0.1 * sum(compared.values())


@pytest.mark.parametrize("entry", listed("capabilities"), ids=lambda entry: f"{entry['provider']}-{entry['field']}")
def test_every_entry_says_which_value_is_taken_and_why(entry: dict[str, Any]):
    """In whole words."""
    assert entry["taken"] in ("ours", "theirs", "neither")
    assert len(entry["why"]) > 30
