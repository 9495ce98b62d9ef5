"""Tool calls as they grow, whatever the server thinks of indexes, ids and names.

A piece belongs to the open call with its index; without an index to the call with its id, else to the last one. A new
id, or a name after arguments that are already whole, opens another call, whatever the index says: several servers send
index 0 for all of them, or none. Each call gets one id that is unique in the conversation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from byollm.plugin import Event, Opaque, ProtocolError, StateAttached, ToolCallDelta, ToolCallStarted, dump_json

FIRST_CALL: Final = 3
"""The index of the first tool call among the parts; reasoning, text and refusal stand before it."""
_KNOWN: Final = frozenset({"index", "id", "type", "function", "custom"})


class _Call:
    __slots__ = ("blank", "held", "id", "index", "key", "name", "pieces", "started", "state")

    def __init__(self, index: int, key: Any, id: str) -> None:
        self.index = index
        self.key = key
        self.id = id
        self.name = ""
        self.pieces: list[str] = []
        self.started = False
        self.blank = True
        self.held = False
        self.state: dict[str, Any] = {}

    @property
    def whole(self) -> bool:
        """Its arguments are a complete JSON document already."""
        text = "".join(self.pieces)
        if not text.strip():
            return False
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True


class ToolCalls:
    """All tool calls of one answer. `taken` are the ids that the conversation has already."""

    __slots__ = ("_calls", "_provider", "_taken")

    def __init__(self, provider: str, taken: Iterable[str] = ()) -> None:
        self._calls: list[_Call] = []
        self._provider = provider
        self._taken = set(taken)

    @property
    def started(self) -> bool:
        """There is a call that was told."""
        return any(call.started for call in self._calls)

    def take(self, piece: Mapping[str, Any], *, alone: bool = False) -> list[Event]:
        """A piece of a call, or with `alone` a whole one, as events."""
        function = piece.get("function") or piece.get("custom") or {}
        name, id = function.get("name") or "", piece.get("id")
        if not isinstance(name, str) or not isinstance(id, str | int | None):
            raise ProtocolError("a tool call has a name or an id that is no text")
        id = "" if id is None else str(id)
        arguments = _text(function.get("arguments") if "arguments" in function else function.get("input"))
        call = None if alone else self._find(piece.get("index"), id, name, arguments)
        if call is None:
            call = _Call(FIRST_CALL + len(self._calls), piece.get("index"), id)
            self._calls.append(call)
        call.id = call.id or id
        call.name = call.name or name
        self._keep_state(call, piece)
        return self._grow(call, arguments)

    def _find(self, key: Any, id: str, name: str, arguments: str) -> _Call | None:
        if not self._calls:
            return None
        last = self._calls[-1]
        if key is not None:
            call = next((known for known in reversed(self._calls) if known.key == key), None)
        elif id:
            call = next((known for known in reversed(self._calls) if known.id == id), None)
            if call is None and not name and not last.whole:
                return last  # some servers make up a new id for every piece
        else:
            call = last
        if call is None:
            return None
        other = bool(id and call.id and id != call.id)
        if not name:
            return None if other and call.whole else call
        if other:
            return None
        if name == call.name or not call.name:
            return call if not arguments.strip() or (id and id == call.id) or not call.whole else None
        return None if call.whole or call.blank else call

    def _grow(self, call: _Call, arguments: str) -> list[Event]:
        if arguments:
            if call.blank and arguments.strip():
                call.blank = False
                # JSON inside a JSON string can only be undone when it is whole.
                call.held = arguments.lstrip()[:1] == '"'
            call.pieces.append(arguments)
        if not call.name:
            return []
        events: list[Event] = []
        if not call.started:
            call.started = True
            call.id = self._unique(call)
            events.append(ToolCallStarted(call.index, call.id, call.name))
            arguments = "".join(call.pieces)
        if arguments and not call.held:
            events.append(ToolCallDelta(call.index, arguments))
        return events

    def _unique(self, call: _Call) -> str:
        id, number = call.id, call.index - FIRST_CALL
        while not id or id in self._taken:
            number += 1
            id = f"call_{number}"
        self._taken.add(id)
        return id

    def _keep_state(self, call: _Call, piece: Mapping[str, Any]) -> None:
        extra = {key: value for key, value in piece.items() if key not in _KNOWN and value is not None}
        if "custom" in piece and "function" not in piece:
            extra["type"] = "custom"
        call.state.update(extra)

    def end(self) -> list[Event]:
        """What only the end of the answer completes. Raises ProtocolError for a call that never got a name."""
        events: list[Event] = []
        for call in self._calls:
            if not call.started and call.pieces:
                raise ProtocolError("the answer holds a tool call without a name")
            if call.held:
                events.append(ToolCallDelta(call.index, _unwrapped("".join(call.pieces))))
                call.held = False
            if call.state and call.started:
                events.append(StateAttached(call.index, Opaque(self._provider, "chat", call.state)))
        return events


def _text(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else dump_json(arguments).decode()


def _unwrapped(text: str) -> str:
    try:
        inner = json.loads(text)
        wrapped = isinstance(inner, str) and isinstance(json.loads(inner), dict)
    except (ValueError, RecursionError):
        return text
    return str(inner) if wrapped else text
