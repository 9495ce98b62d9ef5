"""What Responses refuses of input items: roles, contents, the pairing of calls, outputs and reasoning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm_sandbox.dialects.openai_chat_messages import file_source, image_source
from byollm_sandbox.dialects.openai_checks import Problems, missing, refuse, wrong_type, wrong_value

ROLES: Final = ("assistant", "system", "developer", "user")
ITEMS: Final = (
    "message", "file_search_call", "computer_call", "computer_call_output", "web_search_call", "function_call",
    "function_call_output", "tool_search_call", "tool_search_output", "additional_tools", "reasoning", "compaction",
    "compaction_trigger", "image_generation_call", "code_interpreter_call", "local_shell_call",
    "local_shell_call_output",
    "shell_call", "shell_call_output", "apply_patch_call", "apply_patch_call_output", "mcp_list_tools",
    "mcp_approval_request", "mcp_approval_response", "mcp_call", "item_reference", "custom_tool_call",
    "custom_tool_call_output", "program", "program_output",
)  # fmt: skip
"""Every type of input item."""
_INPUT: Final = ("input_text", "input_image", "input_audio", "input_file")
_OUTPUT: Final = ("output_text", "refusal")
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "custom_tool_call": ("call_id", "name", "input"),
    "custom_tool_call_output": ("call_id", "output"),
    "item_reference": ("id",),
}


def item_problems(given: Any) -> Problems:
    """All input items, in order."""
    if isinstance(given, str):
        return
    if not isinstance(given, list):
        yield wrong_type("input", "one of a string or array of input items", given)
        return
    for index, item in enumerate(given):
        path = f"input[{index}]"
        if not isinstance(item, dict):
            yield wrong_type(path, "an object", item)
            return
        yield from _item(item, path)
    yield from _pairs(given)
    yield from _reasoning_followed(given)


def _item(item: Mapping[str, Any], path: str) -> Problems:
    kind = item.get("type", "message" if "role" in item else None)
    if kind is None:
        yield missing(f"{path}.type")
    elif kind not in ITEMS:
        yield wrong_value(path, kind, ITEMS)
    elif kind == "message":
        yield from _message(item, path)
    for name in _NEEDED.get(str(kind), ()):
        if item.get(name) is None:
            yield missing(f"{path}.{name}")
    if kind == "function_call" and not isinstance(item.get("arguments"), str) and item.get("caller") is None:
        yield wrong_type(f"{path}.arguments", "a string", item.get("arguments"))
    if kind == "reasoning" and not isinstance(item.get("summary"), list):
        yield missing(f"{path}.summary")


def _message(item: Mapping[str, Any], path: str) -> Problems:
    role, content = item.get("role"), item.get("content")
    if role not in ROLES:
        yield wrong_value(path, role, ROLES)
        return
    if isinstance(content, str):
        return
    if content is None:
        yield missing(f"{path}.content")
        return
    if not isinstance(content, list):
        yield wrong_type(f"{path}.content", "one of a string or array of content parts", content)
        return
    allowed = _OUTPUT if role == "assistant" else _INPUT
    for index, part in enumerate(content):
        where = f"{path}.content[{index}]"
        if not isinstance(part, dict):
            yield wrong_type(where, "an object", part)
        elif part.get("type") not in allowed:
            yield wrong_value(where, part.get("type"), allowed)
        else:
            yield from _part(part, where)


def _part(part: Mapping[str, Any], where: str) -> Problems:
    kind = part["type"]
    if kind in ("input_text", "output_text") and not isinstance(part.get("text"), str):
        yield missing(f"{where}.text")
    elif kind == "refusal" and not isinstance(part.get("refusal"), str):
        yield missing(f"{where}.refusal")
    elif kind == "input_image" and part.get("file_id") is None:
        if not isinstance(part.get("image_url"), str):
            yield missing(f"{where}.image_url")
        else:
            yield from image_source(part["image_url"])
    elif kind == "input_file":
        yield from _file(part, where)


def _file(part: Mapping[str, Any], where: str) -> Problems:
    data = part.get("file_data")
    if data is None:
        if part.get("file_id") is None and part.get("file_url") is None:
            yield missing(f"{where}.file_id")
        return
    yield from file_source(data, f"{where}.file_data")


def _pairs(items: list[dict[str, Any]]) -> Problems:
    for call, output, words in (
        ("function_call", "function_call_output", ("tool", "function call output")),
        ("custom_tool_call", "custom_tool_call_output", ("custom tool", "custom tool call output")),
    ):
        called = [item["call_id"] for item in items if item.get("type") == call]
        answered = [item["call_id"] for item in items if item.get("type") == output]
        referred = any(item.get("type") == "item_reference" for item in items)
        for call_id in answered:
            if call_id not in called and not referred:
                yield refuse(f"No tool call found for {words[1]} with call_id {call_id}.", "input")
        for call_id in called:
            if call_id not in answered:
                yield refuse(f"No tool output found for {words[0]} call {call_id}.", "input")


def _reasoning_followed(items: list[dict[str, Any]]) -> Problems:
    # The vendor knows its items by their ids: reasoning must be followed by what the model said next, as it said it.
    for item, after in zip(items, [*items[1:], None], strict=True):
        if item.get("type") != "reasoning" or item.get("id") is None:
            continue
        said_by_hand = after is not None and after.get("role") == "assistant" and after.get("id") is None
        not_the_models = after is None or after.get("role") in ("user", "system", "developer") or said_by_hand
        if not_the_models or (after or {}).get("type", "").endswith("_output"):
            text_ = f"Item '{item['id']}' of type 'reasoning' was provided without its required following item."
            yield refuse(text_, "input")
