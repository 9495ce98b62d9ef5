"""What the three readers of requests share."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from byollm.types.messages import Message, Role
from byollm.types.parts import Part, ToolResult


def document_of(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises ValueError when it is none."""
    document = json.loads(body.decode("utf-8"))
    if not isinstance(document, dict):
        raise ValueError("the body is no JSON object")
    return document


def in_words(body: bytes, words: Mapping[str, str]) -> bytes:
    """A body in its dialect's own words: `words` are the server's, each with the dialect's; a dot descends."""
    try:
        document = document_of(body)
    except ValueError:
        return body
    for theirs, own in words.items():
        *path, name = theirs.split(".")
        holder: Any = document
        for step in path:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or name not in holder:
            continue
        value = holder.pop(name)
        if not holder and len(path) == 1:
            del document[path[0]]
        *path, name = own.split(".")
        holder = document
        for step in path:
            holder = holder.setdefault(step, {})
        holder[name] = value
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def key_of(headers: Mapping[str, str]) -> str | None:
    """The credential in the headers, without its scheme."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key") or headers.get("api-key")


def path_of(url: str) -> str:
    """The URL's path."""
    return urlsplit(url).path


def media_of(data_uri: str) -> tuple[str | bytes, str | None]:
    """A data: URI as bytes and media type; any other URL as it is."""
    if not data_uri.startswith("data:"):
        return data_uri, None
    head, _, data = data_uri[5:].partition(",")
    return base64.b64decode(data), head.removesuffix(";base64") or None


def cache_of(block: Mapping[str, Any]) -> str | None:
    """The lifetime that a block's cache mark asks for; "default" when it says none, None without a mark."""
    mark = block.get("cache_control") or block.get("prompt_cache_breakpoint")
    return (mark.get("ttl") or "default") if isinstance(mark, Mapping) else None


class Turns:
    """Items of a conversation into messages: neighbours that belong to one turn are joined."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def add(self, role: Role, parts: Iterable[Part], *, join: bool = False, name: str | None = None) -> None:
        """One more item. With `join` it belongs to the turn before when that has the same role."""
        added = tuple(parts)
        if join and self.messages and self.messages[-1].role == role:
            added = (*self.messages.pop().parts, *added)
        self.messages.append(Message(role, added, name))

    def results(self, results: Iterable[ToolResult]) -> None:
        """Tool results: those that stand together are one message."""
        self.add("tool", results, join=True)


def renamed(document: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The members of `document` that `names` (wire name → neutral name) knows, null left out."""
    return {names[key]: value for key, value in document.items() if key in names and value is not None}
