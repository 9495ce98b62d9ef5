"""What Bedrock refuses, the twin refuses: one broken rule at a time."""

from __future__ import annotations

from typing import Any

import pytest

from byollm_sandbox import Rejection, dialect_named

CLAUDE, NOVA, TITAN = (
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.amazon.nova-lite-v1:0",
    "amazon.titan-text-express-v1",
)
LLAMA, MISTRAL = "us.meta.llama4-maverick-17b-instruct-v1:0", "mistral.mistral-large-2407-v1:0"
TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}
CALL = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}}]}
PNG = {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": item} if isinstance(item, str) else item for item in content]}


def result(**fields: Any) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": "t1", "content": [{"text": "x"}], **fields}}


def document(name: str) -> dict[str, Any]:
    return {"document": {"name": name, "format": "pdf", "source": {"bytes": "JVBERg=="}}}


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": list(messages) or [user("hi")], **fields}


def refused(asked: Any, model: str = CLAUDE, dialect: str = "bedrock-converse") -> Rejection | None:
    return dialect_named(dialect).validate({"model": model, **asked} if isinstance(asked, dict) else asked, {})


TAKEN = [
    (CLAUDE, body()),
    (NOVA, body(user("a", PNG), inferenceConfig={"maxTokens": 10_000, "temperature": 1, "topP": 0})),
    (CLAUDE, body(user("a"), CALL, user(result(status="error"), "and?"), toolConfig=TOOLS)),
    (LLAMA, body(user("a"), CALL, user(result()), toolConfig=TOOLS)),
    (CLAUDE, body(user("a", document("My file (1)")))),
    (CLAUDE, body(system=[{"text": "s"}, {"cachePoint": {"type": "default"}}])),
    (CLAUDE, body({"role": "assistant", "content": [{"text": "a"}]}, user("b"))),
    ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a", body(user("a"))),
    (CLAUDE, body(additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 1024}},
                  inferenceConfig={"maxTokens": 2000})),
]  # fmt: skip


@pytest.mark.parametrize("model, asked", TAKEN)
def test_good_requests_are_taken(model: str, asked: Any) -> None:
    """One of each kind."""
    assert refused(asked, model) is None


REFUSED: list[tuple[str, Any, str]] = [
    (CLAUDE, {"messages": []}, "must start with a user message"),
    (NOVA, body({"role": "assistant", "content": [{"text": "a"}]}, user("b")), "must start with a user message"),
    (CLAUDE, body(user(" ")), "is blank"),
    (CLAUDE, body(user()), "is empty"),
    (CLAUDE, body(user({"text": "a", **PNG})), "exactly one member"),
    (CLAUDE, body(user({"text": 1})), "a text was expected"),
    (CLAUDE, body(user({"image": {"format": "bmp", "source": {"bytes": "AA=="}}})), "failed to satisfy constraint"),
    (CLAUDE, body(user({"image": {"format": "png", "source": {"bytes": "!!"}}})), "base64 was expected"),
    (CLAUDE, body(user("a", document("a/b"))), "document name is invalid"),
    (CLAUDE, body(user("a", document("a  b"))), "document name is invalid"),
    (CLAUDE, body(user(document("a"))), "text block must be included"),
    (CLAUDE, body(user("a"), CALL, user(result())), "toolConfig field must be defined"),
    (CLAUDE, body(user("a"), CALL, user("b"), toolConfig=TOOLS), "Expected toolResult blocks"),
    (CLAUDE, body(user(result()), toolConfig=TOOLS), "exceeds that of the previous turn"),
    (CLAUDE, body(user("a"), CALL, toolConfig=TOOLS), "Expected toolResult blocks after"),
    (LLAMA, body(user("a"), CALL, user(result(), "b"), toolConfig=TOOLS), "cannot be provided in the same turn"),
    (CLAUDE, body(user("a"), CALL, user(result(), "b", document("d")), toolConfig=TOOLS), "cannot stand beside"),
    (MISTRAL, body(user("a"), CALL, user(result()), toolConfig=TOOLS), "with a length of 9"),
    ("writer.palmyra-x5-v1:0", body(user("a"), CALL, user(result(status="error")), toolConfig=TOOLS), "status field"),
    (CLAUDE, body(toolConfig={"tools": []}), "at least one tool"),
    (CLAUDE, body(toolConfig={"tools": TOOLS["tools"] * 2}), "must be unique"),
    (CLAUDE, body(toolConfig={"tools": [{"toolSpec": {"name": "a/b",
     "inputSchema": {"json": {"type": "object"}}}}]}), "constraint"),
    (CLAUDE, body(toolConfig={"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]}),
     "one of the following: object"),
    (CLAUDE, body(toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "g"}}}), "not found in provided tools"),
    (CLAUDE, body(toolConfig={**TOOLS, "toolChoice": {"auto": {}}},
     additionalModelRequestFields={"tool_choice": {"type": "none"}}),
     "stands twice"),
    ("us.anthropic.claude-opus-5-5", body(toolConfig={**TOOLS, "toolChoice": {"any": {}}}), "forces tool use"),
    (TITAN, body(toolConfig=TOOLS), "doesn't support tool use"),
    (TITAN, body(system=[{"text": "s"}]), "doesn't support system messages"),
    (CLAUDE, body(system=[{"text": ""}]), "is blank"),
    (CLAUDE, body(inferenceConfig={"maxTokens": 0}), "at least 1"),
    (NOVA, body(inferenceConfig={"maxTokens": 10_001}), "exceeds the model limit"),
    (CLAUDE, body(inferenceConfig={"temperature": 1.1}), "0 to 1"),
    (CLAUDE, body(inferenceConfig={"temperature": 0.1, "topP": 0.1}), "cannot both"),
    ("us.anthropic.claude-opus-5", body(inferenceConfig={"temperature": 0.5}), "deprecated for this model"),
    ("us.xai.grok-4.7", body(inferenceConfig={"topP": 0.5}), "doesn't support the topP field"),
    ("us.xai.grok-4.7", body(inferenceConfig={"stopSequences": ["a"]}), "doesn't support the stopSequences field"),
    (CLAUDE, body(inferenceConfig={"stopSequences": [""]}), "at least one character"),
    (CLAUDE, body(inferenceConfig={"stopSequences": ["\n"]}), "non-whitespace"),
    (CLAUDE, body(additionalModelRequestFields={"topK": 3}), "extraneous key [topK]"),
    (NOVA, body(additionalModelRequestFields={"top_k": 3}), "extraneous key [top_k]"),
    (CLAUDE, body(additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 1024}},
                  inferenceConfig={"maxTokens": 1024}), "must be greater"),
    (CLAUDE, body(additionalModelRequestFields={"thinking": {"type": "adaptive"}}), "thinking.type"),
    (CLAUDE, body({"role": "user", "content": [{"text": "a"}]},
     CALL | {"content": [{"reasoningContent": {"reasoningText": {"text": "a"}}}]},
                  user("b")), "signature: Field required"),
    ("us.anthropic.claude-opus-5", body(user("a"), {"role": "assistant", "content": [{"text": "b"}]}),
     "message prefill"),
    (CLAUDE, body(user(*[{"text": "a"}, {"cachePoint": {"type": "default"}}] * 5)), "maximum of 4"),
    (CLAUDE, body(user("a", {"cachePoint": {"type": "default"}}, "b", {"cachePoint": {"type": "default",
     "ttl": "1h"}})), "come after"),
    (LLAMA, body(user("a", {"cachePoint": {"type": "default"}})), "prompt caching"),
    (CLAUDE, body(outputConfig={"textFormat": {"type": "json_schema",
     "structure": {"jsonSchema": {"schema": "{"}}}}), "JSON schema as text"),
    ("us.xai.grok-4.7", body(outputConfig={"textFormat": {"type": "json_schema",
     "structure": {"jsonSchema": {"schema": "{}"}}}}),
     "outputConfig.textFormat"),
    (CLAUDE, body(requestMetadata={"ü": "a"}), "plain letters"),
    (CLAUDE, body(serviceTier={"type": "cheap"}), "failed to satisfy constraint"),
    (CLAUDE, body(unheardOf=1), "extraneous key [unheardOf]"),
    ("does-not-exist", body(), "model identifier is invalid"),
    ("us.amazon.nova-micro-v1:O", body(), "model identifier is invalid"),
    ("deepseek.r1-v1:0", body(), "on-demand throughput"),
    (CLAUDE, [], "no JSON object"),
]  # fmt: skip


@pytest.mark.parametrize("model, asked, words", REFUSED)
def test_bad_requests_are_refused(model: str, asked: Any, words: str) -> None:
    """With AWS's status and exception, in words that say why."""
    found = refused(asked, model)

    assert found is not None
    assert words in found.message
    assert (400, "ValidationException") == (found.status, found.type) or "caching" in words


INVOKE: list[tuple[str, Any, str]] = [
    (TITAN, {}, "required key [inputText]"),
    (TITAN, {"inputText": "a", "prompt": "b"}, "extraneous key [prompt]"),
    (TITAN, {"inputText": "a", "textGenerationConfig": {"temperature": 2}}, "is not from 0 to 1"),
    (TITAN, {"inputText": "a", "textGenerationConfig": {"stopSequences": ["END"]}}, "does not match pattern"),
    (TITAN, {"inputText": "a", "textGenerationConfig": []}, "JSONObject"),
    ("ai21.j2-mid-v1", {"inputText": "a"}, "[inputText]"),
    ("ai21.j2-mid-v1", {"prompt": "a", "maxTokens": 0.5}, "is not from"),
    ("ai21.j2-mid-v1", {"prompt": "a", "frequencyPenalty": 1}, "a scale"),
    (CLAUDE, {"max_tokens": 1, "messages": [user("a")]}, "anthropic_version: Field required"),
    (CLAUDE, {"anthropic_version": "2026-10-21", "max_tokens": 1, "messages": []}, "Invalid API version"),
    (CLAUDE, {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1, "messages": [], "stream": True},
     "stream: Extra inputs"),
    (CLAUDE, {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1, "messages": [
        {"role": "user", "content": [{"type": "image", "source": {"type": "url",
        "url": "https://example.com/a.png"}}]}]},
     "URL sources are not supported"),
    ("no-such-model", {"prompt": "a"}, "model identifier is invalid"),
]  # fmt: skip


@pytest.mark.parametrize("model, asked, words", INVOKE)
def test_bad_bodies_of_invoke_model_are_refused(model: str, asked: Any, words: str) -> None:
    """By the family's own schema."""
    found = refused(asked, model, "bedrock-invoke")

    assert found is not None
    assert words in found.message


@pytest.mark.parametrize(
    "model, asked",
    [
        (TITAN, {"inputText": "a", "textGenerationConfig": {"maxTokenCount": 9, "stopSequences": ["|", "User:"]}}),
        ("ai21.j2-ultra-v1", {"prompt": "a", "maxTokens": 9, "stopSequences": ["##"],
        "presencePenalty": {"scale": 1.0}}),
        (CLAUDE, {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user",
        "content": "a"}]}),
        (NOVA, {"schemaVersion": "messages-v1", "messages": [user("a")], "inferenceConfig": {"max_new_tokens": 9}}),
    ],
)  # fmt: skip
def test_good_bodies_of_invoke_model_are_taken(model: str, asked: Any) -> None:
    """One of each family."""
    assert refused(asked, model, "bedrock-invoke") is None
