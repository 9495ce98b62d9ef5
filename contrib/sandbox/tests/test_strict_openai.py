"""What the OpenAI twins refuse, in OpenAI's terms: status, code and parameter."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_asking import body_for

from byollm_sandbox import dialect_named
from byollm_sandbox.dialects.openai_models import exists, family_of

CHAT, RESPONSES = "openai-chat", "openai-responses"
OPEN: Any = {"type": "object", "properties": {"q": {"type": "string"}}}
CLOSED: Any = {**OPEN, "required": ["q"], "additionalProperties": False}
TOOL: Any = {"type": "function", "function": {"name": "f", "parameters": OPEN}}
FLAT: Any = {"type": "function", "name": "f", "parameters": OPEN, "strict": False}
CALL: Any = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USER: Any = {"role": "user", "content": "hi"}


def verdict(dialect: str, **more: Any) -> tuple[int, str | None, str | None] | None:
    refusal = dialect_named(dialect).validate({**body_for(dialect), **more}, {})
    return None if refusal is None else (refusal.status, refusal.code, refusal.param)


def strict(schema: Any) -> Any:
    return [{"type": "function", "function": {"name": "f", "strict": True, "parameters": schema}}]


CHAT_REFUSED: list[tuple[dict[str, Any], tuple[int, str | None, str | None]]] = [
    ({"model": "gpt-nonexistent"}, (404, "model_not_found", None)),
    ({"model": "gpt-5.2-proo"}, (404, "model_not_found", None)),
    ({"model": "gpt-5-codex"}, (404, None, "model")),
    ({"model": "gpt-5-chat-latest", "tools": [TOOL]}, (404, None, None)),
    ({"temperature": 2.5}, (400, "decimal_above_max_value", "temperature")),
    ({"temperature": -0.1}, (400, "decimal_below_min_value", "temperature")),
    ({"temperature": "hot"}, (400, "invalid_type", "temperature")),
    ({"top_p": 1.5}, (400, "decimal_above_max_value", "top_p")),
    ({"max_tokens": 0}, (400, "integer_below_min_value", "max_tokens")),
    ({"max_completion_tokens": 1.5}, (400, "invalid_type", "max_completion_tokens")),
    ({"max_tokens": 5, "max_completion_tokens": 5}, (400, "invalid_parameter_combination", "max_tokens")),
    ({"max_tokens": 99_999}, (400, "invalid_value", "max_tokens")),
    ({"n": 0}, (400, "integer_below_min_value", "n")),
    ({"presence_penalty": 3}, (400, "decimal_above_max_value", "presence_penalty")),
    ({"stop": ["a", "b", "c", "d", "e"]}, (400, "array_above_max_length", "stop")),
    ({"stop": [1]}, (400, "invalid_type", "stop[0]")),
    ({"logit_bias": {"5": 101}}, (400, "integer_above_max_value", "logit_bias.5")),
    ({"top_logprobs": 3}, (400, None, "top_logprobs")),
    ({"stream_options": {"include_usage": True}}, (400, None, "stream_options")),
    ({"service_tier": "golden"}, (400, None, "service_tier")),
    ({"service_tier": "flex"}, (400, None, "service_tier")),
    ({"web_search_options": {}}, (400, None, "web_search_options")),
    ({"user": "u" * 65}, (400, "string_above_max_length", "user")),
    ({"metadata": {"k": 1}}, (400, "invalid_type", "metadata.k")),
    ({"top_k": 5}, (400, None, None)),
    ({"reasoning_effort": "low"}, (400, None, None)),
    ({"tools": []}, (400, "empty_array", "tools")),
    ({"tool_choice": "auto"}, (400, None, "tool_choice")),
    ({"parallel_tool_calls": False}, (400, None, "parallel_tool_calls")),
    ({"tools": [TOOL], "tool_choice": "any"}, (400, "invalid_value", "tool_choice")),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        (400, None, "tool_choice"),
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "no spaces"}}]},
        (400, "invalid_value", "tools[0].function.name"),
    ),
    ({"tools": [{"type": "function", "function": {}}]}, (400, "missing_required_parameter", "tools[0].function.name")),
    ({"tools": strict(OPEN)}, (400, "invalid_function_parameters", "tools[0].function.parameters")),
    ({"tools": strict({"type": "array"})}, (400, "invalid_function_parameters", "tools[0].function.parameters")),
    ({"response_format": {"type": "json_object"}}, (400, None, "messages")),
    ({"response_format": {"type": "xml"}}, (400, "invalid_value", "response_format.type")),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": CLOSED}}},
        (400, "missing_required_parameter", "response_format.json_schema.name"),
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": OPEN, "strict": True}}},
        (400, None, "response_format"),
    ),
    ({"messages": []}, (400, "empty_array", "messages")),
    ({"messages": [{"role": "boss", "content": "x"}]}, (400, "invalid_value", "messages[0].role")),
    ({"messages": [{"role": "user"}]}, (400, None, "messages[0].content")),
    ({"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}]}, (400, None, "messages[1]")),
    ({"messages": [{"role": "tool", "tool_call_id": "c1", "content": "x"}]}, (400, None, "messages[0].role")),
    (
        {
            "messages": [
                {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "mp3"}}]}
            ]
        },
        (400, "invalid_value", "messages[0]"),
    ),
    (
        {
            "messages": [
                {"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://example.com"}}]}
            ]
        },
        (400, "invalid_value", "messages[0].content[0].type"),
    ),
    (
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,!!"}}]}
            ]
        },
        (400, "invalid_base64", None),
    ),
    ({"messages": [{"role": "user", "content": "long " * 200_000}]}, (400, "context_length_exceeded", "messages")),
]


@pytest.mark.parametrize(("more", "expected"), CHAT_REFUSED, ids=lambda item: "")
def test_chat_refuses(more: dict[str, Any], expected: tuple[int, str | None, str | None]) -> None:
    """Each request is refused with OpenAI's status, code and parameter."""
    assert expected == verdict(CHAT, **more)


REASONING_REFUSED: list[tuple[str, dict[str, Any], tuple[int, str | None, str | None]]] = [
    ("o3", {"max_tokens": 5}, (400, "unsupported_parameter", "max_tokens")),
    ("gpt-5", {"temperature": 0.5}, (400, "unsupported_value", "temperature")),
    ("o3-mini", {"temperature": 0.5}, (400, "unsupported_parameter", "temperature")),
    ("o4-mini", {"tools": [TOOL], "parallel_tool_calls": True}, (400, "unsupported_parameter", "parallel_tool_calls")),
    (
        "o1-mini",
        {"messages": [{"role": "system", "content": "x"}, USER]},
        (400, "unsupported_value", "messages[0].role"),
    ),
    ("gpt-5", {"top_p": 0.5}, (400, "unsupported_parameter", "top_p")),
    ("gpt-5", {"stop": ["x"]}, (400, "unsupported_parameter", "stop")),
    ("gpt-5", {"reasoning_effort": "none"}, (400, "unsupported_value", "reasoning_effort")),
    ("gpt-5.6", {"reasoning_effort": "minimal"}, (400, "unsupported_value", "reasoning_effort")),
    ("gpt-5.6", {"reasoning_effort": "max"}, (400, "unsupported_value", "reasoning_effort")),
    ("gpt-5.6", {"temperature": 0}, (400, "unsupported_value", "temperature")),
    ("gpt-5.6", {"tools": [TOOL]}, (400, None, "reasoning_effort")),
    ("gpt-5.4", {"tools": [TOOL], "reasoning_effort": "low"}, (400, None, "reasoning_effort")),
]


@pytest.mark.parametrize(("model", "more", "expected"), REASONING_REFUSED)
def test_chat_refuses_by_family(model: str, more: dict[str, Any], expected: tuple[int, str | None, str | None]) -> None:
    """Reasoning families refuse what only other models take."""
    assert expected == verdict(CHAT, model=model, **more)


@pytest.mark.parametrize(
    "more",
    [
        {"model": "gpt-5.6", "tools": [TOOL], "reasoning_effort": "none", "temperature": 0.2},
        {"model": "gpt-5.4", "tools": [TOOL], "temperature": 0.2},
        {"model": "gpt-5", "temperature": 1, "max_completion_tokens": 5},
        {"model": "ft:gpt-4o:acme::abc", "temperature": 0.2},
        {"model": "some-model-of-ours", "max_tokens": 5, "temperature": 2, "reasoning_effort": "max"},
        {"response_format": {"type": "json_object"}, "messages": [{"role": "user", "content": "as JSON"}]},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": False},
        {
            "messages": [
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "x"},
            ]
        },
        {"tools": strict(CLOSED)},
        {"messages": [USER, {"role": "assistant", "content": "so far"}]},
    ],
    ids=lambda item: "",
)
def test_chat_takes(more: dict[str, Any]) -> None:
    """Requests that are near a rule and on its good side are taken."""
    assert verdict(CHAT, **more) is None


FUNCTION_CALL: Any = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT: Any = {"type": "function_call_output", "call_id": "c1", "output": "x"}
THOUGHT: Any = {"type": "reasoning", "id": "rs_1", "summary": []}

RESPONSES_REFUSED: list[tuple[dict[str, Any], tuple[int, str | None, str | None]]] = [
    ({"model": "gpt-nonexistent"}, (400, "model_not_found", "model")),
    ({"model": "o1-mini"}, (400, "model_not_found", "model")),
    ({"messages": []}, (400, "unknown_parameter", "messages")),
    ({"seed": 1}, (400, "unknown_parameter", "seed")),
    ({"input": []}, (400, "missing_required_parameter", "input")),
    ({"max_output_tokens": 15}, (400, "integer_below_min_value", "max_output_tokens")),
    ({"temperature": -1}, (400, "decimal_below_min_value", "temperature")),
    ({"model": "gpt-5", "temperature": 0.3}, (400, None, "temperature")),
    ({"model": "gpt-4o", "reasoning": {"effort": "low"}}, (400, "unsupported_parameter", "reasoning.effort")),
    ({"model": "gpt-5", "reasoning": {"effort": "xhigh"}}, (400, "unsupported_value", "reasoning.effort")),
    ({"include": ["everything"]}, (400, "invalid_value", "include[0]")),
    ({"previous_response_id": "resp_1"}, (400, "previous_response_not_found", "previous_response_id")),
    ({"truncation": "often"}, (400, "invalid_value", "truncation")),
    ({"stream_options": {}}, (400, None, "stream_options")),
    ({"tool_choice": "required"}, (400, None, "tool_choice")),
    ({"tools": [TOOL]}, (400, "missing_required_parameter", "tools[0].name")),
    ({"tools": [{**FLAT, "strict": True}]}, (400, "invalid_function_parameters", "tools[0].parameters")),
    ({"tools": [FLAT], "tool_choice": {"type": "function", "name": "g"}}, (400, None, "tool_choice")),
    ({"model": "o3-deep-research", "tools": [FLAT]}, (400, None, "tools")),
    ({"text": {"format": {"type": "json_object"}}}, (400, None, "input")),
    (
        {"text": {"format": {"type": "json_schema", "name": "n"}}},
        (400, "missing_required_parameter", "text.format.schema"),
    ),
    (
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": OPEN, "strict": True}}},
        (400, "invalid_json_schema", "text.format.schema"),
    ),
    ({"input": [{"role": "tool", "content": "x"}]}, (400, "invalid_value", "input[0]")),
    (
        {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
        (400, "invalid_value", "input[0].content[0]"),
    ),
    ({"input": [USER, FUNCTION_CALL]}, (400, None, "input")),
    ({"input": [USER, OUTPUT]}, (400, None, "input")),
    ({"input": [USER, THOUGHT, {"role": "assistant", "content": "by hand"}]}, (400, None, "input")),
    (
        {"input": [USER, {"type": "function_call", "name": "f", "arguments": "{}"}]},
        (400, "missing_required_parameter", "input[1].call_id"),
    ),
    (
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_data": "data:image/png;base64,eA=="}]}]},
        (400, "invalid_value", "input[0].content[0].file_data"),
    ),
    (
        {
            "input": [
                {"role": "user", "content": [{"type": "input_file", "file_data": "data:application/pdf;base64,eA=="}]}
            ]
        },
        (400, "unsupported_file", "input[0].content[0].file_data"),
    ),
    ({"model": "gpt-4", "input": "long " * 50_000}, (400, "context_length_exceeded", "input")),
]


@pytest.mark.parametrize(("more", "expected"), RESPONSES_REFUSED, ids=lambda item: "")
def test_responses_refuses(more: dict[str, Any], expected: tuple[int, str | None, str | None]) -> None:
    """Each request is refused with OpenAI's status, code and parameter."""
    assert expected == verdict(RESPONSES, **more)


@pytest.mark.parametrize(
    "more",
    [
        {"input": [USER, THOUGHT, FUNCTION_CALL, OUTPUT]},
        {
            "model": "gpt-5",
            "reasoning": {"effort": "minimal", "summary": "auto"},
            "include": ["reasoning.encrypted_content"],
        },
        {"model": "gpt-5.4", "temperature": 0.3, "top_p": 0.9},
        {"model": "gpt-4", "input": "long " * 50_000, "truncation": "auto"},
        {"tools": [FLAT, {"type": "web_search"}], "tool_choice": "required"},
        {
            "text": {
                "format": {"type": "json_schema", "name": "n", "schema": CLOSED, "strict": True},
                "verbosity": "low",
            }
        },
        {"input": "as JSON", "text": {"format": {"type": "json_object"}}},
        {"store": False, "metadata": {"a": "b"}, "safety_identifier": "u", "service_tier": "flex"},
    ],
    ids=lambda item: "",
)
def test_responses_takes(more: dict[str, Any]) -> None:
    """Requests that are near a rule and on its good side are taken."""
    assert verdict(RESPONSES, **more) is None


def test_counting_has_fewer_parameters() -> None:
    """The counting endpoint knows no `max_output_tokens`; Chat has no counting endpoint."""
    refused = dialect_named(RESPONSES).validate_count({"model": "gpt-5", "input": "x", "max_output_tokens": 99}, {})
    none = dialect_named(CHAT).validate_count(body_for(CHAT), {})

    assert refused is not None
    assert none is not None
    assert ("unknown_parameter", 404) == (refused.code, none.status)


SCHEMAS: list[tuple[Any, str]] = [
    ({**CLOSED, "oneOf": []}, "oneOf"),
    ({**CLOSED, "required": []}, "Missing 'q'"),
    ({**CLOSED, "required": ["q", "r"]}, "Extra required key 'r'"),
    ({"anyOf": [CLOSED]}, "anyOf"),
    ({**CLOSED, "properties": {"q": {"type": "array"}}}, "items"),
    ({**CLOSED, "properties": {"q": {"type": "string", "format": "uri"}}}, "'uri'"),
    ({**CLOSED, "properties": {"q": OPEN}}, "('properties', 'q')"),
    ({**CLOSED, "properties": {"q": {"$ref": "https://example.com/x"}}}, "example.com"),
    ({**CLOSED, "properties": {"q": {"description": "anything"}}}, "'type' key"),
    ({**CLOSED, "properties": 5}, "'properties' must be an object"),
]


@pytest.mark.parametrize(("schema", "words"), SCHEMAS, ids=lambda item: "")
def test_schemas_outside_the_strict_subset_are_told(schema: Any, words: str) -> None:
    """A strict schema that OpenAI cannot enforce is refused, and what is wrong is said."""
    refusal = dialect_named(CHAT).validate({**body_for(CHAT), "tools": strict(schema)}, {})

    assert refusal is not None
    assert words in refusal.message


def test_plausible_names_exist_and_others_do_not() -> None:
    """Names like OpenAI's are read word by word; anybody else's are let through."""
    good = [
        "gpt-6-astra",
        "gpt-6.2-sol",
        "gpt-5.6-terra",
        "gpt-5.5-pro",
        "gpt-5.3-codex",
        "gpt-5-nano-2025-08-07",
        "o4-mini",
        "gpt-4o-2024-08-06",
        "gpt-4-1106-preview",
        "gpt-3.5-turbo",
        "gpt-4o-mini-audio-preview",
        "gpt-oss:20b",
        "chatgpt-4o-latest",
        "llama-3",
        "your-fine-tuned-model",
    ]
    bad = [
        "gpt-nonexistent",
        "gpt-5.2-proo",
        "gpt-4-invalid-12345",
        "this-model-does-not-exist",
        "gpt-x",
        "claude-does-not-exist",
    ]

    assert [] == [name for name in good if not exists(name)]
    assert [] == [name for name in bad if exists(name)]


def test_families_are_found_behind_prefixes() -> None:
    """A gateway's prefix or a fine-tune's wrapping hides no family."""
    assert family_of("openai/gpt-5-mini") is family_of("gpt-5")
    assert family_of("ft:gpt-4o:acme::x") is family_of("gpt-4o")
    assert not family_of("llama-3").known
