"""Rules of a conversation that hold for every provider, checked before anything is sent.

Every tool call is answered exactly once, by results that stand directly after it. Opaque state goes back only to the
provider it came from. A conversation ends with the user or with tool results, unless `prefill` says otherwise.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from byollm.errors import UnsupportedFeatureError
from byollm.types.messages import Message
from byollm.types.parts import Opaque, Part, Text, ToolResult


def is_plain(messages: Iterable[Message]) -> bool:
    """Nothing but text that people wrote, without hints and state: most requests. None of these rules is for them."""
    for message in messages:
        if message.role == "assistant" or message.name is not None:
            return False
        for part in message.parts:
            if type(part) is not Text or part.cache is not None or part.state is not None:
                return False
    return True


def check_pairing(messages: Iterable[Message]) -> None:
    """Raises UnsupportedFeatureError, naming the call, when calls and results do not pair."""
    waiting: dict[str, str] = {}
    for message in messages:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            if result.id not in waiting:
                raise _unpaired(f"the tool result for {result.id!r} answers no call of the turn before")
            del waiting[result.id]
        if waiting and not (results and message.role in ("tool", "user")):
            raise _unanswered(waiting)
        for call in message.tool_calls:
            if call.id in waiting:
                raise _unpaired(f"two tool calls of one turn share the id {call.id!r}")
            waiting[call.id] = call.name
    if waiting:
        raise _unanswered(waiting)


def _unanswered(waiting: dict[str, str]) -> UnsupportedFeatureError:
    call, name = next(iter(waiting.items()))
    return UnsupportedFeatureError(
        f"tool call {call!r} ({name}) is not answered by the next message",
        field="messages",
        hint="append byollm.tool_results(ToolResult(call.id, …)) with one result for each call",
    )


def _unpaired(problem: str) -> UnsupportedFeatureError:
    return UnsupportedFeatureError(
        problem, field="messages", hint="each tool call wants exactly one result, directly after it"
    )


def keep_own_state(messages: tuple[Message, ...], provider: str, transport: str) -> tuple[tuple[Message, ...], bool]:
    """The messages without the opaque state of other providers, and whether anything was taken out.

    The same tuple comes back when nothing changes. Reasoning without its state stays as text for the plugin to decide.
    What the model made for another provider is left out. A block of another dialect that the caller put into a turn of
    their own (a file id, a video) is part of the question: UnsupportedFeatureError.
    """

    def own(part: Part) -> Part | None:
        if isinstance(part, Opaque):
            return part if (part.provider, part.transport) == (provider, transport) else None
        state = getattr(part, "state", None)
        if state is None or (state.provider, state.transport) == (provider, transport):
            return part
        bare: Part = _bare(part)
        return bare

    for message in messages:
        for part in message.parts if message.role != "assistant" else ():
            for asked in (part, *(part.parts if isinstance(part, ToolResult) else ())):
                if isinstance(asked, Opaque) and own(asked) is None and _is_block(asked):
                    raise UnsupportedFeatureError(
                        f"a block of {asked.provider}'s {asked.transport} dialect cannot be sent to {provider}",
                        field="messages",
                        hint="say it in neutral parts: Text, Image, Document, Audio",
                    )
    kept = map_parts(messages, own)
    return kept, kept is not messages


def _bare(part: Any) -> Any:
    return replace(part, state=None)


def _is_block(part: Opaque) -> bool:
    return isinstance(part.data, Mapping) and "type" in part.data


def map_parts(messages: tuple[Message, ...], change: Callable[[Part], Part | None]) -> tuple[Message, ...]:
    """Every part changed, those inside tool results too; None leaves one out. Same objects where nothing changes."""
    changed = tuple(_changed(message, change) for message in messages)
    return messages if all(map(operator.is_, changed, messages)) else changed


def _changed(holder: Any, change: Callable[[Part], Part | None]) -> Any:
    parts = [_changed(part, change) if isinstance(part, ToolResult) else part for part in holder.parts]
    kept = [new for part in parts if (new := change(part)) is not None]
    same = len(kept) == len(holder.parts) and all(map(operator.is_, kept, holder.parts))
    return holder if same else replace(holder, parts=tuple(kept))


def drop_empty_turns(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without assistant turns that say nothing: several providers refuse them, none needs them."""
    if all(message.parts or message.role != "assistant" for message in messages):
        return messages
    return tuple(message for message in messages if message.parts or message.role != "assistant")
