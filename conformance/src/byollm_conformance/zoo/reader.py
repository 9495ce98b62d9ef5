"""The reference plugin's reader: one answer, whole or in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import byollm.plugin as b

REASONS: Final[Mapping[str, b.FinishReason]] = {
    "stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter",
    "error": "error",
}  # fmt: skip
HOSTILE: Final = (AttributeError, TypeError, KeyError, ValueError, IndexError)
THOUGHT, TEXT, REFUSAL, CALLS = range(4)
"""Where the parts are: calls from 3 on."""


def text(value: Any) -> str:
    """A text, or "" for null. Raises TypeError for anything else."""
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError("a text was expected")


class Reader:
    """`taken`: the ids of calls that the conversation has already; `error` and `usage` are the plugin's."""

    def __init__(self, error: Any, usage: Any, taken: set[str]) -> None:
        self.error, self.usage, self.taken = error, usage, taken
        self.started = self.finished = False
        self.calls: dict[Any, int] = {}
        self.last: Any = None
        self.refusal: list[str] = []

    def read(self, frame: b.Frame) -> list[b.Event]:
        """The events of a frame. Raises a ProviderError for what is none of the dialect."""
        try:
            return self.events(frame.data)
        except HOSTILE as error:
            problem = type(error).__name__
        raise b.ProtocolError(f"the answer is not shaped like one ({problem})")

    def events(self, data: Any) -> list[b.Event]:
        """A document or a chunk; what is neither is passed over."""
        if data.get("error"):
            raise self.error(data, None)
        choices = data.get("choices") or []
        if len(choices) > 1 or (choices and choices[0].get("index") not in (0, None)):
            raise b.ProtocolError("more than one choice")
        found: list[b.Event] = []
        if not self.started and (choices or data.get("usage")):
            self.started = True
            found.append(b.Started(text(data.get("id")) or None, text(data.get("model")) or None))
        for choice in choices:
            found += self.said(choice.get("message") or choice.get("delta") or {}, "message" in choice)
        if data.get("usage"):
            found.append(b.UsageReported(self.usage(data["usage"])))
        if choices and choices[0].get("finish_reason") is not None and not self.finished:
            found += self.end(text(choices[0]["finish_reason"]))
        return found

    def said(self, delta: Mapping[str, Any], whole: bool) -> Iterator[b.Event]:
        """Content of a message, or a piece of it."""
        if text(delta.get("reasoning_content")):
            yield b.ReasoningDelta(THOUGHT, delta["reasoning_content"])
        if text(delta.get("reasoning_signature")):
            signature = {"signature": delta["reasoning_signature"]}
            yield b.StateAttached(THOUGHT, b.Opaque("reference", "chat", signature))
        if text(delta.get("content")):
            yield b.TextDelta(TEXT, delta["content"])
        self.refusal.append(text(delta.get("refusal")))
        for place, piece in enumerate(delta.get("tool_calls") or ()):
            yield from self.call(piece, place if whole else None)

    def call(self, piece: Mapping[str, Any], place: int | None) -> Iterator[b.Event]:
        """A piece of a call: by its index, else by its id, else of the last one."""
        key = piece.get("index", place)
        self.last = key = key if key is not None else piece.get("id") or self.last
        function = piece.get("function") or {}
        if key not in self.calls:
            if not text(function.get("name")):
                raise b.ProtocolError("a call without a name")
            self.calls[key] = CALLS + len(self.calls)
            yield b.ToolCallStarted(self.calls[key], self.id_of(piece), function["name"])
        if text(function.get("arguments")):
            yield b.ToolCallDelta(self.calls[key], function["arguments"])

    def id_of(self, piece: Mapping[str, Any]) -> str:
        """The call's own id, else a new one."""
        number, id = len(self.calls), text(piece.get("id"))
        while not id or id in self.taken:
            id, number = f"call_{number}", number + 1
        self.taken.add(id)
        return id

    def end(self, raw: str) -> list[b.Event]:
        """The terminal marker."""
        if not raw:
            raise b.ProtocolError("the finish is no word")
        self.finished = True
        refusal = "".join(self.refusal)
        if refusal:
            block = {"type": "refusal", "refusal": refusal}
            return [b.PartAdded(REFUSAL, b.Opaque("reference", "chat", block)), b.Finished("refusal", raw)]
        return [b.Finished(REASONS.get(raw, "other"), raw)]
