"""A request as the body of `/api/chat`. Facts: Ollama's sources and docs/api.md, recorded requests, read 2026-11-21."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.plugin import (
    Adjustment,
    Image,
    Message,
    Part,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    UnsupportedFeatureError,
)

RUNTIME: Final = (
    ("temperature", "temperature"), ("top_p", "top_p"), ("top_k", "top_k"), ("seed", "seed"),
    ("max_tokens", "num_predict"), ("frequency_penalty", "frequency_penalty"), ("presence_penalty", "presence_penalty"),
)  # fmt: skip
"""Neutral parameter and its name under `options`."""


def native_body(request: Request, model: str, provider: str, target: Mapping[str, Any]) -> dict[str, Any]:
    """The body. `target` are the YAML keys of the deployment. `moved` says what of the order it cannot keep.

    A prompt that does not fit is to be refused, not cut (`truncate`), and so is an answer for which the window would
    have to be moved on (`shift`): both are always said. Raises UnsupportedFeatureError for what the wire cannot say.
    """
    body: dict[str, Any] = {"model": model, "messages": native_messages(request.conversation)}
    choice = request.tool_choice
    if request.tools and not (choice is not None and choice.mode == "none"):
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.output_schema is not None:
        body["format"] = request.json_schema
    if request.reasoning_effort is not None:
        body["think"] = thinking(request.reasoning_effort, model)
    options = _options(request, target)
    if options:
        body["options"] = options
    if target.get("keep_alive") is not None:
        body["keep_alive"] = target["keep_alive"]
    body |= {"stream": request.stream, "truncate": False, "shift": False}
    extra = dict((request.extra or {}).get(provider) or {})
    if isinstance(extra.get("options"), Mapping):
        extra["options"] = {**options, **extra["options"]}
    return {**body, **extra}


def moved(conversation: Iterable[Message]) -> tuple[Adjustment, ...]:
    """Told when a picture stands before a text of its turn: on this wire all pictures stand beside all of the text."""
    for message in conversation:
        kinds = [type(part) for part in message.parts if isinstance(part, Text | Image)]
        if Image in kinds and Text in kinds[kinds.index(Image) :]:
            reason = "Ollama has no places among the words: pictures go beside the whole text of their turn"
            return (Adjustment("messages", "emulated", None, None, reason),)
    return ()


def thinking(effort: str, model: str) -> bool | str:
    """`think`: gpt-oss takes levels and cannot stop thinking, every other model takes yes or no."""
    if takes_levels(model):
        return effort
    return effort != "none"


def takes_levels(model: str) -> bool:
    """Whether a model's thinking has levels."""
    return model.rpartition("/")[2].startswith("gpt-oss")


def _options(request: Request, target: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(target.get("options") or {})
    if target.get("num_ctx") is not None:
        found["num_ctx"] = target["num_ctx"]
    for name, word in RUNTIME:
        value = getattr(request, name)
        if value is not None:
            found[word] = value
    if request.stop:
        found["stop"] = list(request.stop)
    return found


def _tool(tool: Any) -> dict[str, Any]:
    if not isinstance(tool, Tool):
        raise UnsupportedFeatureError("Ollama runs no tools of its own", field="tools")
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": {**function, "parameters": tool.parameters}}


def native_messages(conversation: Iterable[Message]) -> list[dict[str, Any]]:
    """The messages: text is one string, images are base64 beside it, each tool result is a turn of its own."""
    written: list[dict[str, Any]] = []
    called: dict[str, str] = {}
    for message in conversation:
        calls = [part for part in message.parts if isinstance(part, ToolCall)]
        called.update({call.id: call.name for call in calls})
        if message.role == "assistant":
            written.append(_assistant(message, calls))
            continue
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        written += [_result(result, called) for result in results]
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        if rest or not results:
            role = "system" if message.role in ("system", "developer") else "user"
            written.append({"role": role, **_content(rest, "\n\n")})
    return written


def _assistant(message: Message, calls: list[ToolCall]) -> dict[str, Any]:
    said = [part for part in message.parts if isinstance(part, Text | Image)]
    made: dict[str, Any] = {"role": "assistant", **_content(said, "")}
    thoughts = "".join(part.text for part in message.parts if isinstance(part, Reasoning))
    if thoughts and calls:
        made["thinking"] = thoughts
    if calls:
        made["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": _arguments(call.arguments)}} for call in calls
        ]
    return made


def _arguments(text: str) -> dict[str, Any]:
    """An object: Ollama takes nothing else. What a model wrote wrongly is wrapped."""
    try:
        found = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return {"_raw": text}
    return found if isinstance(found, dict) else {"_raw": text}


def _result(result: ToolResult, called: Mapping[str, str]) -> dict[str, Any]:
    name = result.name or called.get(result.id) or result.id
    return {"role": "tool", "tool_name": name, "tool_call_id": result.id, **_content(result.parts, "\n\n")}


def _content(parts: Iterable[Part], between: str) -> dict[str, Any]:
    texts, images = [], []
    for part in parts:
        if isinstance(part, Text):
            texts += [part.text] if part.text else []
        elif isinstance(part, Image) and part.media.base64 is not None:
            images.append(part.media.base64)
        elif not isinstance(part, Reasoning):
            raise UnsupportedFeatureError(
                f"Ollama takes text and the bytes of images, not a {type(part).__name__}", field="messages"
            )
    made: dict[str, Any] = {"content": between.join(texts)}
    return {**made, "images": images} if images else made
