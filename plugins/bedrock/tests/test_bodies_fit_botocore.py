"""Every body is what botocore itself would send, and what its validator allows, for each pair of parameters."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from bedrock_driving import CLAUDE, JURASSIC, NOVA, NOVA_2, TITAN, service
from botocore.model import Shape
from botocore.serialize import RestJSONSerializer
from botocore.validate import ParamValidator

from byollm.testing import translate
from byollm_bedrock.families import FAMILIES
from byollm_conformance.bodies import FIELDS, MATRIX, Made, bodies

MODELS = [
    CLAUDE, NOVA, "us.anthropic.claude-opus-5", NOVA_2, "openai.gpt-oss-120b-1:0", "qwen.qwen3-32b-v1:0",
    "us.anthropic.claude-sonnet-5", "mistral.mistral-large-2407-v1:0", "us.meta.llama4-maverick-17b-instruct-v1:0",
]  # fmt: skip


@cache
def made(first: str) -> tuple[Made, ...]:
    """The bodies of one parameter's values beside every later one's."""
    return tuple(bodies("bedrock", MODELS, first, api="converse"))


def parameters(body: Any, shape: Any) -> Any:
    """The body as a program would hand it to botocore: bytes where the wire has base64."""
    if shape.type_name == "structure" and not shape.metadata.get("document"):
        unknown = set(body) - set(shape.members)
        assert not unknown, f"{shape.name} has no {unknown}"
        return {name: parameters(value, shape.members[name]) for name, value in body.items()}
    if shape.type_name == "list":
        return [parameters(item, shape.member) for item in body]
    return base64.b64decode(body, validate=True) if shape.type_name == "blob" else body


def is_botocores(body: dict[str, Any], operation: str = "Converse") -> None:
    """Allowed by the validator, and the same once botocore has written it."""
    model = service().operation_model(operation)
    shape: Shape = model.input_shape
    given = {"modelId": "m", **parameters(body, shape)}
    report = ParamValidator().validate(given, shape)
    assert not report.has_errors(), report.generate_report()
    written = RestJSONSerializer().serialize_to_request(given, model)
    assert json.loads(written["body"]) == body


@pytest.mark.parametrize("first", FIELDS)
def test_every_body_is_botocores_own(first: str):
    """Each value of one parameter with each value of every other."""
    for item in made(first):
        is_botocores(item.body)


def test_there_are_enough_and_no_parameter_is_missing():
    """At least 200; each parameter is in a body somewhere, or the caller was told that it is not."""
    everything = [item for first in FIELDS for item in made(first)]
    asked = {name for item in everything for name in item.fields}

    assert len(everything) >= 900
    assert set(MATRIX) - {"logit_bias", "logprobs"} == asked
    told = {name for item in everything for name in item.adjusted}
    assert {"seed", "verbosity", "frequency_penalty", "presence_penalty", "cache_key", "end_user_id"} <= told


DOCUMENTS = ("/additionalModelRequestFields", "/toolConfig/tools/toolSpec/inputSchema/json")
"""Members that hold any JSON."""


def members(body: Any, path: str = "") -> Iterator[str]:
    """The path of every member of a body, without its lists' places."""
    if isinstance(body, dict) and path not in (
        "/additionalModelRequestFields",
        "/toolConfig/tools/toolSpec/inputSchema/json",
    ):
        for name, value in body.items():
            yield f"{path}/{name}"
            yield from members(value, f"{path}/{name}")
    elif isinstance(body, list):
        for item in body:
            yield from members(item, path)


def test_every_field_of_the_vocabulary_occurs():
    """Whatever the plugin can write was judged."""
    content, tool = "/messages/content", "/toolConfig/tools/toolSpec"
    seen = {path for first in FIELDS for item in made(first) for path in members(item.body)}

    assert {
        "/system/text", "/inferenceConfig/maxTokens", "/inferenceConfig/temperature", "/inferenceConfig/topP",
        "/inferenceConfig/stopSequences", "/toolConfig/toolChoice/auto", "/toolConfig/toolChoice/any",
        "/toolConfig/toolChoice/tool/name", "/requestMetadata/a", "/serviceTier/type", "/additionalModelRequestFields",
        "/additionalModelResponseFieldPaths", "/outputConfig/textFormat/structure/jsonSchema/schema",
        "/system/cachePoint",
        f"{content}/text", f"{content}/image/source/bytes", f"{content}/document/name", f"{content}/cachePoint/type",
        f"{content}/toolUse/input", f"{content}/toolResult/status", f"{content}/toolResult/content/image",
        f"{tool}/strict", f"{tool}/description", f"{tool}/inputSchema/json",
    } <= seen  # fmt: skip


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_has_a_body_that_botocore_takes(family: str):
    """With all that the vocabulary has and the family takes."""
    for item in bodies("bedrock", [family], "temperature", api="converse"):
        is_botocores(item.body)


OPTIONS = {
    "guardrail": {"identifier": "abc", "version": "DRAFT", "trace": "enabled_full"},
    "latency": "optimized",
    "betas": ["context-1m-2025-08-07"],
}


def test_what_the_target_adds_is_botocores_too():
    """Guardrail, latency, betas."""
    is_botocores(translate("bedrock", "hi", model=CLAUDE, api="converse", **OPTIONS).body)


@pytest.mark.parametrize("model", [TITAN, JURASSIC, CLAUDE, NOVA])
def test_bodies_of_invoke_model_are_what_the_twin_takes(model: str):
    """botocore sends them as bytes; the twin has the families' published schemas."""
    from byollm_sandbox import dialect_named

    judge, found = dialect_named("bedrock-invoke"), 0
    for first in ("messages", "temperature", "max_tokens", "top_p", "stop"):
        for item in bodies("bedrock", [model], first, api="invoke"):
            refused = judge.validate({"model": model, **item.body}, {})
            assert refused is None, (refused, item)
            found += 1
    assert found >= 40
