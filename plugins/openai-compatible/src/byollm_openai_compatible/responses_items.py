"""The output items of a Responses answer as parts, each once, whether it grew before our eyes or came whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from byollm.plugin import (
    Citation,
    Event,
    Image,
    Opaque,
    PartAdded,
    ProtocolError,
    ReasoningDelta,
    StateAttached,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    dump_json,
)

ITEM_WIDTH: Final = 1000
"""An item's parts have the indexes from `place * ITEM_WIDTH` on."""
FIRST_CITATION: Final = 1_000_000_000
_TEXTS: Final = ("output_text", "text")
"""What a text is called: in the API itself, and by servers that keep Chat's word."""
_CALLS: Final = {"function_call": "arguments", "custom_tool_call": "input"}


class Items:
    """All items of one answer. `taken` are the ids of the tool calls in the history."""

    __slots__ = (
        "_argued", "_citations", "_finished", "_kinds", "_provider", "_said", "_taken", "_thoughts", "calls", "refused",
    )  # fmt: skip

    def __init__(self, provider: str, taken: Iterable[str]) -> None:
        self._provider = provider
        self._taken = set(taken)
        self._said: dict[int, list[str]] = {}
        self._argued: dict[int, list[str]] = {}
        self._thoughts: dict[int, tuple[str, int]] = {}
        self._finished: dict[int, Any] = {}
        self._kinds: dict[int, str] = {}
        self._citations = 0
        self.calls = 0
        self.refused = False

    def claim(self, index: int, kind: str) -> None:
        """A part is of one kind, and what comes whole comes once. Raises ProtocolError."""
        known = self._kinds.setdefault(index, kind)
        if known != kind:
            raise ProtocolError(f"two parts of the answer, {known} and {kind}, are in one place")
        if kind == "whole":
            self._kinds[index] = "a whole part"

    # while it grows

    def said(self, index: int, text: str) -> None:
        """Text of a content part went out."""
        before = self._said.get(index)
        if before is None:
            self.claim(index, "text")
            before = self._said[index] = []
        before.append(text)

    def thought(self, index: int, kind: str, number: int, text: str) -> str:
        """The piece of a thought to give out: of the first kind seen, a blank line between its sections."""
        last = self._thoughts.get(index)
        if not text or (last is not None and last[0] != kind):
            return ""
        if last is None:
            self.claim(index, "reasoning")
        self._thoughts[index] = (kind, number)
        return f"\n\n{text}" if last is not None and number != last[1] else text

    def argued(self, index: int, piece: str) -> bool:
        """Arguments of a call; False when the call has not begun or there is nothing."""
        if not piece or index not in self._argued:
            return False
        self._argued[index].append(piece)
        return True

    def added(self, place: int, item: Mapping[str, Any]) -> list[Event]:
        """An item begins: a call can be told at once."""
        if item.get("type") in _CALLS and item.get("name"):
            return self._begin(place * ITEM_WIDTH, item)
        return []

    def _begin(self, index: int, item: Mapping[str, Any]) -> list[Event]:
        if index in self._argued:
            return []
        if not item.get("name"):
            raise ProtocolError("the answer holds a tool call without a name")
        self.claim(index, "call")
        self._argued[index] = []
        self.calls += 1
        id, number = str(item.get("call_id") or item.get("id") or ""), self.calls - 1
        while not id or id in self._taken:
            number += 1
            id = f"call_{number}"
        self._taken.add(id)
        return [ToolCallStarted(index, id, str(item["name"]))]

    # when it is whole

    def finished(self, place: int, item: Mapping[str, Any]) -> list[Event]:
        """All that an item holds and that did not go out yet."""
        if place in self._finished:
            return []
        self._finished[place] = item_id(item)
        index, kind = place * ITEM_WIDTH, item.get("type")
        if kind == "message":
            return self._message(index, item)
        if kind == "reasoning":
            return self._reasoning(index, item)
        if kind in _CALLS:
            return self._call(index, item)
        self.claim(index, "whole")
        if kind == "image_generation_call" and isinstance(item.get("result"), str) and item["result"]:
            form = item.get("output_format") or "png"
            return [PartAdded(index, Image(f"data:image/{form};base64,{item['result']}", state=self._opaque(item)))]
        return [PartAdded(index, self._opaque(item))]

    def rest(self, output: Sequence[Mapping[str, Any]]) -> list[Event]:
        """What the finished response holds of items that were not finished before.

        With some finished, their places must be those of the list: some servers number otherwise, or list nothing.
        """
        if any(place >= len(output) or item_id(output[place]) != id for place, id in self._finished.items()):
            return []
        return [event for place, item in enumerate(output) for event in self.finished(place, item)]

    def _opaque(self, data: Any) -> Opaque:
        return Opaque(self._provider, "responses", data)

    def _message(self, index: int, item: Mapping[str, Any]) -> list[Event]:
        around = {key: value for key, value in item.items() if key != "content" and value is not None}
        events: list[Event] = []
        content = item.get("content") or ()
        for number, part in enumerate([{"type": "text", "text": content}] if isinstance(content, str) else content):
            place = index + min(number, ITEM_WIDTH - 1)
            if part.get("type") in _TEXTS:
                events += self._text(place, part, around)
            else:
                self.claim(place, "whole")
                self.refused = self.refused or part.get("type") == "refusal"
                events.append(PartAdded(place, self._opaque({**around, "content": [part]})))
        return events

    def _text(self, index: int, part: Mapping[str, Any], around: Mapping[str, Any]) -> list[Event]:
        text, before = part.get("text") or "", "".join(self._said.get(index, ()))
        events: list[Event] = []
        if text.startswith(before) and len(text) > len(before):
            events.append(TextDelta(index, text[len(before) :]))
        elif not before:
            return []
        self.claim(index, "text")
        if around.get("id") or around.get("phase"):
            rest = {key: value for key, value in part.items() if key not in ("type", "text") and value is not None}
            events.append(StateAttached(index, self._opaque({"item": dict(around), "part": rest})))
        for annotation in part.get("annotations") or ():
            events.append(PartAdded(FIRST_CITATION + self._citations, self._citation(annotation)))
            self._citations += 1
        return events

    def _citation(self, annotation: Mapping[str, Any]) -> Citation:
        start, end = annotation.get("start_index"), annotation.get("end_index")
        return Citation(
            url=annotation.get("url"),
            title=annotation.get("title") or annotation.get("filename"),
            start=start if isinstance(start, int) else None,
            end=end if isinstance(end, int) else None,
            state=None if annotation.get("type") == "url_citation" else self._opaque(annotation),
        )

    def _reasoning(self, index: int, item: Mapping[str, Any]) -> list[Event]:
        self.claim(index, "reasoning")
        events: list[Event] = []
        if index not in self._thoughts:
            text = "\n\n".join(part.get("text") or "" for part in item.get("summary") or item.get("content") or ())
            events += [ReasoningDelta(index, text)] if text else []
        events.append(StateAttached(index, self._opaque(item)))
        return events

    def _call(self, index: int, item: Mapping[str, Any]) -> list[Event]:
        events = self._begin(index, item)
        whole, before = item.get(_CALLS[str(item["type"])]), "".join(self._argued[index])
        text = whole if isinstance(whole, str) else dump_json(whole).decode() if whole is not None else ""
        if text.startswith(before) and len(text) > len(before):
            events.append(ToolCallDelta(index, text[len(before) :]))
        known = {"call_id", "name", "arguments", "input"} | ({"type"} if item["type"] == "function_call" else set())
        state = {key: value for key, value in item.items() if key not in known and value is not None}
        if state:
            events.append(StateAttached(index, self._opaque(state)))
        return events


def item_id(item: Mapping[str, Any]) -> Any:
    """What tells an item from its neighbours: its id, or its kind where it has none."""
    return item.get("id") or item.get("type")
