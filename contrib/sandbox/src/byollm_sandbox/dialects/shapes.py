"""The shapes of requests: which member is an object, an array, a string. Rules may then rely on them.

A shape is a type (`float` is any number), `[inner]` for an array, `{name: inner}` for an object (members that are not
named may be anything), a tuple of alternatives, or ANY. Null is taken everywhere but as an element of an array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ANY: Final = object
_WORDS: Final = {str: "a string", bool: "a boolean", int: "an integer", float: "a number"}
_TYPES: Final[Mapping[type, tuple[type, ...]]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}

_SCHEMA: Final[dict[str, Any]] = {
    "properties": {},
    "required": [str],
    "$defs": {},
    "definitions": {},
    "anyOf": [ANY],
    "allOf": [ANY],
    "enum": [ANY],
}
_NAMED: Final = {"name": str}
_FUNCTION: Final = {"name": str, "description": ANY, "parameters": ({}, bool), "strict": bool}
_CALL: Final = {"id": str, "type": str, "function": {}, "custom": {}}
_CHAT_PART: Final = {"type": str, "text": ANY, "image_url": ANY, "input_audio": ANY, "file": {}}

CHAT: Final[dict[str, Any]] = {
    "messages": [{"role": str, "tool_call_id": str, "tool_calls": [_CALL], "content": (str, [_CHAT_PART])}],
    "tools": [{"type": str, "function": _FUNCTION, "custom": _FUNCTION}],
    "tool_choice": (str, {"type": str, "function": _NAMED, "custom": _NAMED}),
    "response_format": {"type": str, "json_schema": {"strict": bool}},
    "stream_options": {},
    "stop": (str, [str]),
    "logit_bias": {},
    "metadata": {},
    "modalities": [str],
    "audio": {},
    "functions": [{}],
    "web_search_options": {},
}
_ITEM: Final = {
    "type": str,
    "role": str,
    "id": str,
    "call_id": str,
    "content": (str, [{"type": str}]),
    "summary": [{}],
    "caller": {},
}
RESPONSES: Final[dict[str, Any]] = {
    "input": (str, [_ITEM]),
    "tools": [{"type": str, "name": str, "parameters": {}, "strict": bool}],
    "tool_choice": (str, {"type": str, "name": str}),
    "text": {"format": {"type": str, "strict": bool}},
    "reasoning": {"effort": str, "summary": str},
    "include": [str],
    "metadata": {},
    "prompt": {},
    "stream_options": {},
    "instructions": (str, [ANY]),
}
_BLOCK: Final = {
    "type": str,
    "content": (str, [{"type": str}], {}),
    "text": ANY,
    "signature": str,
    "source": ANY,
}
MESSAGES: Final[dict[str, Any]] = {
    "system": (str, [{"text": str}]),
    "messages": [{"role": str, "content": (str, [_BLOCK])}],
    "tools": [{"type": str, "name": str, "input_schema": ANY, "strict": bool}],
    "tool_choice": {"type": str, "name": str},
    "thinking": {"type": str, "budget_tokens": int},
    "output_config": {"format": {"schema": {}}, "effort": str},
    "output_format": {"schema": {}},
    "stop_sequences": [str],
    "metadata": {},
    "temperature": float,
    "top_p": float,
    "top_k": int,
}

Misfit = tuple[tuple[str | int, ...], str, Any]


def misfit(value: Any, shape: Any, path: tuple[str | int, ...] = ()) -> Misfit | None:
    """The first member of another shape: its path, what was expected, and what stands there."""
    if value is None or shape is ANY:
        return None
    if isinstance(shape, tuple):
        fitting = next((option for option in shape if _outer(value, option)), None)
        return (path, " or ".join(map(_word, shape)), value) if fitting is None else misfit(value, fitting, path)
    if not _outer(value, shape):
        return path, _word(shape), value
    if isinstance(shape, list):
        for index, item in enumerate(value):
            place = (*path, index)
            inner = (place, _word(shape[0]), None) if item is None else misfit(item, shape[0], place)
            if inner is not None:
                return inner
    elif isinstance(shape, Mapping):
        for name, inner_shape in shape.items():
            inner = misfit(value.get(name), inner_shape, (*path, name))
            if inner is not None:
                return inner
    return None


def schema_misfit(schema: Any, depth: int = 0) -> str | None:
    """What is no JSON schema about a JSON schema; None when it is one."""
    if isinstance(schema, bool) or depth > 64:
        return None
    if not isinstance(schema, Mapping):
        return "schema must be an object"
    found = misfit(schema, _SCHEMA)
    if found is not None:
        return f"'{found[0][0]}' must be {found[1]}"
    inner = [item for word in ("properties", "$defs", "definitions") for item in (schema.get(word) or {}).values()]
    inner += [*(schema.get("anyOf") or ()), *(schema.get("allOf") or ())]
    inner += [schema["items"]] if isinstance(schema.get("items"), Mapping) else []
    return next((problem for item in inner if (problem := schema_misfit(item, depth + 1)) is not None), None)


def _outer(value: Any, shape: Any) -> bool:
    if shape is ANY:
        return True
    if isinstance(shape, list):
        return isinstance(value, list)
    if isinstance(shape, Mapping):
        return isinstance(value, dict)
    return isinstance(value, _TYPES[shape]) and (shape is bool or not isinstance(value, bool))


def _word(shape: Any) -> str:
    if shape is ANY:
        return "a value"
    return "an array" if isinstance(shape, list) else "an object" if isinstance(shape, Mapping) else _WORDS[shape]
