"""Messages into `system` and `messages`: alternating turns, tool results first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from byollm.plugin import Message, Opaque, Request, Text, UnsupportedFeatureError
from byollm_bedrock.blocks import Block, Blocks, cache_point
from byollm_bedrock.notes import Notes

FILLER: Final = "."
"""Stands for somebody who has not spoken, where the wire wants a turn or a text."""
_BULKY: Final = ("document", "video")

Turn = tuple[str, list[Block]]


def conversation(request: Request, blocks: Blocks, notes: Notes) -> tuple[list[Block], list[dict[str, Any]]]:
    """The system blocks and the turns. Raises UnsupportedFeatureError for what the wire cannot say."""
    messages = list(request.conversation)
    system: list[Block] = []
    while messages and messages[0].role in ("system", "developer"):
        system += _instructions(messages.pop(0), blocks)
    turns = _merged(_unblanked(list(_turns(messages, blocks, notes)), notes))
    if blocks.dropped_thinking:
        notes.add("messages", "dropped", "this request does not think, and thinking of earlier turns is refused then")
    if not turns and not system:
        raise UnsupportedFeatureError("the conversation is empty; nothing was sent", field="messages")
    if not turns or (turns[0][0] == "assistant" and not blocks.family.first):
        turns.insert(0, ("user", [{"text": FILLER}]))
        notes.add("messages", "emulated", f"a conversation starts with the user, who was made to say {FILLER!r}")
    turns = [split for turn in turns for split in _apart(turn, blocks.family.alone, notes)]
    for role, content in turns:
        if role == "user" and any("document" in block for block in content) and not _speaks(content):
            content.append({"text": FILLER})
            notes.add("messages", "emulated", f"a document wants a text beside it: {FILLER!r} was added")
    if turns[-1][0] == "assistant" and "text" in turns[-1][1][-1]:
        turns[-1][1][-1]["text"] = turns[-1][1][-1]["text"].rstrip()  # trailing white space is refused there
    return system, [{"role": role, "content": content} for role, content in turns]


def _turns(messages: Iterable[Message], blocks: Blocks, notes: Notes) -> Iterator[Turn]:
    for message in messages:
        if message.role in ("system", "developer"):
            said = [block for block in _instructions(message, blocks) if "text" in block]
            if said:
                notes.add("messages", "emulated", "a system message in mid-conversation is sent as marked user text")
                yield "user", [{"text": f"<system>\n{block['text']}\n</system>"} for block in said]
            continue
        role = "assistant" if message.role == "assistant" else "user"
        yield role, [block for part in message.parts for block in blocks.made(part)]


def _instructions(message: Message, blocks: Blocks) -> list[Block]:
    found: list[Block] = []
    for part in message.parts:
        if isinstance(part, Opaque):
            continue
        if not isinstance(part, Text):
            what = type(part).__name__.lower()
            raise UnsupportedFeatureError(f"a system message cannot hold a {what}; nothing was sent", field="messages")
        if part.text.strip():
            found.append({"text": part.text})
            if part.cache is not None and not blocks.family.cache.refused:
                found.append(cache_point(part.cache))
    return found


def _unblanked(turns: list[Turn], notes: Notes) -> list[Turn]:
    """No turn vanishes in silence. A user's stays one: left out, the answer before it would be asked to go on."""
    if not any(content for _, content in turns) or all(content for _, content in turns):
        return turns
    if any(not content and role == "user" for role, content in turns):
        notes.add("messages", "emulated", f"the server refuses blank text: a blank turn is sent as {FILLER!r}")
    if any(not content and role == "assistant" for role, content in turns):
        notes.add("messages", "dropped", "an answer without anything this server takes is left out")
    return [(role, content or ([{"text": FILLER}] if role == "user" else [])) for role, content in turns]


def _merged(turns: Iterable[Turn]) -> list[Turn]:
    merged: list[Turn] = []
    for role, content in turns:
        if not content:
            continue
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(content)
        else:
            merged.append((role, content))
    for role, content in merged:
        if role == "user":  # all results of a turn stand before anything else in the turn that answers it
            content[:] = _results_first(content)
    return merged


def _results_first(content: list[Block]) -> list[Block]:
    """A cache point stays behind what it stands behind."""
    groups: list[list[Block]] = []
    for block in content:
        if "cachePoint" in block and groups:
            groups[-1].append(block)
        else:
            groups.append([block])
    groups.sort(key=lambda group: "toolResult" not in group[0])
    return [block for group in groups for block in group]


def _apart(turn: Turn, alone: str, notes: Notes) -> list[Turn]:
    """What may not stand beside tool results gets a turn of its own, with an assistant's between the two."""
    role, content = turn
    if not alone or not any("toolResult" in block for block in content):
        return [turn]
    stays = ("toolResult", "cachePoint") if alone == "anything" else ()
    here = [block for block in content if (next(iter(block)) in stays if stays else next(iter(block)) not in _BULKY)]
    there = [block for block in content if not any(block is kept for kept in here)]
    if not there:
        return [turn]
    notes.add(
        "messages", "emulated", f"the model takes that apart from tool results only: an assistant says {FILLER!r}"
    )
    return [(role, here), ("assistant", [{"text": FILLER}]), (role, there)]


def _speaks(content: list[Block]) -> bool:
    return any("text" in block for block in content)
