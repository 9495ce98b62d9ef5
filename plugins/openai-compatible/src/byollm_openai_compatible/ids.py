"""Tool call ids in the form a server insists on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from byollm.plugin import Message, ToolCall, ToolResult

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NINE: Final = re.compile(r"[A-Za-z0-9]{9}")


def kinds_in(messages: Iterable[Message]) -> set[type]:
    """The kinds of parts that a conversation holds, those inside results left out: in most it is text alone."""
    return {type(part) for message in messages for part in message.parts}


def taken_ids(messages: Iterable[Message]) -> tuple[str, ...]:
    """The ids of all tool calls in a conversation."""
    return tuple([part.id for message in messages for part in message.parts if type(part) is ToolCall])


def wire_ids(messages: Iterable[Message], form: str) -> dict[str, str]:
    """Our id → the id to send, for every call and result; empty when any id will do.

    "alnum9" is exactly nine letters or digits (Mistral). Ids of that form stay; others become a digest, the same each
    time, so that a prompt cache still matches. Two ids never become one.
    """
    if not form:
        return {}
    ids = [part.id for message in messages for part in message.parts if isinstance(part, ToolCall | ToolResult)]
    chosen = {id: id for id in ids if _NINE.fullmatch(id)}
    used = set(chosen)
    for id in dict.fromkeys(ids):
        salt = 0
        while id not in chosen:
            candidate = _digest(id, salt)
            if candidate not in used:
                chosen[id] = candidate
                used.add(candidate)
            salt += 1
    return chosen


def _digest(id: str, salt: int) -> str:
    number = int.from_bytes(hashlib.sha256(f"{salt}:{id}".encode("utf-8", "replace")).digest()[:12], "big")
    letters = []
    for _ in range(9):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "".join(letters)
