"""What a model thinks aloud, in whichever field a server puts it, and what must be sent back for it.

Some servers send the same thought in two fields: the first that holds text is taken, never both. The state kept on
the part says which field it was, and keeps `reasoning_details` whole and in order, as OpenRouter wants them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Event, Opaque, ReasoningDelta, StateAttached, TextDelta
from byollm_openai_compatible.profile import Quirks

REASONING, TEXT = 0, 1
_FIELDS: Final = ("reasoning", "reasoning_content")
FIELDS: Final = frozenset({*_FIELDS, "reasoning_details"})
"""Where a message or delta may hold thoughts, beside its content."""
_GROWING: Final = ("text", "summary", "data")
OPEN, CLOSE = "<think>", "</think>"


class Thoughts:
    """The reasoning of one answer, and its text as far as thoughts stand in it."""

    __slots__ = ("_details", "_field", "_provider", "_said", "_state", "_tags")

    def __init__(self, quirks: Quirks, provider: str) -> None:
        self._provider = provider
        self._details: list[dict[str, Any]] = []
        self._field = ""
        self._said = False
        self._state: dict[str, Any] = {}
        self._tags = ThinkTags() if quirks.think_tags else None

    def take(self, message: Mapping[str, Any], events: list[Event]) -> None:
        """The thoughts of a message or delta."""
        details = message.get("reasoning_details")
        if details:
            self._keep(details)
        for name in _FIELDS:
            thought = message.get(name)
            if thought:
                self._field = self._field or name
                self._say(thought if isinstance(thought, str) else _texts(thought), events)
                return
        if details:
            self._say(_texts(details), events)

    def chunk(self, block: Mapping[str, Any], events: list[Event]) -> None:
        """Mistral's thinking chunk: a list of texts inside the content."""
        self._field = "content"
        thinking = block.get("thinking")
        extra = {key: value for key, value in block.items() if key not in ("type", "thinking", "closed") and value}
        if extra:
            self._state.update(extra)
        self._say(thinking if isinstance(thinking, str) else _texts(thinking), events)

    def text(self, text: str, events: list[Event]) -> None:
        """Text of the answer; with think tags, what stands between them is a thought."""
        if self._tags is None:
            if text:
                events.append(TextDelta(TEXT, text))
            return
        self._split(self._tags.feed(text), events)

    def end(self, events: list[Event]) -> None:
        """What only the end completes: text held back, and the state to send back."""
        if self._tags is not None:
            self._split(self._tags.end(), events)
        state = dict(self._state)
        if self._field:
            state["field"] = self._field
        if self._details:
            state["reasoning_details"] = self._details
        if state and (self._said or self._details):
            events.append(StateAttached(REASONING, Opaque(self._provider, "chat", state)))

    def _split(self, pieces: list[tuple[bool, str]], events: list[Event]) -> None:
        for thought, text in pieces:
            if thought:
                self._say(text, events)
            else:
                events.append(TextDelta(TEXT, text))

    def _say(self, text: str, events: list[Event]) -> None:
        if text:
            self._said = True
            events.append(ReasoningDelta(REASONING, text))

    def _keep(self, details: Any) -> None:
        for detail in details:
            if not isinstance(detail, dict):
                continue
            last = self._details[-1] if self._details else None
            if last is None or _place(last) != _place(detail) or "index" not in detail:
                self._details.append(dict(detail))
                continue
            for name, value in detail.items():
                if name in _GROWING and isinstance(value, str) and isinstance(last.get(name), str):
                    last[name] += value
                elif value is not None:
                    last[name] = value


def _place(detail: Mapping[str, Any]) -> tuple[Any, Any]:
    return detail.get("type"), detail.get("index")


def _texts(blocks: Any) -> str:
    if isinstance(blocks, str):
        return blocks
    if isinstance(blocks, Mapping):
        blocks = (blocks,)
    found = [
        block if isinstance(block, str) else block.get("text") or block.get("summary") or "" for block in blocks or ()
    ]
    return "".join(text for text in found if isinstance(text, str))


class ThinkTags:
    """Splits text at `<think>` and `</think>`, wherever the pieces were cut.

    A template may have written the opening tag into the prompt, so that only the closing one arrives: what came before
    it was shown as text by then, and stays text. Blank lines after the closing tag belong to neither.
    """

    __slots__ = ("_fresh", "_held", "_thinking")

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False
        self._fresh = False

    def feed(self, text: str) -> list[tuple[bool, str]]:
        """Pairs (is a thought, text)."""
        text, self._held = self._held + text, ""
        found: list[tuple[bool, str]] = []
        while text:
            tag = CLOSE if self._thinking else OPEN
            before, met, after = text.partition(tag)
            if not met:
                keep = _overlap(text, tag)
                before, self._held = text[: len(text) - keep], text[len(text) - keep :]
            self._add(found, before)
            if not met:
                break
            self._thinking, self._fresh, text = not self._thinking, True, after
        return found

    def end(self) -> list[tuple[bool, str]]:
        """What was held back because it might have been a tag."""
        text, self._held = self._held, ""
        return [(self._thinking, text)] if text else []

    def _add(self, found: list[tuple[bool, str]], text: str) -> None:
        if self._fresh:
            text = text.lstrip("\n")
        if text:
            self._fresh = False
            found.append((self._thinking, text))


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` might be the beginning of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-size:])), 0)
