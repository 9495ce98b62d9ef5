"""An independent reader of Chat Completions: one document or a stream of chunks, of whichever vendor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.replay.errors import in_band_error
from tests.replay.framing import Frame
from tests.replay.values import (
    AnswerError,
    Call,
    Expected,
    Tokens,
    chat_finish,
    first_told,
    parsed_arguments,
    whole_number,
)


@dataclass(slots=True)
class Slot:
    """A tool call while it grows."""

    index: int | None
    id: str
    name: str
    arguments: str

    @property
    def complete(self) -> bool:
        """Whether the arguments are a whole JSON value already."""
        try:
            json.loads(self.arguments)
        except ValueError:
            return False
        return True


@dataclass(slots=True)
class Growing:
    """One choice while it grows."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    finish: str | None = None
    finished: bool = False
    text_is_json: bool = False
    usage: dict[str, Any] = field(default_factory=dict)


def read(frames: Iterable[Frame], streamed: bool, growing: Growing) -> Expected:
    """The answer in `frames`. `growing` keeps what had come when an AnswerError is raised."""
    for frame in frames:
        chunk = frame.value
        error = in_band_error(frame.event, chunk)
        if error is not None:
            raise error
        _grow_usage(growing, chunk)
        _grow_choices(growing, chunk.get("choices"), streamed)
    if streamed and not growing.finished:
        raise AnswerError("StreamInterruptedError", "the stream ended without a finish_reason")
    return answer(growing)


def answer(growing: Growing) -> Expected:
    """The finished choice as an expectation."""
    calls = tuple(Call(slot.name, parsed_arguments(slot.arguments)) for slot in growing.slots)
    refusal = "".join(growing.refusal)
    return Expected(
        outcome="answer",
        text="".join(growing.text),
        tool_calls=calls,
        finish_reason=chat_finish(growing.finish, bool(calls), bool(refusal)),
        raw_finish_reason=growing.finish,
        usage=tokens(growing.usage),
        reasoning="".join(growing.reasoning),
        refusal=refusal,
        text_is_json=growing.text_is_json,
    )


def _grow_choices(growing: Growing, choices: Any, streamed: bool) -> None:
    if not choices:
        if not streamed:
            raise AnswerError("ProtocolError", "a whole answer without a choice")
        return
    if len(choices) > 1 or any(choice.get("index") not in (0, None) for choice in choices):
        raise AnswerError("ProtocolError", "more than one choice")
    choice = choices[0]
    message = choice.get("delta") if streamed else choice.get("message")
    _grow_message(growing, message or {})
    if choice.get("finish_reason") is not None or not streamed:
        growing.finish = choice.get("finish_reason")
        growing.finished = True


def _grow_message(growing: Growing, message: Mapping[str, Any]) -> None:
    _grow_content(growing, message.get("content"))
    reasoning = message.get("reasoning") or message.get("reasoning_content")
    growing.reasoning.append(reasoning if isinstance(reasoning, str) else "")
    growing.refusal.append(message.get("refusal") or "")
    for call in message.get("tool_calls") or ():
        _grow_call(growing.slots, call)
    legacy = message.get("function_call")
    if legacy and (legacy.get("name") or legacy.get("arguments")):
        _grow_call(growing.slots, {"index": 0, "function": legacy})


def _grow_content(growing: Growing, content: Any) -> None:
    if isinstance(content, str):
        growing.text.append(content)
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, str):
                growing.text.append(part)
            elif part.get("type") == "text":
                growing.text.append(part.get("text") or "")
            elif part.get("type") == "thinking":
                growing.reasoning.extend(piece.get("text") or "" for piece in part.get("thinking") or ())
    elif content is not None:
        growing.text.append(json.dumps(content))
        growing.text_is_json = True


def _grow_call(slots: list[Slot], call: Mapping[str, Any]) -> None:
    """Put a whole call or a piece of one where it belongs.

    A piece belongs to the open call with its index; without an index, to the call with its id, else to the last one.
    A new id, or a new name after arguments that are already whole, begins another call, whatever the index says:
    several servers send index 0 for all of them.
    """
    function = call.get("function") or call.get("custom") or {}
    name, id = function.get("name") or "", call.get("id") or ""
    piece = function.get("arguments") if "arguments" in function else function.get("input")
    index = call.get("index")
    if index is not None:
        slot = next((known for known in reversed(slots) if known.index == index), None)
    elif id:
        slot = next((known for known in slots if known.id == id), None)
    else:
        slot = slots[-1] if slots and not (name and slots[-1].complete) else None
    if slot is not None and ((id and slot.id and id != slot.id) or (name and name != slot.name and slot.complete)):
        slot = None
    if slot is None:
        slot = Slot(index, id, name, "")
        slots.append(slot)
    slot.id, slot.name = slot.id or id, slot.name or name
    if piece is not None:
        slot.arguments += piece if isinstance(piece, str) else json.dumps(piece)


def _grow_usage(growing: Growing, chunk: Mapping[str, Any]) -> None:
    groq = chunk.get("x_groq")
    told = chunk.get("usage") or (groq.get("usage") if isinstance(groq, Mapping) else None)
    if isinstance(told, Mapping):
        growing.usage.update({name: value for name, value in told.items() if value is not None})


def tokens(usage: Mapping[str, Any]) -> Tokens:
    """Neutral usage of a Chat `usage` object, from the fields that vendors were seen to use."""
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return Tokens(
        input_tokens=whole_number(usage.get("prompt_tokens")),
        output_tokens=whole_number(usage.get("completion_tokens")),
        cached_tokens=first_told(
            prompt.get("cached_tokens"),
            usage.get("prompt_cache_hit_tokens"),
            usage.get("cached_tokens"),
            usage.get("num_cached_tokens"),
            usage.get("cache_read_input_tokens"),
        ),
        cache_write_tokens=first_told(prompt.get("cache_write_tokens"), usage.get("cache_creation_input_tokens")),
        reasoning_tokens=first_told(completion.get("reasoning_tokens"), usage.get("reasoning_tokens")),
    )
