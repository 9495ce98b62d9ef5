"""Bedrock's InvokeModel: the twin's face, for Claude, Nova, Titan's text models and Jurassic.

Every family has a body of its own; in a stream its documents come packed in chunks of base64.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from byollm.errors import ProviderError
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects import anthropic_messages, anthropic_render, bedrock_models, bedrock_render, bedrock_text
from byollm_sandbox.dialects.anthropic_rules import validate as validate_messages
from byollm_sandbox.dialects.base import Call, Prompt, Rejection, identifier
from byollm_sandbox.dialects.bedrock_converse import (
    as_rejection,
    exception_frames,
    read_prompt,
    refused_key,
    rejected,
)
from byollm_sandbox.dialects.bedrock_rules import missing_model, refuse
from byollm_sandbox.dialects.bedrock_rules import validate as validate_converse
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Frame, Reply, dump

VERSION: Final = "bedrock-2023-05-31"
_CLAUDE: Final = "claude"
_NOVA_KEYS: Final = ("messages", "system", "inferenceConfig", "toolConfig")


class BedrockInvoke:
    """The dialect `bedrock-invoke`. The model stands in the path; the server puts it into the body under `model`."""

    name = "bedrock-invoke"
    base_path = "/bedrock"
    binary = True

    def operation(self, method: str, path: str) -> str | None:
        """Invoking, whole or streamed, below any base."""
        ours = path.endswith(("/invoke", "/invoke-with-response-stream")) and "/model/" in path
        return "complete" if method == "POST" and ours else None

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """403. A bearer key is one of the expected; a signature is checked with an expected `id:secret`."""
        return refused_key(request, expected)

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What Bedrock, or the model's own family, refuses."""
        name = str(body.get("model")) if isinstance(body, dict) else ""
        for refusal in missing_model(name):
            return refusal
        asked = {key: value for key, value in body.items() if key != "model"}
        if bedrock_text.is_titan(name) or bedrock_text.is_jurassic(name):
            found = next(bedrock_text.problems(asked, name), None)
            return refuse(f"Malformed input request: {found}, please reformat your input.") if found else None
        if "nova" in name and "schemaVersion" in asked:
            return validate_converse({"model": name, **_as_converse(asked)})
        return _messages(asked, name) if _CLAUDE in name and "messages" in asked else None

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """Counting is Converse's."""
        return None

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """A request as the stand-in model reads it."""
        if "anthropic_version" in body:
            return anthropic_messages.read_prompt(body)
        return read_prompt(body) if "messages" in body else bedrock_text.prompt(body)

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """The whole answer, in the family's shape."""
        name = str(call.body.get("model"))
        if bedrock_text.is_titan(name) or bedrock_text.is_jurassic(name):
            return bedrock_text.document(answer, call)
        if "nova" in name:
            return bedrock_render.document(answer, call)
        return anthropic_render.document(answer, _as_claude(call))

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """The family's documents, each in a chunk. Raises TypeError for a family that cannot stream."""
        name = str(call.body.get("model"))
        if bedrock_text.is_jurassic(name):
            raise TypeError("Jurassic does not stream")
        if bedrock_text.is_titan(name):
            return [_chunk(data, answer, tokens, role) for data, tokens, role in bedrock_text.stream(answer, call)]
        frames: Sequence[Frame]
        if "nova" in name:
            frames = [
                Frame(f'{{"{frame.event}":{frame.data}}}', tokens=frame.tokens, role=frame.role)
                for frame in bedrock_render.stream(answer, call)
            ]
        else:
            frames = [frame for frame in anthropic_render.stream(answer, _as_claude(call)) if frame.event != "ping"]
        return [_chunk(frame.data, answer, frame.tokens, frame.role) for frame in frames]

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """The exception's name in a header, its words in the body."""
        return rejected(rejection, self.headers(call))

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in AWS's terms."""
        return as_rejection(error)

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """An exception frame; the HTTP status is 200 by then."""
        return exception_frames(error)

    def ping(self) -> Frame | None:
        """There is none."""
        return None

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """The request's id."""
        return [("x-amzn-requestid", identifier("", call.number, 36)), ("x-amzn-bedrock-invocation-latency", "512")]

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Counting is Converse's."""
        return {}

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """The control plane's list."""
        return {"modelSummaries": [self.model(name) for name in names]}

    def model(self, name: str) -> dict[str, Any]:
        """One model."""
        return {"modelId": name}


def _as_converse(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Nova's own body is Converse's but for two words of its configuration."""
    body = {key: asked[key] for key in asked if key in _NOVA_KEYS}
    config = body.get("inferenceConfig")
    if isinstance(config, dict):
        words = {"max_new_tokens": "maxTokens", "top_k": "", "topK": ""}
        body["inferenceConfig"] = {words.get(key, key): config[key] for key in config if words.get(key, key)}
    return body


def _messages(asked: Mapping[str, Any], name: str) -> Rejection | None:
    """Claude's rules, and what InvokeModel adds to them."""
    version = asked.get("anthropic_version")
    if version != VERSION:
        return refuse("anthropic_version: Field required" if version is None else "Invalid API version")
    for word in ("stream", "model"):
        if word in asked:
            return refuse(f"{word}: Extra inputs are not permitted")
    body = {key: value for key, value in asked.items() if key not in ("anthropic_version", "anthropic_beta")}
    plain = bedrock_models.base(name).removeprefix("anthropic.") or "claude"
    plain = plain.partition(":")[0]
    found = validate_messages({"model": plain, **body}, {"anthropic-version": "2023-06-01"}, compatible=False)
    if found is not None:
        return refuse(found.message)
    for at, block in enumerate(_blocks(body)):
        source = block.get("source")
        if isinstance(source, dict) and source.get("type") == "url":
            return refuse(f"messages.{at}.image.source.base64.data: URL sources are not supported")
    return None


def _blocks(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    contents = [message.get("content") for message in body.get("messages") or ()]
    return [block for content in contents if isinstance(content, list) for block in content]


def _as_claude(call: Call) -> Call:
    name = bedrock_models.base(str(call.body.get("model"))).removeprefix("anthropic.")
    body = {**call.body, "model": name.partition("-v1")[0]}
    return Call(body=body, number=call.number, created=call.created, quirks=call.quirks)


def _chunk(data: str, answer: Answer, tokens: int, role: str) -> Frame:
    packed = base64.b64encode(data.encode()).decode()
    return Frame(dump({"bytes": packed, "p": "abcdefgh"}), event="chunk", tokens=tokens, pause=answer.pause, role=role)
