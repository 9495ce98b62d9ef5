"""Every body is what google-genai's types allow, extra members forbidden, for each pair of parameters."""

import itertools
import json
from collections import defaultdict
from typing import Any

import pytest
from google.genai import types
from google_driving import fitted, result, say
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, create_model

from byollm.plugin import (
    Audio,
    Document,
    Image,
    Opaque,
    ProviderTool,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    UnsupportedFeatureError,
)
from byollm_google.families import FAMILIES, family_of

Body: Any = create_model(
    "Body",
    __config__=ConfigDict(extra="forbid"),
    contents=(list[types.Content], Field(min_length=1)),
    systemInstruction=(types.Content | None, None),
    tools=(list[types.Tool] | None, None),
    toolConfig=(types.ToolConfig | None, None),
    generationConfig=(types.GenerationConfig | None, None),
    safetySettings=(list[types.SafetySetting] | None, None),
    serviceTier=(types.ServiceTier | None, None),
    store=(bool | None, None),
)
BODY: TypeAdapter[Any] = TypeAdapter(Body)

SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}, "required": ["a"]}
TOOL = Tool("f", "Does f.", SCHEMA)
OWN = Opaque("google", "gemini", {"thoughtSignature": "c2ln", "id": "1"})
THOUGHT = Reasoning("so", Opaque("google", "gemini", {"thoughtSignature": "c2ln", "thought": True}))
PNG = Image(b"\x89PNG\r\n\x1a\n")
CALLED = [say("user", "a"), say("assistant", (THOUGHT, Text("b"), ToolCall("1", "f", '{"a": "x"}', state=OWN),
                                               ToolCall("2", "a/b", "{}"))),
          say("tool", (result("2", "d"), result("1", (Text("c"), PNG), is_error=True)))]  # fmt: skip
MEDIA = [say("user", (Text("a", cache="1h"), Document(b"%PDF-1", name="a.pdf"), Audio(b"ID3"), PNG))]
MATRIX: dict[str, list[Any]] = {
    "messages": [CALLED, MEDIA, [say("user", "a"), say("system", "b")]],
    "system": ["s", (Text("s", cache="default"),)],
    "tools": [[TOOL], [Tool("a/b", None, {}, strict=False), Tool("g", None, SCHEMA, strict=True)],
              [ProviderTool("google", {"googleSearch": {}})]],
    "tool_choice": ["auto", "none", "required", "f"],
    "parallel_tool_calls": [True, False],
    "output_schema": [SCHEMA],
    "reasoning_effort": ["none", "minimal", "high", "max"],
    "max_tokens": [1, 5000, 10**7],
    "temperature": [0, 1.5],
    "top_p": [0.5],
    "top_k": [3],
    "seed": [7],
    "frequency_penalty": [0.5],
    "presence_penalty": [-0.5],
    "stop": [["END"], list("abcdef")],
    "end_user_id": ["u"],
    "verbosity": ["low"],
    "cache_key": ["k"],
    "service_tier": ["flex", "auto"],
    "metadata": [{"a": "b"}],
    "store": [True, False],
    "stream": [True],
}  # fmt: skip
REFUSED = {"tools", "tool_choice", "parallel_tool_calls", "output_schema", "images", "documents", "audio", "messages"}


def is_allowed(body: dict[str, Any]) -> None:
    BODY.validate_json(json.dumps(body))


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(MATRIX, 2)))
def test_every_pair_of_parameters_makes_an_allowed_body(first, second):
    """Each value of one with each of the other, on a model of every family in turn."""
    models, refused, made = itertools.cycle(FAMILIES), defaultdict[str, set[str]](set), 0
    for one, two in itertools.product(MATRIX[first], MATRIX[second]):
        for _ in range(4):
            name = next(models)
            model = name if name.startswith("gemma") else f"gemini-{name}"
            fields = {**({"tools": [TOOL]} if "tool_choice" in (first, second) else {}), first: one, second: two}
            try:
                body, adjusted = fitted(Request(fields.pop("messages", "hi"), **fields), model)
            except UnsupportedFeatureError as error:
                refused[error.field].add(model)
                continue
            made += 1
            is_allowed(body)
            assert "metadata" not in fields or "metadata" in adjusted
            assert (
                not {"thinkingBudget", "thinkingLevel"}
                <= body.get("generationConfig", {}).get("thinkingConfig", {}).keys()
            )
    assert refused.keys() <= REFUSED
    assert made or {"tool_choice", "tools"} & {first, second}
    modern = {model for models in refused.values() for model in models if family_of(model).modern}
    assert not modern or {"parallel_tool_calls", "tool_choice", "tools"} & {first, second}


@pytest.mark.parametrize(
    "wrong",
    [
        {"unknown": 1},
        {"contents": []},
        {"contents": [{"role": "user", "parts": [{"txt": "a"}]}]},
        {"generationConfig": {"temp": 1}},
        {"toolConfig": {"functionCallingConfig": {"modes": "ANY"}}},
    ],
)
def test_the_judge_sees_a_wrong_body(wrong):
    """Unknown members and wrong shapes are not allowed: the check above can fail."""
    right = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    is_allowed(right)

    with pytest.raises(ValidationError):
        is_allowed({**right, **wrong})
