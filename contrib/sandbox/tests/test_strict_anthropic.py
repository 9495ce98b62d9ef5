"""What the Anthropic twin refuses, in Anthropic's terms: status, type and the place."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_asking import body_for

from byollm_sandbox import dialect_named
from byollm_sandbox.dialects.anthropic_render import signature_of
from byollm_sandbox.dialects.claude_models import exists, family_of

NAME = "anthropic-messages"
VERSION = {"anthropic-version": "2023-06-01"}
CLOSED: Any = {
    "type": "object",
    "properties": {"q": {"type": "string"}},
    "required": ["q"],
    "additionalProperties": False,
}
TOOL: Any = {"name": "f", "input_schema": {"type": "object"}}
USER: Any = {"role": "user", "content": "hi"}
USE: Any = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]}
RESULT: Any = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]}


def verdict(**more: Any) -> str | None:
    body = {**body_for(NAME), "model": "claude-haiku-4-5", **more}
    refusal = dialect_named(NAME).validate({key: value for key, value in body.items() if value != "absent"}, VERSION)
    return None if refusal is None else f"{refusal.status} {refusal.type} {refusal.message}"


def said(*blocks: Any, role: str = "user") -> dict[str, Any]:
    return {"messages": [{"role": role, "content": list(blocks)}]}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def strict(*schemas: Any) -> dict[str, Any]:
    return {
        "tools": [{"name": f"f{index}", "strict": True, "input_schema": schema} for index, schema in enumerate(schemas)]
    }


def wide(optional: int = 0, unions: int = 0) -> Any:
    properties: dict[str, Any] = {f"o{index}": {"type": "string"} for index in range(optional)}
    joined = {f"u{index}": {"type": ["string", "null"]} for index in range(unions)}
    return {
        "type": "object",
        "properties": {**properties, **joined},
        "required": list(joined),
        "additionalProperties": False,
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"model": "claude-does-not-exist"}, "404 not_found_error model: claude-does-not-exist"),
    ({"model": "claude-sonet-4-5"}, "404 not_found_error"),
    ({"max_tokens": "absent"}, "max_tokens: Field required"),
    ({"max_tokens": -1}, "max_tokens: Input should be greater"),
    ({"max_tokens": 64_001}, "64001 > 64000"),
    ({"temperature": 1.5}, "temperature: range: 0..1"),
    ({"temperature": 0.5, "top_p": 0.5}, "cannot both be specified"),
    ({"top_k": -1}, "top_k"),
    ({"frequency_penalty": 1}, "frequency_penalty: Extra inputs are not permitted"),
    ({"stop_sequences": ["  "]}, "non-whitespace"),
    ({"metadata": {"team": "x"}}, "metadata.team: Extra inputs"),
    ({"metadata": {"user_id": "a@example.com"}}, "email"),
    ({"service_tier": "golden"}, "service_tier"),
    ({"messages": []}, "at least one message"),
    ({"messages": ["x"]}, "messages.0: Input does not match the expected shape."),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
    ({"messages": [{"role": "system", "content": "x"}, USER]}, "role 'system' is not supported"),
    ({"messages": [{"role": "user", "content": ""}]}, "non-empty content"),
    ({"messages": [{**USER, "name": "x"}]}, "messages.0.name: Extra inputs"),
    (said(text("")), "text content blocks must be non-empty"),
    (said(text(" \n")), "non-whitespace"),
    (said({"type": "video"}), "Input tag 'video'"),
    (said({"type": "text"}), "text.text: Field required"),
    (said({**text("x"), "mood": "good"}), "mood: Extra inputs"),
    (said({"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": "eA=="}}), "media_type"),
    (said({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "!!!"}}), "base64"),
    (said({"type": "tool_use", "id": "t1", "name": "f", "input": {}}), "can only be in `assistant`"),
    ({"messages": [USER, USE, USER]}, "`tool_use` ids were found without"),
    ({"messages": [USER, USE]}, "`tool_use` ids were found without"),
    ({"messages": [USER, RESULT]}, "unexpected `tool_use_id`"),
    ({"messages": [USER, {"role": "assistant", "content": "so "}]}, "trailing whitespace"),
    ({"model": "claude-opus-4-6", "messages": [USER, {"role": "assistant", "content": "so"}]}, "prefill"),
    ({"system": [text("")]}, "system: text content blocks must be non-empty"),
    ({"system": 5}, "system: Input should be"),
    ({"tool_choice": {"type": "any"}}, "while providing tools"),
    ({"tools": [TOOL], "tool_choice": {"type": "required"}}, "expected tags"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "'g' not found"),
    ({"tools": [TOOL], "tool_choice": {"type": "none", "disable_parallel_tool_use": True}}, "Extra inputs"),
    ({"tools": [TOOL, TOOL]}, "must be unique"),
    ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "should match pattern"),
    ({"tools": [{"name": "f"}]}, "input_schema: Field required"),
    ({"tools": [{"name": "f", "input_schema": {}}]}, "input_schema.type: Field required"),
    ({"tools": [{"name": "f", "input_schema": {"type": "array"}}]}, "Input should be 'object'"),
    ({"tools": [{"name": "f", "input_schema": True}]}, "does not match the expected shape"),
    ({"tools": [{"name": "f", "input_schema": {"type": "object", "properties": None}}]}, "properties: Input"),
    ({"thinking": {"type": "enabled", "budget_tokens": 512}}, "greater than or equal to 1024"),
    ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, "must be greater than `thinking.budget_tokens`"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 0.5}, "may only be set to 1"),
    ({"thinking": {"type": "adaptive"}}, "'adaptive' is not supported"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [TOOL], "tool_choice": {"type": "any"}},
        "Thinking may not be enabled",
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [TOOL], "messages": [USER, USE, RESULT]},
        "Expected `thinking` or `redacted_thinking`",
    ),
    (
        {"model": "claude-3-haiku-20240307", "thinking": {"type": "enabled", "budget_tokens": 1024}},
        "does not support thinking",
    ),
    ({"model": "claude-opus-4-7", "temperature": 0.5}, "`temperature` is not supported"),
    ({"model": "claude-opus-5-5", "tools": [TOOL], "tool_choice": {"type": "any"}}, "forcing tool use"),
    ({"model": "claude-opus-4-6", "output_config": {"effort": "xhigh"}}, "Supported levels: high, low, max, medium"),
    ({"output_config": {"effort": "low"}}, "does not support the effort"),
    ({"model": "claude-fable-5", "thinking": {"type": "disabled"}}, "'disabled' is not supported"),
    ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, "additionalProperties"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "schema: Field required"),
    (strict(*[CLOSED] * 21), "Too many strict tools (21)"),
    (strict(wide(optional=25)), "too many optional parameters (25)"),
    (strict(wide(optional=24)), "too complex for compilation"),
    (strict(wide(unions=17)), "union types (17"),
    (strict({**CLOSED, "properties": {"q": True}}), "property 'properties' is not supported"),
    (strict({**CLOSED, "properties": {"q": {"type": "integer", "minimum": 1}}}), "'minimum' is not supported"),
    (strict({**CLOSED, "properties": {"q": {"oneOf": []}}}), "'oneOf' is not supported"),
    (
        strict({**CLOSED, "$defs": {"Node": {**CLOSED, "properties": {"q": {"$ref": "#/$defs/Node"}}}}}),
        "Circular reference detected in schema definitions: Node -> Node",
    ),
    ({"cache_control": {"type": "forever"}}, "'ephemeral'"),
    (said(*[{**text("x"), "cache_control": {"type": "ephemeral"}}] * 5), "A maximum of 4 blocks"),
    ({"messages": [{"role": "user", "content": "long " * 200_000}]}, "prompt is too long: "),
    (
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": "changed", "signature": signature_of("as it was")}],
                },
                USER,
            ]
        },
        "Invalid `signature`",
    ),
]


@pytest.mark.parametrize(("more", "words"), REFUSED, ids=lambda item: "")
def test_messages_refuses(more: dict[str, Any], words: str) -> None:
    """Each request is refused, and the refusal says what and where."""
    refusal = verdict(**more)

    assert refusal is not None
    assert words in refusal
    assert refusal.startswith(("400 invalid_request_error", "404 not_found_error"))


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True}},
        {"messages": [USER, USE, RESULT], "tools": [TOOL]},
        {"messages": [USER, {"role": "assistant", "content": "so"}]},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 1},
        {"model": "claude-opus-4-7", "temperature": 1, "thinking": {"type": "adaptive"}},
        {"model": "claude-opus-5", "messages": [USER, {"role": "system", "content": "be brief"}]},
        {"model": "claude-3-opus", "temperature": 0.2, "top_p": 0.5},
        {
            "model": "claude-opus-5",
            "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": CLOSED}},
        },
        {"model": "some-model-of-ours", "temperature": 0.3, "thinking": {"type": "adaptive"}},
        strict(*[CLOSED] * 20),
        strict(wide(optional=12), wide(optional=12)),
        strict(wide(unions=16)),
        said(
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                "citations": {"enabled": True},
            }
        ),
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "as it was", "signature": signature_of("as it was")},
                        text("so"),
                    ],
                },
                USER,
            ]
        },
    ],
    ids=lambda item: "",
)
def test_messages_takes(more: dict[str, Any]) -> None:
    """Requests that are near a rule and on its good side are taken."""
    assert verdict(**more) is None


def test_the_version_header_is_required() -> None:
    """Without `anthropic-version`, or with one that never was, nothing is taken."""
    twin = dialect_named(NAME)
    missing, wrong = (twin.validate(body_for(NAME), headers) for headers in ({}, {"anthropic-version": "1999-01-01"}))

    assert missing is not None
    assert wrong is not None
    assert ("anthropic-version: header is required", True) == (missing.message, "1999-01-01" in wrong.message)


def test_counting_takes_no_max_tokens() -> None:
    """The counting endpoint refuses `max_tokens` and takes everything else that counts."""
    twin = dialect_named(NAME)
    body = body_for(NAME, system="s", tools=[TOOL])
    refused = twin.validate_count(body, VERSION)
    del body["max_tokens"]

    assert refused is not None
    assert "max_tokens: Extra inputs are not permitted" == refused.message
    assert twin.validate_count(body, VERSION) is None


def test_a_body_larger_than_32_mb_is_413() -> None:
    """The vendor's limit for requests is told with its own status and type."""
    refusal = dialect_named(NAME).validate(body_for(NAME), {**VERSION, "content-length": str(33 * 1024 * 1024)})

    assert refusal is not None
    assert (413, "request_too_large") == (refusal.status, refusal.type)


def test_plausible_names_exist_and_others_do_not() -> None:
    """Names like Anthropic's are read word by word; anybody else's are let through."""
    good = [
        "claude-opus-5-5",
        "claude-fable-5-1",
        "claude-mythos-5",
        "claude-haiku-4-5-20251001",
        "claude-3-5-haiku-latest",
        "claude-3-opus",
        "anthropic/claude-haiku-4.5",
        "claude-sonnet-4-0",
        "gpt-4o",
        "our-model",
    ]
    bad = [
        "claude-does-not-exist",
        "claude-sonet-4-5",
        "claude-3-sonnet-20240229",
        "there-is-no-such-model",
        "claude-2.1",
    ]

    assert [] == [name for name in good if not exists(name)]
    assert [] == [name for name in bad if exists(name)]


def test_families_are_told_apart() -> None:
    """The longest name wins: opus-5-5 is not opus-5, and dates change nothing."""
    assert (False, True) == (family_of("claude-opus-5-5").forced, family_of("claude-opus-5").forced)
    assert family_of("claude-haiku-4-5-20251001") is family_of("claude-haiku-4-5")
    assert family_of("anthropic/claude-haiku-4.5") is family_of("claude-haiku-4-5")
