"""What models take: rows for all that AWS lists, and advice for those that it no longer does."""

from typing import Any

import pytest
from bedrock_driving import CLAUDE, JURASSIC, NOVA, NOVA_2, TITAN, target

from byollm.plugin import Support
from byollm_bedrock import provider
from byollm_bedrock.families import FAMILIES, OPAQUE, family_of
from byollm_bedrock.manifest import RETIRED
from byollm_bedrock.model_ids import read_id

FULL, PARTIAL, UNSUPPORTED, UNKNOWN = Support.full, Support.partial, Support.unsupported, Support.unknown


def can(model: str, **fields: Any) -> Any:
    """The capabilities of a model."""
    return provider.capabilities(target(model, **fields))


@pytest.mark.parametrize(
    "given, geography, base, region",
    [
        ("amazon.nova-pro-v1:0", "", "amazon.nova-pro-v1:0", None),
        ("us.amazon.nova-pro-v1:0", "us", "amazon.nova-pro-v1:0", None),
        ("us-gov.anthropic.claude-opus-5", "us-gov", "anthropic.claude-opus-5", None),
        ("global.anthropic.claude-opus-5", "global", "anthropic.claude-opus-5", None),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-pro-v1:0", "eu", "amazon.nova-pro-v1:0",
         "eu-west-1"),
        ("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0", "", "meta.llama3-8b-instruct-v1:0",
         "us-east-1"),
        ("arn:aws-us-gov:bedrock:us-gov-west-1:1:provisioned-model/abc", "", "", "us-gov-west-1"),
        ("arn:aws:sagemaker:us-east-1:1:endpoint/mine", "", "", "us-east-1"),
    ],
)  # fmt: skip
def test_ids_and_arns_tell_what_they_tell(given: str, geography: str, base: str, region: Any):
    """Geography, model, region; some ARNs hide the model."""
    found = read_id(given)

    assert (geography, base, region) == (found.geography, found.base, found.region)


@pytest.mark.parametrize("api", ["converse", "invoke"])
def test_base_model_says_what_an_arn_hides(api: str):
    """Its limits and habits hold then; without it nothing is known, and everything is sent as it stands."""
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x"
    known = can(arn, api=api, options={"base_model": CLAUDE})

    assert (200_000, FULL) == (known.context_window, known.tools)
    assert can(CLAUDE, api=api).context_window == known.context_window
    assert (None, UNKNOWN) == (can(arn, api=api).context_window, can(arn, api=api).images)


@pytest.mark.parametrize(
    "model, window, output",
    [
        (CLAUDE, 200_000, 64_000), ("global.anthropic.claude-opus-5-5", 1_000_000, 128_000), (NOVA, 300_000, 10_000),
        (NOVA_2, 1_000_000, 64_000), (TITAN, 42_000, 8_000), (JURASSIC, 8_191, 8_191),
        ("us.meta.llama4-scout-17b-instruct-v1:0", 10_000_000, 8_192), ("us.deepseek.r1-v1:0", 128_000, 8_192),
        ("mistral.mistral-large-3-675b-instruct", 256_000, 32_000), ("qwen.qwen3-32b-v1:0", 32_768, 8_192),
        ("openai.gpt-oss-20b-1:0", 128_000, 16_384), ("us.xai.grok-4.7", 524_288, 524_288),
    ],
)  # fmt: skip
def test_limits(model: str, window: int, output: int):
    """In tokens, each with its source."""
    found = can(model)

    assert (window, output) == (found.context_window, found.max_output_tokens)
    assert found.sources["context_window"]


def test_what_families_take():
    """Where they differ."""
    assert (FULL, UNSUPPORTED) == (can(NOVA).cache_hints, can("us.meta.llama3-3-70b-instruct-v1:0").cache_hints)
    assert (UNSUPPORTED, UNSUPPORTED) == (can(TITAN).system, can("us.deepseek.r1-v1:0").tools)
    assert (UNSUPPORTED, FULL) == (can("us.xai.grok-4.6").temperature, can(CLAUDE).temperature)
    assert (FULL, PARTIAL) == (can(CLAUDE).structured_output, can("us.anthropic.claude-opus-5").structured_output)
    assert UNSUPPORTED == can("us.anthropic.claude-fable-5-1").structured_output
    assert (PARTIAL, UNSUPPORTED) == (can(CLAUDE).count_tokens, can(NOVA).count_tokens)
    assert (UNSUPPORTED, UNSUPPORTED) == (can(JURASSIC, api="invoke").streaming, can(TITAN, api="invoke").tools)
    assert ("none", "low", "medium", "high") == can(NOVA_2).reasoning_efforts


def test_the_longest_name_finds_the_row():
    """`meta.llama3-1…` is no `meta.llama3…`, `mistral.mistral-large-3` no `-2407`."""
    found = {name: family_of(read_id(name)).name for name in FAMILIES}

    assert found == {name: name for name in FAMILIES}
    assert "meta.llama3" == family_of(read_id("meta.llama3-8b-instruct-v1:0")).name
    assert family_of(read_id("acme.brand-new-v1:0")) is OPAQUE


@pytest.mark.parametrize(
    "model", [TITAN, JURASSIC, "anthropic.claude-3-opus-20240229-v1:0", "us.anthropic.claude-3-opus-20240229-v1:0"]
)
def test_retired_models_come_with_advice(model: str):
    """`byollm check` says what replaced them; they load all the same."""
    note = provider.manifest.models[model]

    assert note.replacement is not None
    assert can(model).context_window is not None


def test_no_advice_is_another_retired_model():
    """And all replacements are known."""
    replacements = {replacement for _, replacement in RETIRED.values()}

    assert not replacements & RETIRED.keys()
    assert all(can(replacement).context_window for replacement in replacements)


def test_the_plugins_own_names():
    """As architecture fixes them."""
    assert ("bedrock", ("aws_bedrock",)) == (provider.manifest.name, provider.manifest.aliases)
    assert ("converse", "invoke", "chat", "responses", "messages") == provider.manifest.apis
