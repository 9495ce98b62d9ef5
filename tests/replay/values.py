"""What a right reader must see in an answer, as plain values, and the neutral rules all three readers share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

Outcome = Literal["answer", "error", "count", "unreadable", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool the model asks for. `arguments` is the parsed JSON, or the raw text when it is not JSON."""

    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Tokens:
    """Neutral usage: input includes cached and cache-write, output includes reasoning. None: not told."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None

    def updated(self, later: Tokens) -> Tokens:
        """The last known value of each field wins."""
        told = {item.name: getattr(later, item.name) for item in fields(later)}
        return replace(self, **{name: value for name, value in told.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Expected:
    """What reading one exchange must come to.

    `outcome` says which of the other fields count:

    * `answer`: `text`, `tool_calls`, `finish_reason`, `raw_finish_reason`, `usage`.
    * `error`: `error` (a class name of `spec/errors.md`), and `text`, the visible text that came before it.
    * `count`: `count`, the tokens of a request.
    * `unreadable`, `elsewhere`: nothing; `why` says why.

    `reasoning` and `refusal` are collected and not compared. `text_is_json` says that the provider sent a JSON value
    where text belongs, so that only the value, not its spelling, can be compared. `also` names values of a field that
    a careful reader may equally report; `why_also` says why, by field.
    """

    outcome: Outcome
    text: str = ""
    tool_calls: tuple[Call, ...] = ()
    finish_reason: str | None = None
    raw_finish_reason: str | None = None
    usage: Tokens = field(default_factory=Tokens)
    reasoning: str = ""
    refusal: str = ""
    error: str | None = None
    why: str = ""
    count: int | None = None
    text_is_json: bool = False
    also: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    why_also: Mapping[str, str] = field(default_factory=dict)

    def accepts(self, name: str, value: Any) -> bool:
        """Whether `value` is right for the field `name`, of this class or of `usage`."""
        right = getattr(self.usage, name) if hasattr(self.usage, name) else getattr(self, name)
        if name == "text" and self.text_is_json and isinstance(value, str):
            return bool(parsed_arguments(value) == parsed_arguments(right))
        return bool(value == right) or value in self.also.get(name, ())

    def with_also(self, name: str, *values: Any, why: str) -> Expected:
        """The same expectation, with further right values of one field and the reason."""
        return replace(self, also={**self.also, name: values}, why_also={**self.why_also, name: why})


class AnswerError(Exception):
    """The bytes hold an error (or break the dialect) where an answer was due. `error` is the class name to expect."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(f"{error}: {why}")
        self.error = error
        self.why = why


def parsed_arguments(raw: Any) -> Any:
    """Tool arguments as a value: empty, missing or `null` is {}, text that is not JSON stays text."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw) if raw.strip() else None
        except ValueError:
            return raw
    return {} if raw is None else raw


STOPPING = ("stop", "", None, "tool_calls", "function_call")

NEUTRAL_FINISH = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "": "stop",
    None: "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "error": "error",
    "abort": "error",
    "insufficient_system_resource": "error",
}


def chat_finish(raw: str | None, has_calls: bool, has_refusal: bool) -> str:
    """A Chat finish reason in neutral words.

    `tool_calls` needs a call; a refusal shows in the message, the provider's own word for it is `stop`.
    """
    if has_calls and raw in STOPPING:
        return "tool_calls"
    if has_refusal and raw in STOPPING:
        return "refusal"
    return NEUTRAL_FINISH.get(raw, "other")


def whole_number(value: Any) -> int | None:
    """A token count, or None for anything that is not one."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def first_told(*values: Any) -> int | None:
    """The first of several fields that holds a count."""
    return next((number for value in values if (number := whole_number(value)) is not None), None)
