"""What Anthropic refuses of messages: shapes, empty texts, unpaired calls and results, thinking that was changed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.dialects.anthropic_render import signature_of
from byollm_sandbox.dialects.base import Rejection, names
from byollm_sandbox.dialects.claude_models import Family

Problems = Iterator[Rejection]

_KEYS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    # Block type → required members, all members.
    kind: (names(required), names(f"type {required} {optional}"))
    for kind, required, optional in (
        ("text", "text", "cache_control citations"),
        ("image", "source", "cache_control transformations"),
        ("document", "source", "cache_control citations context title"),
        ("tool_use", "id input name", "cache_control caller toolset_name"),
        ("tool_result", "tool_use_id", "content is_error cache_control toolset_name"),
        ("thinking", "signature thinking", ""),
        ("redacted_thinking", "data", ""),
    )
}
_OTHER_KINDS: Final = names(
    "search_result server_tool_use container_upload web_fetch_tool_result web_search_tool_result "
    "tool_search_tool_result code_execution_tool_result bash_code_execution_tool_result "
    "text_editor_code_execution_tool_result mcp_tool_use mcp_tool_result compaction tool_reference "
    "advisor_tool_result fallback"
)
_IMAGE_KINDS: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
_CACHE_LIMIT: Final = 4


def refuse(message: str) -> Rejection:
    """One refusal with status 400."""
    return Rejection(400, message)


def system_problems(system: Any) -> Problems:
    """The top-level system prompt: a string or text blocks."""
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        yield refuse("system: Input should be a valid string or a list of text blocks")
        return
    for index, block in enumerate(system):
        if not isinstance(block, dict) or block.get("type") != "text" or not isinstance(block.get("text"), str):
            yield refuse(f"system.{index}: Input does not match the expected shape.")
        elif not block["text"]:
            yield refuse("system: text content blocks must be non-empty")


def message_problems(messages: Any, family: Family, thinking: Any) -> Problems:
    """All messages, in order."""
    if not isinstance(messages, list):
        yield refuse("messages: Input should be a valid list")
        return
    if not messages:
        yield refuse("messages: at least one message is required")
        return
    for index, message in enumerate(messages):
        yield from _message(message, index, index == len(messages) - 1, family)
    yield from _pairs(messages)
    yield from _ending(messages, family)
    if isinstance(thinking, dict) and thinking.get("type") == "enabled":
        yield from _thinking_kept(messages)


def blocks_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The content of a message as blocks."""
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])


def _message(message: Any, index: int, last: bool, family: Family) -> Problems:
    path = f"messages.{index}"
    if not isinstance(message, dict):
        yield refuse(f"{path}: Input does not match the expected shape.")
        return
    role = message.get("role")
    if role == "system":
        if family.known and not family.system_turns:
            yield refuse(f"{path}: role 'system' is not supported on this model")
    elif role not in ("user", "assistant"):
        yield refuse(f"{path}.role: Input should be 'user' or 'assistant'")
    for name in message:
        if name not in ("role", "content"):
            yield refuse(f"{path}.{name}: Extra inputs are not permitted")
    if "content" not in message:
        yield refuse(f"{path}.content: Field required")
        return
    content = message["content"]
    if not isinstance(content, str | list):
        yield refuse(f"{path}.content: Input should be a valid list")
        return
    if not content and not (last and role == "assistant"):
        text = "all messages must have non-empty content except for the optional final assistant message"
        yield refuse(f"{path}: {text}")
    for place, block in enumerate(content if isinstance(content, list) else ()):
        yield from _block(block, f"{path}.content.{place}", str(role))


def _block(block: Any, path: str, role: str) -> Problems:
    if not isinstance(block, dict) or "type" not in block:
        yield refuse(f"{path}: Input does not match the expected shape.")
        return
    kind = block["type"]
    if kind in _OTHER_KINDS:
        return
    if kind not in _KEYS:
        yield refuse(f"{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
        return
    required, allowed = _KEYS[kind]
    for name in sorted(required - block.keys()):
        yield refuse(f"{path}.{kind}.{name}: Field required")
    for name in block:
        if name not in allowed:
            yield refuse(f"{path}.{kind}.{name}: Extra inputs are not permitted")
    if kind in ("tool_use", "thinking", "redacted_thinking") and role != "assistant":
        yield refuse(f"{path}: `{kind}` blocks can only be in `assistant` messages")
    if kind in ("tool_result", "image") and role != "user":
        yield refuse(f"{path}: `{kind}` blocks can only be in `user` messages")
    yield from _CHECKS.get(kind, _nothing)(block, path)


def _nothing(block: Mapping[str, Any], path: str) -> Problems:
    yield from ()


def _text(block: Mapping[str, Any], path: str) -> Problems:
    if not isinstance(block["text"], str):
        yield refuse(f"{path}.text.text: Input should be a valid string")
    elif not block["text"]:
        yield refuse("messages: text content blocks must be non-empty")
    elif not block["text"].strip():
        yield refuse("messages: text content blocks must contain non-whitespace text")


def _tool_use(block: Mapping[str, Any], path: str) -> Problems:
    if not isinstance(block["input"], dict):
        yield refuse(f"{path}.tool_use.input: Input should be an object")
    elif not isinstance(block["id"], str) or not block["id"].replace("-", "").replace("_", "").isalnum():
        yield refuse(f"{path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    elif not isinstance(block["name"], str) or not 0 < len(block["name"]) <= 200:
        yield refuse(f"{path}.tool_use.name: String should have between 1 and 200 characters")


def _tool_result(block: Mapping[str, Any], path: str) -> Problems:
    content = block.get("content")
    if content is not None and not isinstance(content, str | list):
        yield refuse(f"{path}.tool_result.content: Input should be a valid list")
    for place, inner in enumerate(content if isinstance(content, list) else ()):
        kind = inner.get("type") if isinstance(inner, dict) else None
        where = f"{path}.tool_result.content.{place}"
        if kind not in ("text", "image", "document", "search_result", "tool_reference"):
            yield refuse(f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
        elif kind == "image":
            yield from _image(inner, where)
    if not isinstance(block.get("is_error", False), bool):
        yield refuse(f"{path}.tool_result.is_error: Input should be a valid boolean")


def _image(block: Mapping[str, Any], path: str) -> Problems:
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) else None
    if not isinstance(source, dict) or kind not in ("base64", "url", "file"):
        yield refuse(
            f"{path}.image.source: Input tag '{kind}' does not match any of the expected tags: base64, url, file"
        )
    elif kind == "base64":
        if source.get("media_type") not in _IMAGE_KINDS:
            wanted = ", ".join(map(repr, _IMAGE_KINDS))
            yield refuse(f"{path}.image.source.base64.media_type: Input should be one of {wanted}")
        yield from _base64(source.get("data"), f"{path}.image.source.base64")
    elif kind == "url" and not str(source.get("url")).startswith(("https://", "http://")):
        yield refuse(f"{path}.image.source.url.url: Only HTTPS URLs are supported.")


def _document(block: Mapping[str, Any], path: str) -> Problems:
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) else None
    if not isinstance(source, dict) or kind not in ("base64", "text", "url", "content", "file"):
        yield refuse(f"{path}.document.source: Input tag '{kind}' does not match any of the expected tags")
    elif kind == "base64":
        if source.get("media_type") != "application/pdf":
            yield refuse(f"{path}.document.source.base64.media_type: Input should be 'application/pdf'")
        yield from _base64(source.get("data"), f"{path}.document.source.base64")
    elif kind == "text" and source.get("media_type") != "text/plain":
        yield refuse(f"{path}.document.source.text.media_type: Input should be 'text/plain'")


def _base64(data: Any, path: str) -> Problems:
    if not isinstance(data, str) or not data:
        yield refuse(f"{path}.data: Field required")
        return
    try:
        # Recorders cut long media short, so a missing end is forgiven; other letters are not.
        base64.b64decode(data[:64], validate=True)
    except binascii.Error:
        yield refuse(f"{path}: invalid base64 data")


def _thinking(block: Mapping[str, Any], path: str) -> Problems:
    if not block["thinking"] and not block["signature"]:
        yield refuse(f"{path}: each thinking block must contain thinking")
    elif _is_ours(block["signature"]) and block["thinking"] and signature_of(block["thinking"]) != block["signature"]:
        yield refuse(f"{path}: Invalid `signature` in `thinking` block")


def _is_ours(signature: Any) -> bool:
    # The twin can judge only what a twin signed; recorded signatures begin otherwise.
    return isinstance(signature, str) and signature[:2] == "Ei" and len(signature) == len(signature_of(""))


_CHECKS: Final = {
    "text": _text,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "image": _image,
    "document": _document,
    "thinking": _thinking,
}


def _ids(message: Mapping[str, Any], kind: str, member: str) -> list[str]:
    return [str(block.get(member)) for block in blocks_of(message) if block.get("type") == kind]


def _pairs(messages: list[dict[str, Any]]) -> Problems:
    for index, message in enumerate(messages):
        called = _ids(message, "tool_use", "id") if message["role"] == "assistant" else []
        after = messages[index + 1] if index + 1 < len(messages) else None
        answered = _ids(after, "tool_result", "tool_use_id") if after is not None else []
        lost = [call for call in called if call not in answered]
        if lost and after is not None:
            yield refuse(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(lost)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
                "message."
            )
        before = _ids(messages[index - 1], "tool_use", "id") if index else []
        for result in _ids(message, "tool_result", "tool_use_id"):
            if result not in before:
                yield refuse(
                    f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {result}. Each "
                    "`tool_result` block must have a corresponding `tool_use` block in the previous message."
                )
        if len(set(called)) < len(called):
            yield refuse(f"messages.{index}: `tool_use` ids must be unique")


def _ending(messages: list[dict[str, Any]], family: Family) -> Problems:
    last = messages[-1]
    if last["role"] != "assistant":
        return
    if not family.prefill:
        text = "This model does not support assistant message prefill. The conversation must end with a user message."
        yield refuse(text)
    texts = [block.get("text", "") for block in blocks_of(last) if block.get("type") == "text"]
    if texts and texts[-1] != texts[-1].rstrip():
        yield refuse("messages: final assistant content cannot end with trailing whitespace")
    if _ids(last, "tool_use", "id"):
        yield refuse(
            f"messages.{len(messages) - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(_ids(last, 'tool_use', 'id'))}."
        )


def _thinking_kept(messages: list[dict[str, Any]]) -> Problems:
    # While a tool loop runs, the turn that called must come back with its thinking first.
    if len(messages) < 2 or not _ids(messages[-1], "tool_result", "tool_use_id"):
        return
    kinds = [block.get("type") for block in blocks_of(messages[-2])]
    if "tool_use" in kinds and kinds[0] not in ("thinking", "redacted_thinking"):
        place = f"messages.{len(messages) - 2}.content.0.type"
        yield refuse(f"{place}: Expected `thinking` or `redacted_thinking`, but found `{kinds[0]}`.")


def cache_problems(body: Mapping[str, Any]) -> Problems:
    """At most four cache breakpoints, each ephemeral with a known lifetime."""
    marks = list(_marks([body.get("system"), body.get("tools"), body.get("messages")]))
    if len(marks) > _CACHE_LIMIT:
        yield refuse(f"A maximum of {_CACHE_LIMIT} blocks with cache_control may be provided. Found {len(marks)}.")
    for mark in [*marks, *([body["cache_control"]] if body.get("cache_control") else [])]:
        if not isinstance(mark, dict) or mark.get("type") != "ephemeral":
            yield refuse("cache_control.type: Input should be 'ephemeral'")
        elif mark.get("ttl") not in (None, "5m", "1h"):
            yield refuse("cache_control.ephemeral.ttl: Input should be '5m' or '1h'")


def _marks(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _marks(item)
    elif isinstance(value, dict):
        if value.get("cache_control") is not None:
            yield value["cache_control"]
        yield from _marks(value.get("content"))
