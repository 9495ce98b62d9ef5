"""Every fitted body is what OpenAI's SDK types allow, for each pair of parameters and every family of models."""

import inspect
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from openai.types import responses, shared_params
from openai.types.chat import completion_create_params
from openai.types.responses import input_token_count_params, response_create_params
from openai_driving import body, target
from pydantic import ConfigDict, TypeAdapter

from byollm.plugin import Document, Image, Message, Request, Text, Tool, ToolCall, ToolResult, UnsupportedFeatureError
from byollm.wire.json import parse_json
from byollm_openai import provider
from byollm_openai.models import FAMILIES

FOUND: list[Any] = [
    *vars(completion_create_params).values(), *vars(response_create_params).values(), *vars(responses).values(),
    *vars(shared_params).values(), *vars(input_token_count_params).values(),
]  # fmt: skip
for found in FOUND:
    if inspect.isclass(found) and hasattr(found, "__required_keys__") and not hasattr(found, "__pydantic_config__"):
        setattr(found, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010  # the class declares no such name
BODIES: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(completion_create_params.CompletionCreateParams),
    "responses": TypeAdapter(response_create_params.ResponseCreateParams),
}
COUNTED: TypeAdapter[Any] = TypeAdapter(input_token_count_params.InputTokenCountParams)

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
TOOL = Tool("f", "Does f.", SCHEMA)
CALLED = [
    Message("user", (Text("a"),)),
    Message("assistant", (Text("b"), ToolCall("1", "f", '{"a": "x"}'))),
    Message("tool", (ToolResult("1", (Text("c"), Image(b"GIF8")), is_error=True),)),
]
SEEN = [Message("user", (Text("a", cache="30m"), Image(b"GIF8"), Document(b"%PDF-1", name="a.pdf")))]
MATRIX: dict[str, list[Any]] = {
    "messages": [CALLED, SEEN],
    "system": ["s"],
    "tools": [[TOOL], [Tool("g", None, SCHEMA, strict=True)]],
    "tool_choice": ["auto", "required", "f"],
    "parallel_tool_calls": [True, False],
    "output_schema": [SCHEMA],
    "reasoning_effort": ["none", "minimal", "max"],
    "verbosity": ["low"],
    "max_tokens": [1, 10**6],
    "temperature": [0, 1.5],
    "top_p": [0.5],
    "top_k": [5],
    "stop": [["a", "b", "c", "d", "e"]],
    "seed": [7],
    "frequency_penalty": [-1],
    "cache_key": ["k"],
    "end_user_id": ["u"],
    "service_tier": ["default", "flex"],
    "metadata": [{"a": "b"}],
    "stream": [True],
}


def consumed(value: Any) -> None:
    """Iterables of the SDK's types are validated as they are read."""
    if isinstance(value, Mapping):
        for inner in value.values():
            consumed(inner)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for inner in value:
            consumed(inner)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(MATRIX, 2)))
def test_every_pair_of_parameters_makes_an_allowed_body(first, second, api):
    """Each value of one with each of the other, on every fifth family; contracts may be refused, nothing else."""
    start = (len(first) * 7 + len(second)) % 5
    sent = 0
    for family, one, two in itertools.product(FAMILIES[start::5], MATRIX[first], MATRIX[second]):
        parameters = {first: one, second: two}
        messages = parameters.pop("messages", "hi")
        if "tool_choice" in parameters and isinstance(parameters.get("tools", [TOOL])[0], Tool):
            parameters.setdefault("tools", [TOOL])
        try:
            made = body(Request(messages, **parameters), family.prefix, api)
        except UnsupportedFeatureError:
            continue
        sent += 1
        consumed(BODIES[api].validate_python(made))
    assert sent > 0


def test_what_is_counted_is_what_the_counting_endpoint_knows():
    """Unknown keys are forbidden there too."""
    asked = Request(SEEN, system="s", tools=[TOOL], tool_choice="f", output_schema=SCHEMA, reasoning_effort="low")

    counted: Any = provider.count_tokens(asked, target())

    consumed(COUNTED.validate_python(parse_json(counted.request.body)))
