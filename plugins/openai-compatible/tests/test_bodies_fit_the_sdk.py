"""Every body is what OpenAI's SDK types allow, for each pair of parameters, with unknown keys forbidden."""

import inspect
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from compatible_driving import body, result, say
from openai.types import responses, shared_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import ConfigDict, TypeAdapter

from byollm.plugin import Audio, Document, Image, Opaque, Reasoning, Request, Text, Tool, ToolCall

FOUND: list[Any] = [
    *vars(completion_create_params).values(), *vars(response_create_params).values(), *vars(responses).values(),
    *vars(shared_params).values(),
]  # fmt: skip
for found in FOUND:
    if inspect.isclass(found) and hasattr(found, "__required_keys__") and not hasattr(found, "__pydantic_config__"):
        setattr(found, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010  # the class declares no such name
BODIES: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(completion_create_params.CompletionCreateParams),
    "responses": TypeAdapter(response_create_params.ResponseCreateParams),
}
# As OpenAI itself wants them; a server's own names are its own.
OPENAI: dict[str, Any] = {
    "max_tokens_field": "max_completion_tokens", "end_user_field": "safety_identifier", "strict_schemas": True,
    "system_role": "keep", "send_store": True, "encrypted_reasoning": True, "cache_field": "prompt_cache_breakpoint",
}  # fmt: skip

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
TOOL = Tool("f", "Does f.", SCHEMA)
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
SAID = {
    "item": {"type": "message", "id": "m_1", "role": "assistant", "status": "completed"},
    "part": {"annotations": []},
}
CALLED = [
    say("user", "a"),
    say("assistant", (
        Reasoning("hm", Opaque("custom", "responses", THOUGHT)), Text("b", state=Opaque("custom", "responses", SAID)),
        ToolCall("1", "f", '{"a": "x"}', state=Opaque("custom", "responses", {"id": "fc_1", "status": "completed"})),
    )),
    say("tool", (result("1", (Text("c"), Image(b"GIF8"))),)),
]  # fmt: skip
SEEN = (Text("a", cache="30m"), Image(b"GIF8", detail="low"), Document(b"%PDF-1", name="a.pdf"), Audio(b"ID3"))
MATRIX: dict[str, list[Any]] = {
    "messages": [CALLED, [say("system", "s"), say("developer", "d"), say("user", SEEN)]],
    "system": ["s", (Text("s"),)],
    "tools": [[TOOL], [Tool("g", None, SCHEMA, strict=True), Tool("h", None, SCHEMA, strict=False)]],
    "tool_choice": ["auto", "none", "required", "f"],
    "parallel_tool_calls": [True, False],
    "output_schema": [SCHEMA, {"type": "object", "additionalProperties": True}],
    "reasoning_effort": ["none", "minimal", "max"],
    "verbosity": ["low"],
    "max_tokens": [1, 10**6],
    "temperature": [0, 1.5],
    "top_p": [0.5],
    "stop": ["END", ["a", "b"]],
    "seed": [7],
    "frequency_penalty": [-1],
    "presence_penalty": [1.5],
    "logit_bias": [{"50256": -100}],
    "logprobs": [0, 3],
    "cache_key": ["k"],
    "end_user_id": ["u"],
    "service_tier": ["flex"],
    "metadata": [{"a": "b"}],
    "store": [True, False],
    "stream": [True],
}
CHAT_ONLY = {"stop", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs"}


def consumed(value: Any) -> None:
    """Iterables of the SDK's types are validated as they are read."""
    if isinstance(value, Mapping):
        for inner in value.values():
            consumed(inner)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for inner in value:
            consumed(inner)


def asked(parameters: dict[str, Any], api: str) -> Request:
    messages = parameters.pop("messages", [say("user", "hi")])
    if api == "responses":  # the SDK knows no sound there
        silent = [[part for part in turn.parts if not isinstance(part, Audio)] for turn in messages]
        messages = [say(turn.role, tuple(parts)) for turn, parts in zip(messages, silent, strict=True)]
    if "tool_choice" in parameters:
        parameters.setdefault("tools", [TOOL])
    return Request(messages, **parameters)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(MATRIX, 2)))
def test_every_pair_of_parameters_makes_an_allowed_body(first, second, api):
    """Each value of one with each of the other; what Responses lacks is `fit()`'s to take away."""
    if api == "responses" and {first, second} & CHAT_ONLY:
        names = [name for name in (first, second) if name not in CHAT_ONLY]
    else:
        names = [first, second]
    for values in itertools.product(*(MATRIX[name] for name in names)):
        request = asked(dict(zip(names, values, strict=True)), api)
        made = body(request, api=api, model="gpt-6-sol", **OPENAI)
        consumed(BODIES[api].validate_python(made))
        assert made["store"] is bool(request.store)


def test_the_judge_is_strict():
    """A key the SDK does not know, or a wrong value, is found."""
    good = body("hi", model="gpt-6-sol", **OPENAI)
    for bad in ({"max_token": 1}, {"stop": 5}, {"messages": [{"role": "user", "content": "a", "colour": "red"}]}):
        with pytest.raises(ValueError, match="validation error"):
            consumed(BODIES["chat"].validate_python({**good, **bad}))
