"""Messages into `systemInstruction` and `contents`: alternating turns, results first, in the order of their calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from byollm.plugin import Message, Opaque, Request, Text, ToolResult, UnsupportedFeatureError
from byollm_google.families import Family
from byollm_google.notes import Notes
from byollm_google.parts import Parts, WirePart, signed

FILLER: Final = "."
"""Stands for a user who has not spoken: "contents are required", and the user comes first."""
_AFTER: Final = 1 << 30
_Ranked = tuple[int, WirePart]


def conversation(
    request: Request, family: Family, parts: Parts, notes: Notes
) -> tuple[list[WirePart], list[dict[str, Any]]]:
    """The parts of the system instruction, and the turns. Raises UnsupportedFeatureError for an empty conversation."""
    messages = list(request.conversation)
    system: list[WirePart] = []
    while messages and messages[0].role in ("system", "developer"):
        system += _instructions(messages.pop(0))
    turns = _merged(_unblanked(list(_turns(messages, parts, notes)), notes))
    if not turns and not system:
        raise UnsupportedFeatureError("the conversation is empty; nothing was sent", field="messages")
    if not turns or turns[0][0] == "model":
        turns.insert(0, ("user", [(_AFTER, {"text": FILLER})]))
        notes.add("messages", "emulated", f"a conversation starts with the user, who was made to say {FILLER!r}")
    if system and not family.system:
        turns[0][1][:0] = [(-1, part) for part in system]
        system = []
    contents = []
    for role, ranked in turns:
        made = [part for _, part in sorted(ranked, key=lambda item: item[0])] if role == "user" else _plain(ranked)
        if role == "model" and family.modern:
            signed(made, notes)
        contents.append({"role": role, "parts": made})
    return system, contents


def _turns(messages: Iterable[Message], parts: Parts, notes: Notes) -> Iterator[tuple[str, list[_Ranked]]]:
    before = ""
    for message in messages:
        if message.role in ("system", "developer"):
            said = _instructions(message)
            if said:
                notes.add("messages", "emulated", "a system message in mid-conversation is sent as marked user text")
                yield "user", [(_AFTER, {"text": f"<system>\n{part['text']}\n</system>"}) for part in said]
            continue
        role = "model" if message.role == "assistant" else "user"
        if role == "model" and before == "user":
            parts.calls.clear()
        before = role
        yield role, [ranked for part in message.parts for ranked in _ranked(part, parts)]


def _unblanked(turns: list[tuple[str, list[_Ranked]]], notes: Notes) -> list[tuple[str, list[_Ranked]]]:
    """No turn vanishes in silence. A user's stays one: left out, the answer before it would be asked to go on."""
    if not any(content for _, content in turns) or all(content for _, content in turns):
        return turns
    if any(not content and role == "user" for role, content in turns):
        notes.add("messages", "emulated", f"the server refuses empty text: an empty turn is sent as {FILLER!r}")
    if any(not content and role == "model" for role, content in turns):
        notes.add("messages", "dropped", "a turn of the model without anything this server takes is left out")
    return [(role, content or ([(_AFTER, {"text": FILLER})] if role == "user" else [])) for role, content in turns]


def _ranked(part: Any, parts: Parts) -> Iterator[_Ranked]:
    rank = parts.calls.get(part.id, (_AFTER,))[0] if isinstance(part, ToolResult) else _AFTER
    for made in parts.made(part):
        yield (rank if "functionResponse" in made else _AFTER), made


def _instructions(message: Message) -> list[WirePart]:
    found: list[WirePart] = []
    for part in message.parts:
        if isinstance(part, Opaque):
            continue
        if not isinstance(part, Text):
            what = type(part).__name__.lower()
            raise UnsupportedFeatureError(f"a system message cannot hold a {what}; nothing was sent", field="messages")
        if part.text:
            found.append({"text": part.text})
    return found


def _merged(turns: Iterable[tuple[str, list[_Ranked]]]) -> list[tuple[str, list[_Ranked]]]:
    merged: list[tuple[str, list[_Ranked]]] = []
    for role, content in turns:
        if not content:
            continue
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(content)
        else:
            merged.append((role, content))
    return merged


def _plain(ranked: list[_Ranked]) -> list[WirePart]:
    return [part for _, part in ranked]
