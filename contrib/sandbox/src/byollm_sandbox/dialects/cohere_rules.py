"""What Cohere's chat refuses.

Facts: cohere 7.3.1's types, recorded refusals and the vendor's limits as documented, read 2026-11-21; the sentences are
the twin's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.dialects.base import Rejection, names

MEMBERS: Final = names(
    "model messages tools strict_tools documents citation_options response_format safety_mode max_tokens "
    "stop_sequences temperature seed frequency_penalty presence_penalty k p logprobs tool_choice thinking priority "
    "stream raw_prompting"
)
_TURNS: Final = {
    "system": names("role content"),
    "user": names("role content"),
    "assistant": names("role content tool_calls tool_plan citations"),
    "tool": names("role content tool_call_id"),
}
_BLOCKS: Final = {
    "system": names("text"), "user": names("text image_url"), "assistant": names("text thinking"),
    "tool": names("text document"),
}  # fmt: skip
_RANGES: Final = {
    "temperature": (0, 1), "p": (0.01, 0.99), "k": (0, 500), "frequency_penalty": (0, 1), "presence_penalty": (0, 1),
}  # fmt: skip
_KNOWN: Final = re.compile(r"command(?:$|-(?:a|r|r7b|light|nightly)(?:-|$))|c4ai-aya-|north-")
_SEEING: Final = re.compile(r"command-a-(?:vision|plus)|c4ai-aya-vision")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def refusal(message: str, status: int = 400, type_: str = "") -> Rejection:
    """A refusal in Cohere's terms."""
    return Rejection(status, message, type_)


def validate(body: Any) -> Rejection | None:
    """The first thing that Cohere would not take; None when it takes the request."""
    if not isinstance(body, Mapping):
        return refusal("invalid request: the body must be a JSON object")
    return next(_problems(body), None)


def validate_count(body: Any) -> Rejection | None:
    """The same for `/v1/tokenize`."""
    text = body.get("text") if isinstance(body, Mapping) else None
    if not isinstance(text, str) or not 1 <= len(text) <= 65_536:
        return refusal("invalid request: text must have 1 to 65536 characters")
    return None if isinstance(body.get("model"), str) else refusal("invalid request: model is required")


def _problems(body: Mapping[str, Any]) -> Iterator[Rejection]:
    for name in body:
        if name not in MEMBERS:
            yield refusal(f"invalid request: unknown field '{name}'")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        yield refusal("invalid request: model is required")
        return
    if not _KNOWN.match(model):
        yield refusal(
            f"model '{model}' not found, make sure the correct model ID was used and that you have access to the "
            "model.", 404,
        )  # fmt: skip
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        yield refusal("invalid request: at least one message is required")
        return
    for name, (least, most) in _RANGES.items():
        value = body.get(name)
        if value is not None and not (_is_number(value) and least <= value <= most):
            yield refusal(f"invalid request: {name} must be between {least} and {most}")
    for name in ("max_tokens", "seed"):
        if body.get(name) is not None and (type(body[name]) is not int or body[name] < 0):
            yield refusal(f"invalid request: {name} must be a positive integer")
    stop = body.get("stop_sequences")
    if stop is not None and not (isinstance(stop, list) and len(stop) <= 5 and all(isinstance(s, str) for s in stop)):
        yield refusal("invalid request: stop_sequences must be up to 5 strings")
    yield from _messages(body["messages"], model)
    yield from _tools(body)
    yield from _modes(body)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _messages(messages: list[Any], model: str) -> Iterator[Rejection]:
    called: set[str] = set()
    for number, message in enumerate(messages):
        place = f"messages[{number}]"
        role = message.get("role") if isinstance(message, Mapping) else None
        if role not in _TURNS:
            yield refusal(f"invalid request: {place} has no valid role")
            continue
        for name in message:
            if name not in _TURNS[role]:
                yield refusal(f"invalid request: unknown field '{name}' in {place}")
        yield from _content(message, role, place, model)
        for call in message.get("tool_calls") or ():
            called.add(str(call.get("id")) if isinstance(call, Mapping) else "")
            yield from _call(call, place)
        if role == "tool" and message.get("tool_call_id") not in called:
            yield refusal(f"invalid request: {place}: tool call id not found in previous tool calls")
    last = messages[-1].get("role") if isinstance(messages[-1], Mapping) else None
    if last not in ("user", "tool"):
        yield refusal("invalid request: the last message must be from the user or a tool")


def _content(message: Mapping[str, Any], role: str, place: str, model: str) -> Iterator[Rejection]:
    content = message.get("content")
    if content is None:
        if role != "assistant" or not (message.get("tool_calls") or message.get("tool_plan")):
            yield refusal(f"invalid request: {place} must have content")
        return
    if not isinstance(content, str | list):
        yield refusal(f"invalid request: {place}.content must be a string or a list")
        return
    for block in content if isinstance(content, list) else ():
        kind = block.get("type") if isinstance(block, Mapping) else None
        if kind not in _BLOCKS[role]:
            yield refusal(f"invalid request: {place} has content of type {kind!r}")
        elif kind in ("text", "thinking") and not isinstance(block.get(kind), str):
            yield refusal(f"invalid request: {place} has a block without {kind}")
        elif kind == "image_url":
            place_of = block.get("image_url")
            if not isinstance(place_of, Mapping) or not isinstance(place_of.get("url"), str):
                yield refusal(f"invalid request: {place} has an image without url")
            elif not _SEEING.match(model):
                yield refusal(f"invalid request: image content is not supported by model '{model}'")
            elif not re.match(r"https?://|data:image/(?:png|jpeg|webp|gif);base64,", place_of["url"]):
                yield refusal(f"invalid request: {place} has an image of an unknown kind")


def _call(call: Any, place: str) -> Iterator[Rejection]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not call.get("id"):
        yield refusal(f"invalid request: {place} has a tool call without id or name")
        return
    try:
        sound = isinstance(json.loads(function.get("arguments") or ""), dict)
    except (ValueError, TypeError, RecursionError):
        sound = False
    if not sound:
        yield refusal(f"invalid request: {place}: arguments must be a JSON object")


def _tools(body: Mapping[str, Any]) -> Iterator[Rejection]:
    tools = body.get("tools")
    if tools is not None and not isinstance(tools, list):
        yield refusal("invalid request: tools must be a list")
        return
    for number, tool in enumerate(tools or ()):
        function = tool.get("function") if isinstance(tool, Mapping) else None
        named = isinstance(function, Mapping) and isinstance(function.get("name"), str)
        if not named or not isinstance(function, Mapping) or not _NAME.fullmatch(function["name"]):
            yield refusal(f"invalid request: tools[{number}] has no valid name")
        elif not isinstance(function.get("parameters"), Mapping):
            yield refusal(f"invalid request: tools[{number}] must have parameters")
    choice = body.get("tool_choice")
    if choice not in (None, "REQUIRED", "NONE"):
        yield refusal("invalid request: tool_choice must be REQUIRED or NONE")
    if choice is not None and not tools:
        yield refusal("invalid request: tool_choice needs tools")


def _modes(body: Mapping[str, Any]) -> Iterator[Rejection]:
    format_ = body.get("response_format")
    if format_ is not None:
        kind = format_.get("type") if isinstance(format_, Mapping) else None
        if kind not in ("text", "json_object"):
            yield refusal("invalid request: response_format must be of type text or json_object")
        elif kind == "json_object" and (body.get("tools") or body.get("documents")):
            yield refusal("invalid request: response_format cannot be used with tools or documents")
        elif not isinstance(format_.get("json_schema", {}), Mapping):
            yield refusal("invalid request: json_schema must be an object")
    thinking = body.get("thinking")
    if thinking is not None:
        kind = thinking.get("type") if isinstance(thinking, Mapping) else None
        budget = thinking.get("token_budget") if isinstance(thinking, Mapping) else None
        if kind not in ("enabled", "disabled") or (budget is not None and (type(budget) is not int or budget < 1)):
            yield refusal("invalid request: thinking must be enabled or disabled, its token_budget positive")
