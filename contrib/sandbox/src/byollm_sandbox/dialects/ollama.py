"""Ollama's native chat: `/api/chat`, one document or a line of JSON for each piece, streamed unless told not to.

Like the real one it has a window (`options.num_ctx`, else 4,096) and cuts a longer prompt without a word: the oldest
messages go, system and last stay, and `prompt_eval_count` tells the smaller number. With `truncate: false` it refuses.
Facts: Ollama's sources of 2026-08-21, docs/api.md and recorded traffic, read 2026-11-21; the sentences are the twin's.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from byollm.errors import (
    AuthenticationError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
)
from byollm.types.parts import Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects.base import Call, Prompt, Rejection, ToolOffer, identifier, worded
from byollm_sandbox.requests import Recorded
from byollm_sandbox.tokens import count_messages, count_text, count_tools
from byollm_sandbox.wire import Frame, Reply, dump, json_reply

WINDOW: Final = 4096
FINISH: Final = {"length": "length", "tool_calls": "stop", "refusal": "stop", "stop": "stop"}
_ERRORS: Final[tuple[tuple[type[ProviderError], int, str], ...]] = (
    (AuthenticationError, 401, "unauthorized"),
    (PermissionDeniedError, 403, "forbidden"),
    (ModelNotFoundError, 404, "model '{model}' not found"),
    (ContextLengthError, 400, "the input length exceeds the context length"),
    (InvalidRequestError, 400, "invalid request"),
    (RateLimitError, 429, "too many requests"),
    (OverloadedError, 503, "server busy, please try again.  maximum pending requests exceeded"),
    (ProviderError, 500, "model runner has unexpectedly stopped"),
)
_MARKERS: Final[Mapping[type[ProviderError], str]] = {
    ModelNotFoundError: "model 'x' not found",
    ContextLengthError: "the input length exceeds the context length",
}


class Ollama:
    """The dialect `ollama`."""

    name = "ollama"
    base_path = "/ollama"
    lines = True
    """A stream is lines of JSON, and what is asked for when `stream` is left out."""

    def operation(self, method: str, path: str) -> str | None:
        """Chat, the list of models, and what is known of one."""
        asked = {("POST", "/api/chat"): "complete", ("GET", "/api/tags"): "models", ("POST", "/api/show"): "model"}
        return next(
            (found for (verb, end), found in asked.items() if (method, True) == (verb, path.endswith(end))), None
        )

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """401 in words."""
        return None if request.key in expected else Rejection(401, "unauthorized")

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What Ollama refuses; unknown members are ignored, as Go does."""
        problem = _problem(body)
        return None if problem is None else Rejection(400, problem)

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """Ollama counts nothing beforehand."""
        return Rejection(404, "404 page not found")

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """The request as a stand-in model reads it, after the cut."""
        messages = kept(body)
        said = {role: [m.get("content") or "" for m in messages if m["role"] == role] for role in ("system", "user")}
        last = [index for index, message in enumerate(messages) if message["role"] == "user"]
        format_ = body.get("format") or None
        return Prompt(
            system="\n".join(said["system"]),
            text="\n".join(said["user"]),
            tools=[
                ToolOffer(tool["function"]["name"], tool["function"].get("parameters") or {})
                for tool in body.get("tools") or []
            ],
            schema=format_ if isinstance(format_, Mapping) else None,
            json=format_ is not None,
            results=[m["content"] for m in messages[last[-1] if last else 0 :] if m["role"] == "tool"],
            max_tokens=(body.get("options") or {}).get("num_predict"),
            stop=tuple((body.get("options") or {}).get("stop") or ()),
        )

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """The whole answer."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.text + (answer.refusal or "")}
        if answer.reasoning:
            message["thinking"] = answer.reasoning
        if answer.tool_calls:
            message["tool_calls"] = [_tool_call(item, index) for index, item in enumerate(answer.tool_calls)]
        return {**_head(answer, call), "message": message, **_end(answer, call), **answer.extra}

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """A line for each piece, each call whole, and the line that says `done`."""
        pieces: list[dict[str, Any]] = []
        index = 0
        for part in answer.parts:
            if isinstance(part, Reasoning):
                pieces += [{"content": "", "thinking": piece} for piece in answer.cut(part.text)]
            elif isinstance(part, Text):
                pieces += [{"content": piece} for piece in answer.cut(part.text)]
            elif isinstance(part, ToolCall):
                pieces.append({"content": "", "tool_calls": [_tool_call(part, index)]})
                index += 1
        if answer.refusal:
            pieces += [{"content": piece} for piece in answer.cut(answer.refusal)]
        head = _head(answer, call)
        frames = [
            Frame(dump({**head, "message": {"role": "assistant", **piece}, "done": False}), None, 1, answer.pause)
            for piece in pieces
        ]
        last = {**head, "message": {"role": "assistant", "content": ""}, **_end(answer, call)}
        return [*frames, Frame(dump(last), role="finish", pause=answer.pause)]

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """`{"error": text}`."""
        return json_reply({"error": rejection.message}, status=rejection.status)

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in Ollama's words."""
        kind, status, words = next(row for row in _ERRORS if isinstance(error, row[0]))
        model = call.body.get("model", "unknown")
        return Rejection(error.status or status, worded(error, words.format(model=model), _MARKERS), kind.__name__)

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """One more line; the HTTP status is 200 by then."""
        return [Frame(dump({"error": self.error(error, call).message}))]

    def ping(self) -> Frame | None:
        """Ollama has no keep-alive."""
        return None

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """None of its own."""
        return []

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Never reached: `validate_count` refuses."""
        return {}

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """`/api/tags`."""
        return {"models": [{"name": name, "model": name, "size": 1, "details": {"family": "twin"}} for name in names]}

    def model(self, name: str) -> dict[str, Any]:
        """`/api/show`: the same for every model."""
        info = {"general.architecture": "twin", "twin.context_length": 131072}
        return {"capabilities": ["completion", "tools", "thinking", "vision"], "model_info": info, "parameters": ""}


def window_of(body: Mapping[str, Any]) -> int:
    """Tokens that a prompt may have."""
    asked = (body.get("options") or {}).get("num_ctx")
    return asked if type(asked) is int and asked > 0 else WINDOW


def size_of(body: Mapping[str, Any], messages: Sequence[Any]) -> int:
    """Tokens of the prompt by the twins' rule."""
    return count_messages(messages) + count_tools(body.get("tools"))


def kept(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages that the model reads: the oldest go until the rest fits; system and last always stay."""
    messages = list(body.get("messages") or [])
    for start in range(len(messages)):
        system = [message for message in messages[:start] if message["role"] == "system"]
        left = [*system, *messages[start:]]
        if size_of(body, left) <= window_of(body) or start == len(messages) - 1:
            return left
    return messages


def _problem(body: Any) -> str | None:
    if not isinstance(body, Mapping):
        return "invalid character in request body"
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "model is required"
    messages = body.get("messages") or []
    if not isinstance(messages, list):
        return "json: cannot unmarshal into Go struct field ChatRequest.messages"
    for message in messages:
        wrong = _message_problem(message)
        if wrong:
            return wrong
    wrong = _member_problem(body)
    if wrong:
        return wrong
    if body.get("truncate") is False and size_of(body, messages) > window_of(body):
        return _MARKERS[ContextLengthError]
    return None


def _message_problem(message: Any) -> str | None:
    if not isinstance(message, Mapping) or message.get("role") not in ("system", "user", "assistant", "tool"):
        return "invalid role: must be one of [system, user, assistant, tool]"
    if not isinstance(message.get("content", ""), str):
        return "json: cannot unmarshal into Go struct field Message.messages.content of type string"
    for image in message.get("images") or []:
        try:
            base64.b64decode(image, validate=True)
        except (ValueError, TypeError):
            return "illegal base64 data at input byte 0"
    for call in message.get("tool_calls") or []:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("arguments", {}), Mapping):
            return "json: cannot unmarshal into Go struct field ToolCallFunction.arguments of type object"
    return None


def _member_problem(body: Mapping[str, Any]) -> str | None:
    think = body.get("think")
    if isinstance(think, str) and "gpt-oss" not in body["model"]:
        return f'think value "{think}" is not supported for this model'
    format_ = body.get("format")
    if format_ not in (None, "", "json") and not isinstance(format_, Mapping):
        return f'invalid format: {json.dumps(format_)}; expected "json" or a valid JSON Schema object'
    for name, kind in (("tools", list), ("options", Mapping), ("stream", bool), ("truncate", bool), ("shift", bool)):
        if body.get(name) is not None and not isinstance(body[name], kind):
            return f"json: cannot unmarshal into Go struct field ChatRequest.{name}"
    return None


def _head(answer: Answer, call: Call) -> dict[str, Any]:
    made = datetime.fromtimestamp(call.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    return {"model": answer.model or str(call.body.get("model", "unknown")), "created_at": made}


def _end(answer: Answer, call: Call) -> dict[str, Any]:
    usage = answer.usage
    if usage is None:
        written = sum(count_text(item.name) + count_text(item.arguments) for item in answer.tool_calls)
        written += count_text(answer.text) + count_text(answer.reasoning) + count_text(answer.refusal or "")
        usage = Usage(size_of(call.body, kept(call.body)), written)
    counts = {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens}
    times = dict.fromkeys(("total_duration", "load_duration", "prompt_eval_duration", "eval_duration"), 1_000_000)
    told = {name: value for name, value in counts.items() if value is not None}
    raw = answer.raw_finish_reason or FINISH.get(answer.finish_reason or "stop", "stop")
    return {"done": True, "done_reason": raw, **times, **told}


def _tool_call(call: ToolCall, index: int) -> dict[str, Any]:
    id = call.id or identifier("call_", index, 8)
    return {"id": id, "function": {"index": index, "name": call.name, "arguments": _arguments(call.arguments)}}


def _arguments(text: str) -> Any:
    """An object: the wire carries nothing else, so that arguments that are no JSON come as none."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
