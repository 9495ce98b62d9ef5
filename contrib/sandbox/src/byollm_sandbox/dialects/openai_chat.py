"""OpenAI Chat Completions: the twin's face. Documents and streams as `chat.completion` and `chat.completion.chunk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from byollm.errors import ProviderError
from byollm.types.parts import Audio, Citation, Image, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects import openai_common as common
from byollm_sandbox.dialects.base import Call, Prompt, Rejection, ToolOffer, identifier
from byollm_sandbox.dialects.openai_chat_rules import validate
from byollm_sandbox.dialects.openai_usage import chat_usage, usage_of
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Frame, Reply, dump

FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "stop",
    "error": "error",
    "other": "other",
}
"""Neutral finish reason → OpenAI's word. A refusal is a message of its own kind that stopped."""


class OpenAIChat:
    """The dialect `openai-chat`."""

    name = "openai-chat"
    base_path = "/openai/v1"

    def operation(self, method: str, path: str) -> str | None:
        """Chat completions, the models, and a counting endpoint that OpenAI does not have (llama.cpp does)."""
        return common.operation(method, path, "/chat/completions", "/chat/completions/input_tokens")

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """401 in OpenAI's shape."""
        return common.missing_key(request, expected)

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What OpenAI refuses; `compatible` tolerates what other servers of the dialect do."""
        return validate(body, headers, compatible=compatible)

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """OpenAI has no counting endpoint beside its Chat Completions."""
        return Rejection(404, "Invalid URL (POST /v1/chat/completions/input_tokens)")

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """System and developer messages are the instructions; everything else is what the model works on."""
        return read_prompt(body)

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """A `chat.completion`."""
        usage = usage_of(answer, call, call.body.get("messages"))
        choice = {
            "index": 0,
            "message": message_of(answer, call),
            "logprobs": logprobs_of(answer, call),
            "finish_reason": finish_of(answer),
        }
        count = 2 if "second-choice" in call.quirks else int(call.body.get("n") or 1)
        document = {
            "id": answer.id or identifier("chatcmpl-", call.number, 29),
            "object": "chat.completion",
            "created": call.created,
            "model": model_of(answer, call),
            "choices": [{**choice, "index": index} for index in range(count)],
            "usage": chat_usage(usage) if usage else None,
            "service_tier": "default",
            "system_fingerprint": "fp_byollm_twin",
            **answer.extra,
        }
        if usage is None:
            del document["usage"]
        return document

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """Role first, deltas, the finish chunk, usage when asked for, `[DONE]`."""
        return stream_of(answer, call)

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """OpenAI's envelope."""
        return common.reject(rejection, call)

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in OpenAI's terms."""
        return common.rejection_for(error, call, param="messages")

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """An error object instead of a chunk; the HTTP status is 200 by then."""
        return [Frame(dump(common.error_document(self.error(error, call))))]

    def ping(self) -> Frame | None:
        """OpenAI has no keep-alive event."""
        return None

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """Request id and rate limits."""
        return common.headers(call)

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Never reached: `validate_count` refuses."""
        return {}

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """The list of models."""
        return common.models_document(names)

    def model(self, name: str) -> dict[str, Any]:
        """One model."""
        return common.model_document(name)


def model_of(answer: Answer, call: Call) -> str:
    """The model that answers."""
    return answer.model or str(call.body.get("model", "unknown"))


def finish_of(answer: Answer) -> str:
    """The finish reason in OpenAI's words."""
    return answer.raw_finish_reason or FINISH[answer.finish_reason or "stop"]


def tool_call(call: ToolCall) -> dict[str, Any]:
    """One tool call of a whole message."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def message_of(answer: Answer, call: Call) -> dict[str, Any]:
    """The assistant's message. Reasoning goes where OpenAI-compatible servers put it: `reasoning_content`."""
    _expressible(answer)
    has_text = any(isinstance(part, Text) for part in answer.parts)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer.text if has_text else None,
        "refusal": answer.refusal,
        "annotations": [annotation(item, answer.text) for item in answer.citations],
    }
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = [tool_call(item) for item in answer.tool_calls]
    return message


def annotation(citation: Citation, text: str) -> dict[str, Any]:
    """A citation as an annotation of the text."""
    start = citation.start if citation.start is not None else 0
    end = citation.end if citation.end is not None else len(text)
    where = {"start_index": start, "end_index": end, "url": citation.url or "", "title": citation.title or ""}
    return {"type": "url_citation", "url_citation": where}


def logprobs_of(answer: Answer, call: Call) -> dict[str, Any] | None:
    """Log probabilities, when asked for: each delta of the text with a made-up but constant value."""
    if call.body.get("logprobs") is not True:
        return None
    content = [
        {"token": piece, "logprob": -0.25, "bytes": list(piece.encode()), "top_logprobs": []}
        for piece in answer.cut(answer.text)
    ]
    return {"content": content, "refusal": None}


def stream_of(answer: Answer, call: Call) -> list[Frame]:
    """The chunks of an answer."""
    _expressible(answer)
    options = call.body.get("stream_options") or {}
    asked = bool(options.get("include_usage"))
    usage = usage_of(answer, call, call.body.get("messages"))
    base: dict[str, Any] = {
        "id": answer.id or identifier("chatcmpl-", call.number, 29),
        "object": "chat.completion.chunk",
        "created": call.created,
        "model": model_of(answer, call),
        "service_tier": "default",
        "system_fingerprint": "fp_byollm_twin",
    }
    running = "usage-every" in call.quirks and usage is not None
    frames: list[Frame] = []

    def add(delta: dict[str, Any], finish: str | None = None, tokens: int = 0, index: int = 0) -> None:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk: dict[str, Any] = {**base, "choices": [choice]}
        if asked:
            chunk["usage"] = None
        if running and usage is not None:
            seen = sum(frame.tokens for frame in frames) + tokens
            final = finish is not None
            chunk["usage"] = chat_usage(
                usage if final else Usage(usage.input_tokens, min(seen, usage.output_tokens or 0))
            )
        frames.append(Frame(dump(chunk), tokens=tokens, pause=answer.pause))
        if finish is not None:
            frames[-1].role = "finish"

    choices = 2 if "second-choice" in call.quirks else int(call.body.get("n") or 1)
    for index in range(choices):
        for delta, tokens in deltas_of(answer, call):
            add(delta, tokens=tokens, index=index)
    for index in range(choices):
        add({}, finish_of(answer), index=index)
    if usage is not None and (asked or "usage-tail" in call.quirks):
        frames.append(Frame(dump({**base, "choices": [], "usage": chat_usage(usage)}), role="usage"))
    frames.append(Frame("[DONE]", role="done"))
    return frames


def deltas_of(answer: Answer, call: Call) -> list[tuple[dict[str, Any], int]]:
    """The deltas in order, each with how many pieces of content it brings."""
    calls = answer.tool_calls
    only_calls = bool(calls) and not answer.text and answer.refusal is None and not answer.reasoning
    deltas: list[tuple[dict[str, Any], int]] = []
    if not only_calls:
        deltas.append(({"role": "assistant", "content": "", "refusal": None}, 0))
    for part in answer.parts:
        if isinstance(part, Reasoning):
            deltas += [({"reasoning_content": piece}, 1) for piece in answer.cut(part.text)]
        elif isinstance(part, Text):
            deltas += [({"content": piece}, 1) for piece in answer.cut(part.text)]
        elif isinstance(part, Citation):
            deltas.append(({"annotations": [annotation(part, answer.text)]}, 0))
    if answer.refusal is not None:
        deltas += [({"refusal": piece}, 1) for piece in answer.cut(answer.refusal)]
    called = [_call_deltas(answer, item, index, call.quirks) for index, item in enumerate(calls)]
    ordered = _take_turns(called) if "interleave" in call.quirks else [delta for group in called for delta in group]
    if only_calls:
        first = {"role": "assistant", "content": None, **ordered[0], "refusal": None}
        return [(first, 0), *[(delta, 1) for delta in ordered[1:]]]
    return [*deltas, *[(delta, 1) for delta in ordered]]


def _call_deltas(answer: Answer, call: ToolCall, index: int, quirks: frozenset[str]) -> list[dict[str, Any]]:
    place = {} if "no-index" in quirks else {"index": index}
    head = {**place, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
    rest = [{**place, "function": {"arguments": piece}} for piece in answer.cut(call.arguments)]
    return [{"tool_calls": [item]} for item in [head, *rest]]


def _take_turns(groups: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    longest = max((len(group) for group in groups), default=0)
    return [group[turn] for turn in range(longest) for group in groups if turn < len(group)]


def _expressible(answer: Answer) -> None:
    for part in answer.parts:
        if isinstance(part, Image | Audio):
            raise TypeError(f"Chat Completions cannot answer with {type(part).__name__}: use openai-responses or Raw")


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """A chat request as the stand-in model reads it."""
    system: list[str] = []
    said: list[str] = []
    results: list[str] = []
    for message in body.get("messages") or []:
        text = text_of(message.get("content"))
        if message.get("role") in ("system", "developer"):
            system.append(text)
        elif message.get("role") == "user":
            said.append(text)
            results = []
        elif message.get("role") == "tool":
            results.append(text)
    format_ = body.get("response_format") or {}
    schema = (format_.get("json_schema") or {}).get("schema")
    tools = [
        ToolOffer(tool["function"]["name"], tool["function"].get("parameters") or {})
        for tool in body.get("tools") or []
        if tool.get("type") == "function"
    ]
    return Prompt(
        system="\n".join(system),
        text="\n".join(said),
        tools=tools,
        choice=choice_of(body.get("tool_choice"), "function"),
        schema=schema,
        json=format_.get("type") in ("json_object", "json_schema"),
        results=results,
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stop=stop_of(body.get("stop")),
        parallel=body.get("parallel_tool_calls") is not False,
    )


def text_of(content: Any) -> str:
    """The text of a message's content, string or parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            str(part.get("text") or part.get("refusal") or "") for part in content if isinstance(part, dict)
        )
    return ""


def choice_of(choice: Any, nested: str) -> str:
    """auto, none, required, or the name of a tool."""
    if isinstance(choice, Mapping):
        name = choice.get("name") or (choice.get(nested) or {}).get("name")
        return str(name) if name else "auto"
    return choice if isinstance(choice, str) else "auto"


def stop_of(stop: Any) -> tuple[str, ...]:
    """Stop strings as a tuple."""
    return (stop,) if isinstance(stop, str) else tuple(stop or ())
