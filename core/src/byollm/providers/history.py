"""Rules of a conversation that hold for every provider, checked before anything is sent.

Every tool call is answered exactly once, by results that stand directly after it. Opaque state goes back only to the
provider it came from. A conversation ends with the user or with tool results, unless `prefill` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from byollm.errors import UnsupportedFeatureError
from byollm.types.messages import Message
from byollm.types.parts import Opaque, Part, Reasoning, ToolCall, ToolResult


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
    """
    changed = False
    kept: list[Message] = []
    for message in messages:
        if message.role != "assistant" or all(_owned(part, provider, transport) for part in message.parts):
            kept.append(message)
            continue
        changed = True
        parts = tuple(
            part if _owned(part, provider, transport) else _bare(part)
            for part in message.parts
            if not isinstance(part, Opaque) or _owned(part, provider, transport)
        )
        kept.append(replace(message, parts=parts))
    return (tuple(kept), True) if changed else (messages, False)


def _bare(part: Any) -> Any:
    return replace(part, state=None)


def _owned(part: Part, provider: str, transport: str) -> bool:
    state = part if isinstance(part, Opaque) else getattr(part, "state", None)
    return state is None or (state.provider == provider and state.transport == transport)


def drop_empty_turns(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without assistant turns that say nothing: several providers refuse them, none needs them."""
    if all(message.parts or message.role != "assistant" for message in messages):
        return messages
    return tuple(message for message in messages if message.parts or message.role != "assistant")


def has_reasoning(messages: Iterable[Message]) -> bool:
    """Any reasoning in the history."""
    return any(isinstance(part, Reasoning) for message in messages for part in message.parts)


def calls_of(messages: Iterable[Message]) -> list[ToolCall]:
    """All tool calls of the history, in order."""
    return [call for message in messages for call in message.tool_calls]
