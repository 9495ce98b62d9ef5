"""OpenAI's refusals of single values: types, ranges, lengths, words. Each check yields what it finds.

Codes and sentence patterns as recorded from 2024 to 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from byollm_sandbox.dialects.base import Rejection
from byollm_sandbox.dialects.shapes import misfit

Problems = Iterator[Rejection]

NAME: Final = re.compile(r"[a-zA-Z0-9_-]+")
SERVICE_TIERS: Final = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def refuse(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> Rejection:
    """One refusal."""
    return Rejection(status, message, "invalid_request_error", param, code)


def listed(values: Sequence[Any]) -> str:
    """'a', 'b', and 'c'."""
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def kind_of(value: Any) -> str:
    """What OpenAI calls a JSON value."""
    words = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a decimal number"),
        (str, "a string"),
        (list, "an array"),
    )
    if value is None:
        return "null"
    return next((word for kind, word in words if isinstance(value, kind)), "an object")


def missing(param: str) -> Rejection:
    """A required parameter is not there."""
    return refuse(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def wrong_type(param: str, expected: str, value: Any) -> Rejection:
    """A value of the wrong type."""
    text = f"Invalid type for '{param}': expected {expected}, but got {kind_of(value)} instead."
    return refuse(text, param, "invalid_type")


def wrong_value(param: str, value: Any, supported: Sequence[Any]) -> Rejection:
    """A word that is none of the known ones."""
    return refuse(f"Invalid value: '{value}'. Supported values are: {listed(supported)}.", param, "invalid_value")


def number(body: Mapping[str, Any], name: str, low: float, high: float) -> Problems:
    """A decimal within a closed range; null is allowed."""
    value = body.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield wrong_type(name, "a decimal", value)
        return
    yield from _range(name, value, low, high, "decimal")


def integer(
    body: Mapping[str, Any], name: str, low: int | None = None, high: int | None = None, path: str = ""
) -> Problems:
    """An integer within a closed range; null is allowed."""
    value = body.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        yield wrong_type(path or name, "an integer", value)
        return
    yield from _range(path or name, value, low, high, "integer")


def _range(param: str, value: float, low: float | None, high: float | None, kind: str) -> Problems:
    if low is not None and value < low:
        text = f"Invalid '{param}': {kind} below minimum value. Expected a value >= {low:g}, but got {value} instead."
        yield refuse(text, param, f"{kind}_below_min_value")
    elif high is not None and value > high:
        text = f"Invalid '{param}': {kind} above maximum value. Expected a value <= {high:g}, but got {value} instead."
        yield refuse(text, param, f"{kind}_above_max_value")


def boolean(body: Mapping[str, Any], *names: str) -> Problems:
    """Booleans; null is allowed."""
    for name in names:
        value = body.get(name)
        if value is not None and not isinstance(value, bool):
            yield wrong_type(name, "a boolean", value)


def text(body: Mapping[str, Any], name: str, longest: int | None = None, path: str = "") -> Problems:
    """A string of limited length; null is allowed."""
    value, param = body.get(name), path or name
    if value is None:
        return
    if not isinstance(value, str):
        yield wrong_type(param, "a string", value)
    elif longest is not None and len(value) > longest:
        yield refuse(
            f"Invalid '{param}': string too long. Expected a string with maximum length {longest}, but got a string "
            f"with length {len(value)} instead.",
            param,
            "string_above_max_length",
        )


def word(body: Mapping[str, Any], name: str, supported: Sequence[str], path: str = "") -> Problems:
    """One of a few words; null is allowed."""
    value = body.get(name)
    if value is not None and value not in supported:
        yield wrong_value(path or name, value, supported)


def unique_name(value: Any, param: str, longest: int = 64) -> Problems:
    """A name of letters, digits, underscores and dashes."""
    if value is None:
        yield missing(param)
    elif not isinstance(value, str):
        yield wrong_type(param, "a string", value)
    elif not value:
        yield refuse(f"Invalid '{param}': empty string.", param, "empty_string")
    elif not NAME.fullmatch(value):
        text_ = f"Invalid '{param}': string does not match pattern. Expected a string that matches '^[a-zA-Z0-9_-]+$'."
        yield refuse(text_, param, "invalid_value")
    else:
        yield from text({"": value}, "", longest, param)


def array(value: Any, param: str, least: int = 0, most: int | None = None) -> Problems:
    """An array of limited length."""
    if not isinstance(value, list):
        yield wrong_type(param, "an array", value)
    elif len(value) < least:
        wanted = f"Expected an array with minimum length {least}, but got an empty array instead."
        yield refuse(f"Invalid '{param}': empty array. {wanted}", param, "empty_array")
    elif most is not None and len(value) > most:
        got = f"maximum length {most}, but got an array with length {len(value)} instead."
        yield refuse(
            f"Invalid '{param}': array too long. Expected an array with {got}", param, "array_above_max_length"
        )


def metadata(body: Mapping[str, Any]) -> Problems:
    """At most 16 pairs of short strings."""
    given = body.get("metadata")
    if given is None:
        return
    if not isinstance(given, dict):
        yield wrong_type("metadata", "an object", given)
        return
    if len(given) > 16:
        text_ = f"Invalid 'metadata': too many properties. Expected at most 16, but got {len(given)} instead."
        yield refuse(text_, "metadata", "object_above_max_properties")
    for key, value in given.items():
        if not isinstance(value, str):
            yield wrong_type(f"metadata.{key}", "a string", value)
        yield from text({"": key}, "", 64, f"metadata.{key}")
        yield from text({"": value}, "", 512, f"metadata.{key}")


def shaped(body: Mapping[str, Any], shape: Any) -> Problems:
    """Objects are objects and arrays are arrays, as far as later rules rely on it."""
    found = misfit(body, shape)
    if found is not None:
        path, expected, value = found
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        yield wrong_type(steps.removeprefix("."), expected, value)


def common(body: Mapping[str, Any]) -> Problems:
    """What both dialects check alike."""
    yield from number(body, "temperature", 0, 2)
    yield from number(body, "top_p", 0, 1)
    yield from boolean(body, "stream", "store", "parallel_tool_calls")
    yield from text(body, "user", 64)
    yield from text(body, "safety_identifier", 128)
    yield from text(body, "prompt_cache_key")
    yield from metadata(body)


def first(problems: Iterable[Rejection]) -> Rejection | None:
    """What a vendor tells: the first problem only."""
    return next(iter(problems), None)
