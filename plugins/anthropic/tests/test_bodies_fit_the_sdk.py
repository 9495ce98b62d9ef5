"""Every body is what Anthropic's SDK types allow, for each pair of parameters and every family of models.

The SDK of 2026-11 is typed for API version 2026-10-21, which has no sampling parameters: they are looked at apart.
"""

import itertools
from collections import defaultdict
from typing import Any

import pytest
from anthropic import types
from anthropic_driving import fitted, result, say
from pydantic import TypeAdapter, ValidationError

from byollm.plugin import (
    Document,
    Image,
    Opaque,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    UnsupportedFeatureError,
)
from byollm_anthropic.families import FAMILIES, family_of
from byollm_conformance.bodies import consumed, forbid_unknown

forbid_unknown(types, types.message_create_params)
BODY: TypeAdapter[Any] = TypeAdapter(types.message_create_params.MessageCreateParams)

SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}, "required": ["a"]}
TOOL = Tool("f", "Does f.", SCHEMA)
THOUGHT = Reasoning("so", Opaque("anthropic", "messages", {"signature": "s"}))
CALLED = [say("user", "a"), say("assistant", (THOUGHT, Text("b"), ToolCall("1", "f", '{"a": "x"}'))),
          say("tool", (result("1", (Text("c"), Image(b"GIF8")), is_error=True),))]  # fmt: skip
LATE = [say("user", "a"), say("system", "b")]
MATRIX: dict[str, list[Any]] = {
    "messages": [CALLED, [say("user", (Text("a", cache="1h"), Document(b"%PDF-1", name="a.pdf")))], LATE],
    "system": ["s", (Text("s", cache="default"),)],
    "tools": [[TOOL], [Tool("a/b", None, {}, strict=False, cache="5m"), Tool("g", None, SCHEMA, strict=True)]],
    "tool_choice": ["auto", "none", "required"],
    "parallel_tool_calls": [True, False],
    "output_schema": [SCHEMA],
    "reasoning_effort": ["none", "minimal", "high", "max"],
    "max_tokens": [1, 5000, 10**6],
    "temperature": [0, 1.5],
    "top_p": [0.5],
    "stop": [["END", " "]],
    "end_user_id": ["u", "jane@example.com"],
    "service_tier": ["auto", "default"],
    "metadata": [{"a": "b"}],
    "stream": [True],
}  # fmt: skip
TAKES_ALL = [FAMILIES[name] for name in ("opus-4-5", "sonnet-4-6", "opus-4-8", "sonnet-5", "opus-5", "fable-5")]
SAMPLING = {"temperature", "top_p", "top_k"}


def is_allowed(body: dict[str, Any]) -> None:
    consumed(BODY.validate_python({name: value for name, value in body.items() if name not in SAMPLING}))


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(MATRIX, 2)))
def test_every_pair_of_parameters_makes_an_allowed_body(first, second):
    """Each value of one with each of the other, on a model of every family in turn."""
    models, refused = itertools.cycle(FAMILIES), defaultdict[str, set[str]](set)
    for one, two in itertools.product(MATRIX[first], MATRIX[second]):
        for _ in range(4):
            model = f"claude-{next(models)}"
            fields = {**({"tools": [TOOL]} if "tool_choice" in (first, second) else {}), first: one, second: two}
            try:
                body, adjusted = fitted(Request(fields.pop("messages", "hi"), **fields), model)
            except UnsupportedFeatureError as error:
                refused[error.field].add(model)
                continue
            is_allowed(body)
            assert body["max_tokens"] <= FAMILIES[model.removeprefix("claude-")].max_output
            assert "metadata" not in fields or "metadata" in adjusted
    assert refused.keys() <= {"tool_choice", "output_schema", "tools", "documents"}
    assert not {model for models in refused.values() for model in models if family_of(model) in TAKES_ALL}


@pytest.mark.parametrize(
    "wrong",
    [
        {"unknown": 1},
        {"tool_choice": {"type": "none", "disable_parallel_tool_use": True}},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"thinking": {"type": "adaptive", "budget_tokens": 1}},
    ],
)
def test_the_judge_sees_a_wrong_body(wrong):
    """Unknown fields and wrong shapes are not allowed: the check above can fail."""
    right = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    is_allowed(right)

    with pytest.raises(ValidationError):
        is_allowed({**right, **wrong})
