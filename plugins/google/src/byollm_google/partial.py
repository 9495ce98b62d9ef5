"""A function call whose arguments come in pieces: Vertex does so when `streamFunctionCallArguments` is set.

Each piece names its place by a JSON path (`$.list[0].name`) and holds a value; a text may go on in the next piece.
Source: google-genai 3.4.0's `FunctionCall` and `PartialArg`, and Vertex's reference, read 2026-11-22.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from byollm.plugin import ProtocolError, checked, dump_json

_STEP: Final = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,6})\]|\['([^']*)'\]|\["([^"]*)"\]""")
_VALUES: Final = ("stringValue", "numberValue", "boolValue", "nullValue")


class PartialCall:
    """One call while it grows. `state` is what goes back with it."""

    __slots__ = ("_arguments", "_path", "_place", "_text", "index", "state")

    def __init__(self, index: int, state: dict[str, Any]) -> None:
        self.index = index
        self.state = state
        self._arguments: dict[str, Any] = {}
        self._path = ""  # of the text that goes on
        self._place: tuple[Any, str | int] = (self._arguments, "")
        self._text: list[str] = []

    @property
    def arguments(self) -> str:
        """What has arrived, as JSON text."""
        self._whole()
        return dump_json(self._arguments).decode()

    def take(self, call: Mapping[str, Any]) -> None:
        """The pieces of one part. Raises ProtocolError for a piece that has no place."""
        self._arguments.update(checked.mapping(call.get("args") or {}, "functionCall.args"))
        pieces = call.get("partialArgs") or ()
        if not isinstance(pieces, list | tuple):
            raise ProtocolError("partialArgs is not a list")
        for piece in pieces:
            self._piece(checked.mapping(piece, "a partial argument"))

    def _piece(self, piece: Mapping[str, Any]) -> None:
        path = checked.text(piece.get("jsonPath"), "jsonPath")
        name = next((name for name in _VALUES if piece.get(name) is not None), "stringValue")
        value: Any = piece.get(name, "")
        if path != self._path or name != "stringValue":
            self._whole()
            self._place = self._found(_steps(path))
        if name == "stringValue":
            self._text.append(checked.text(value, name))
        elif name == "nullValue":
            value = None
        elif name == "numberValue" and isinstance(value, float) and value.is_integer():
            value = int(value)
        self._path = path if name == "stringValue" and piece.get("willContinue") else ""
        if not self._text:
            _put(*self._place, value)
        elif not self._path:
            self._whole()

    def _found(self, steps: list[str | int]) -> tuple[Any, str | int]:
        """The object or list that holds the last step, made on the way, and that step."""
        holder: Any = self._arguments
        for step, following in pairwise(steps):
            holder = _inside(holder, step, [] if isinstance(following, int) else {})
        return holder, steps[-1]

    def _whole(self) -> None:
        """A text that grew is put where it belongs."""
        if self._text:
            _put(*self._place, "".join(self._text))
            self._text, self._path = [], ""


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 1
    while path[:1] == "$" and (match := _STEP.match(path, at)) is not None:
        steps.append(int(match[2]) if match[2] else next(name for name in match.group(1, 3, 4) if name is not None))
        at = match.end()
    if not steps or at != len(path) or isinstance(steps[0], int):
        raise ProtocolError("a piece of a function call's arguments names no place in them")
    return steps


def _inside(holder: Any, step: str | int, new: Any) -> Any:
    """What stands at `step`, put there first if nothing does."""
    if isinstance(step, int) and isinstance(holder, list) and step < len(holder):
        return holder[step]
    if isinstance(step, str) and isinstance(holder, dict) and step in holder:
        return holder[step]
    _put(holder, step, new)
    return new


def _put(holder: Any, step: str | int, value: Any) -> None:
    named = isinstance(step, str) and isinstance(holder, dict)
    if named or (isinstance(step, int) and isinstance(holder, list) and step < len(holder)):
        holder[step] = value
    elif isinstance(step, int) and isinstance(holder, list) and step == len(holder):
        holder.append(value)
    else:
        raise ProtocolError("a piece of a function call's arguments does not fit those before it")
