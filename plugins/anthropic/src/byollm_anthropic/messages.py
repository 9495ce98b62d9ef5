"""The conversation: turns, roles, and the system prompt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from byollm.plugin import Message, Opaque, Request, Text, UnsupportedFeatureError
from byollm_anthropic.blocks import Block, Blocks, cache_control, plain
from byollm_anthropic.families import Family
from byollm_anthropic.notes import Notes

FILLER: Final = "."
"""Stands for a user who has not spoken: a conversation starts with one."""

Turn = dict[str, Any]


def conversation(
    request: Request, family: Family, blocks: Blocks, notes: Notes
) -> tuple[str | list[Block] | None, list[Turn]]:
    """The top-level system prompt and the messages. Raises UnsupportedFeatureError for what the wire cannot say."""
    messages = list(request.conversation)
    system: list[Block] = []
    while messages and messages[0].role in ("system", "developer"):
        system += _instructions(messages.pop(0))
    turns = _merged(_unblanked(list(_turns(messages, family, blocks, notes)), notes))
    while turns and turns[0][0] == "system":  # what stood before it was blank
        system += turns.pop(0)[1]
    if blocks.dropped_thinking:
        notes.add("messages", "dropped", "this request does not think, and thinking of earlier turns is refused then")
    if not turns and not system:
        raise UnsupportedFeatureError("the conversation is empty; nothing was sent", field="messages")
    if not turns or turns[0][0] == "assistant":
        turns.insert(0, ("user", [{"type": "text", "text": FILLER}]))
        notes.add("messages", "emulated", f"a conversation starts with the user, who was made to say {FILLER!r}")
    if turns[-1][0] == "assistant":
        _strip_prefill(turns)
    return plain(system) if system else None, [{"role": role, "content": plain(content)} for role, content in turns]


def _turns(
    messages: Iterable[Message], family: Family, blocks: Blocks, notes: Notes
) -> Iterable[tuple[str, list[Block]]]:
    waiting = False
    for message in messages:
        if message.role in ("system", "developer"):
            content = _instructions(message)
            if content and family.inline_system and not waiting:
                yield "system", content
            elif content:
                notes.add("messages", "emulated", "a system message in mid-conversation is sent as marked user text")
                yield "user", [{**block, "text": f"<system>\n{block['text']}\n</system>"} for block in content]
            continue
        role = "assistant" if message.role == "assistant" else "user"
        made = [block for block in (blocks.block(part, role) for part in message.parts) if block is not None]
        waiting = any(block.get("type") == "tool_use" for block in made) if role == "assistant" else False
        yield role, made


def _unblanked(turns: list[tuple[str, list[Block]]], notes: Notes) -> list[tuple[str, list[Block]]]:
    """No turn vanishes in silence. A user's stays one: left out, the answer before it would be asked to go on."""
    if not any(content for _, content in turns) or all(content for _, content in turns):
        return turns
    if any(not content and role == "user" for role, content in turns):
        notes.add("messages", "emulated", f"the server refuses blank text: a blank turn is sent as {FILLER!r}")
    if any(not content and role == "assistant" for role, content in turns):
        notes.add("messages", "dropped", "an answer without anything this server takes is left out")
    filler: Block = {"type": "text", "text": FILLER}
    return [(role, content or ([dict(filler)] if role == "user" else [])) for role, content in turns]


def _instructions(message: Message) -> list[Block]:
    found: list[Block] = []
    for part in message.parts:
        if isinstance(part, Opaque):
            continue
        if not isinstance(part, Text):
            what = type(part).__name__.lower()
            raise UnsupportedFeatureError(f"a system message cannot hold a {what}; nothing was sent", field="messages")
        if part.text.strip():
            block: Block = {"type": "text", "text": part.text}
            found.append(block if part.cache is None else {**block, "cache_control": cache_control(part.cache)})
    return found


def _merged(turns: Iterable[tuple[str, list[Block]]]) -> list[tuple[str, list[Block]]]:
    merged: list[tuple[str, list[Block]]] = []
    for role, content in turns:
        if not content:
            continue
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(content)
        else:
            merged.append((role, content))
    for role, content in merged:
        if role == "user":  # results must come before anything else in the turn that answers the calls
            content.sort(key=lambda block: block.get("type") != "tool_result")
    return merged


def _strip_prefill(turns: list[tuple[str, list[Block]]]) -> None:
    last = turns[-1][1][-1]
    if last.get("type") == "text":
        last["text"] = last["text"].rstrip()  # "final assistant content cannot end with trailing whitespace"
