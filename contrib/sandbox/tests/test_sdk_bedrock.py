"""A judge: what AWS's own botocore reads from the twin, that the twin takes what it sends, and how it signs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from byollm import errors
from byollm.types.parts import Citation, Image, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Fault, Twins, serve

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
TITAN, JURASSIC = "amazon.titan-text-express-v1", "ai21.j2-ultra-v1"
KEYS = {"aws_access_key_id": "AKIDTWIN", "aws_secret_access_key": "twin-secret-0123456789"}
PAIR = "AKIDTWIN:twin-secret-0123456789"
USAGE = Usage(100, 50, 20, 10)
CALLS = (ToolCall("tooluse_1", "add", '{"n": 1}'), ToolCall("tooluse_2", "sub", "{}"))
PDF = {"bytes": b"%PDF"}
RESULT = {"toolUseId": "t1", "content": [{"json": {"b": 1}}], "status": "error"}
ASKED: list[Any] = [{"role": "user", "content": [{"text": "hi"}]}]

ANSWERS: dict[str, tuple[Answer, str]] = {
    "text": (Answer(parts=(Text("Grüße, 世界 🌍\n\nand more"),), usage=USAGE), "end_turn"),
    "parallel tools": (Answer(parts=CALLS, usage=USAGE), "tool_use"),
    "text and tools": (Answer(parts=(Text("let me see"), *CALLS), usage=USAGE), "tool_use"),
    "thinking": (Answer(parts=(Reasoning("first this"), Text("done")), usage=USAGE), "end_turn"),
    "citations": (Answer(parts=(Text("so"), Citation("q", "https://example.com", "t")), usage=USAGE), "end_turn"),
    "picture": (Answer(parts=(Image(b"\x89PNG\r\n\x1a\n"),), usage=USAGE), "end_turn"),
    "filtered": (Answer(parts=(Text("no"),), finish_reason="content_filter", usage=USAGE), "content_filtered"),
    "length": (Answer(parts=(Text("cut in the mid"),), finish_reason="length", usage=USAGE), "max_tokens"),
    "its own word": (
        Answer(parts=(Text("w"),), raw_finish_reason="guardrail_intervened", usage=USAGE),
        "guardrail_intervened",
    ),
}


def made(url: str, **keys: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=20, connect_timeout=20)
    session = botocore.session.Session()
    return session.create_client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=url, config=config, **(keys or KEYS)
    )


@pytest.fixture(scope="module")
def guarded() -> Iterator[Twins]:
    with serve(key=PAIR) as running:
        yield running


@pytest.fixture
def client(guarded: Twins) -> Iterator[Any]:
    opened = made(guarded.url("bedrock-converse"))
    yield opened
    opened.close()
    guarded.clear()


def seen(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    texts = [block["text"] for block in blocks if "text" in block]
    texts += [piece["text"] for block in blocks for piece in block.get("citationsContent", {}).get("content", [])]
    return {
        "text": "".join(texts),
        "reasoning": "".join(
            block["reasoningContent"]["reasoningText"]["text"] for block in blocks if "reasoningContent" in block
        ),
        "tools": [
            tuple(block["toolUse"][key] for key in ("toolUseId", "name", "input"))
            for block in blocks
            if "toolUse" in block
        ],
        "pictures": [block["image"]["source"]["bytes"] for block in blocks if "image" in block],
    }


def expected(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "tools": [(call.id, call.name, call.args) for call in answer.tool_calls],
        "pictures": [part.source for part in answer.parts if isinstance(part, Image)],
    }


def joined(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            kind, inner = next(iter(start["start"].items()))
            blocks[start["contentBlockIndex"]] = {kind: {**inner, **({"input": ""} if kind == "toolUse" else {})}}
        if "contentBlockDelta" in event:
            _grow(
                blocks.setdefault(event["contentBlockDelta"]["contentBlockIndex"], {}),
                event["contentBlockDelta"]["delta"],
            )
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    return [blocks[index] for index in sorted(blocks)]


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    if "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    if "image" in delta:
        block["image"].update(delta["image"])
    if "reasoningContent" in delta:
        told = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
        told["text"] += delta["reasoningContent"].get("text", "")


@pytest.mark.parametrize("case", list(ANSWERS))
def test_whole_answers_are_read_to_the_same_value(guarded: Twins, client: Any, case: str) -> None:
    """Every member is known to botocore's model of the service."""
    answer, reason = ANSWERS[case]
    guarded.script(answer)
    reply = client.converse(modelId=MODEL, messages=ASKED)

    assert expected(answer) == seen(reply["output"]["message"]["content"])
    assert reason == reply["stopReason"]
    assert (70, 50, 150, 20, 10) == tuple(
        reply["usage"][name]
        for name in ("inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    )


@pytest.mark.parametrize("case", list(ANSWERS))
def test_streams_are_read_to_the_same_value(guarded: Twins, client: Any, case: str) -> None:
    """Checksums, headers and events, by botocore's own event stream."""
    answer, reason = ANSWERS[case]
    guarded.script(answer)
    with closing(client.converse_stream(modelId=MODEL, messages=ASKED)["stream"]) as stream:
        events = list(stream)

    assert expected(answer) == seen(joined(events))
    assert reason == next(event["messageStop"]["stopReason"] for event in events if "messageStop" in event)
    assert 150 == events[-1]["metadata"]["usage"]["totalTokens"]


def test_a_rich_request_is_taken(guarded: Twins, client: Any) -> None:
    """Whatever botocore writes of the vocabulary."""
    guarded.script("fine")
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    text = json.dumps(schema)
    client.converse(
        modelId=MODEL,
        system=[{"text": "s"}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        messages=[
            {"role": "user", "content": [{"text": "a"}, {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}},
                                         {"document": {"name": "My file (1)", "format": "pdf", "source": PDF}}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": "x"}}}]},
            {"role": "user", "content": [{"toolResult": RESULT}]},
        ],
        inferenceConfig={"maxTokens": 2048, "temperature": 0.5, "stopSequences": ["END"]},
        toolConfig={"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": schema}, "strict": True}}],
                    "toolChoice": {"auto": {}}},
        additionalModelRequestFields={"top_k": 5},
        additionalModelResponseFieldPaths=["/stop_sequence"],
        outputConfig={"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": text}}}},
        requestMetadata={"team": "blue"},
        serviceTier={"type": "flex"},
        performanceConfig={"latency": "standard"},
        guardrailConfig={"guardrailIdentifier": "gr1", "guardrailVersion": "1"},
    )  # fmt: skip

    assert (200, MODEL) == (guarded.requests[-1].status, guarded.requests[-1].asked["model"])


@pytest.mark.parametrize("model", [MODEL, ARN, "us.amazon.nova-lite-v1:0"])
def test_botocores_signatures_are_taken(guarded: Twins, client: Any, model: str) -> None:
    """Ids with a colon, ARNs; with a session token, too."""
    guarded.script("fine", "fine")
    client.converse(modelId=model, messages=ASKED)
    with closing(made(guarded.url("bedrock-converse"), **KEYS, aws_session_token="token/+=")) as other:
        other.converse(modelId=model, messages=ASKED)

    assert [200, 200] == [request.status for request in guarded.requests[-2:]]


@pytest.mark.parametrize(
    "keys, name",
    [
        ({**KEYS, "aws_secret_access_key": "another"}, "InvalidSignatureException"),
        ({**KEYS, "aws_access_key_id": "AKIDOTHER"}, "UnrecognizedClientException"),
    ],
)
def test_other_signatures_are_refused(guarded: Twins, keys: dict[str, str], name: str) -> None:
    """With AWS's own names."""
    with closing(made(guarded.url("bedrock-converse"), **keys)) as other, pytest.raises(ClientError) as caught:
        other.converse(modelId=MODEL, messages=ASKED)

    assert (name, 403) == (
        caught.value.response["Error"]["Code"],
        caught.value.response["ResponseMetadata"]["HTTPStatusCode"],
    )


@pytest.mark.parametrize(
    "error, name, status",
    [
        (errors.RateLimitError(""), "ThrottlingException", 429),
        (errors.ModelNotFoundError(""), "ValidationException", 400),
        (errors.PermissionDeniedError(""), "AccessDeniedException", 403),
        (errors.OverloadedError(""), "ServiceUnavailableException", 503),
        (errors.ServerError(""), "InternalServerException", 500),
        (errors.QuotaExhaustedError(""), "ServiceQuotaExceededException", 400),
    ],
)
def test_scripted_errors_have_aws_names(guarded: Twins, client: Any, error: Any, name: str, status: int) -> None:
    """As botocore tells them apart."""
    guarded.script(error)
    with pytest.raises(ClientError) as caught:
        client.converse(modelId=MODEL, messages=ASKED)

    assert (name, status) == (
        caught.value.response["Error"]["Code"],
        caught.value.response["ResponseMetadata"]["HTTPStatusCode"],
    )


def test_an_error_inside_a_stream_is_an_exception_frame(guarded: Twins, client: Any) -> None:
    """botocore raises it where it stands."""
    guarded.script(Answer(parts="one two three", fault=Fault("error", error=errors.RateLimitError, after=2)))
    stream = client.converse_stream(modelId=MODEL, messages=ASKED)["stream"]
    with closing(stream), pytest.raises(EventStreamError, match="throttlingException"):
        list(stream)


def test_counts(guarded: Twins, client: Any) -> None:
    """Of the foundation model's own id only."""
    asked = {"converse": {"messages": ASKED}}
    count = client.count_tokens(modelId=MODEL.removeprefix("us."), input=asked)

    assert count["inputTokens"] > 0
    with pytest.raises(ClientError, match="doesn't support counting tokens"):
        client.count_tokens(modelId=MODEL, input=asked)


@pytest.mark.parametrize(
    "model, body, path",
    [
        (TITAN, {"inputText": "hi", "textGenerationConfig": {"maxTokenCount": 9}}, ("results", 0, "outputText")),
        (JURASSIC, {"prompt": "hi", "maxTokens": 9}, ("completions", 0, "data", "text")),
        (MODEL, {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
                 "messages": [{"role": "user", "content": "hi"}]},
         ("content", 0, "text")),
        ("us.amazon.nova-lite-v1:0", {"schemaVersion": "messages-v1", "messages": ASKED},
         ("output", "message", "content", 0, "text")),
    ],
)  # fmt: skip
def test_invoke_model_answers_in_the_familys_shape(
    guarded: Twins, client: Any, model: str, body: Any, path: Any
) -> None:
    """Whole, and for those that stream in chunks that botocore unpacks."""
    guarded.script("Hello there", "Hello there")
    with closing(client.invoke_model(modelId=model, body=json.dumps(body))["body"]) as opened:
        found = json.loads(opened.read())
    for step in path:
        found = found[step]
    assert "Hello there" == found

    if model != JURASSIC:
        with closing(client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))["body"]) as opened:
            events = list(opened)
        documents = b"".join(event["chunk"]["bytes"] for event in events).decode()
        assert "Hello" in documents
        assert "there" in documents


def test_without_a_script_it_answers_by_itself(guarded: Twins, client: Any) -> None:
    """The stand-in model: text, and a call where one is demanded."""
    tools = {
        "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}],
        "toolChoice": {"any": {}},
    }
    reply = client.converse(modelId=MODEL, messages=ASKED, toolConfig=tools)

    assert "tool_use" == reply["stopReason"]
    assert client.converse(modelId=MODEL, messages=ASKED)["output"]["message"]["content"][0]["text"]
    assert [] == guarded.failures
