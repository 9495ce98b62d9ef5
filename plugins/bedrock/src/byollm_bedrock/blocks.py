"""Parts of a message into content blocks of Converse."""

from __future__ import annotations

from typing import Any, Final

from byollm.plugin import (
    Audio,
    Citation,
    Document,
    Image,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    UnsupportedFeatureError,
)
from byollm_bedrock.families import Family
from byollm_bedrock.names import Names
from byollm_bedrock.notes import Notes
from byollm_bedrock.state import HOME, Home

IMAGES: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
AUDIO: Final = {
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/ogg": "ogg",
    "audio/flac": "flac", "audio/aac": "aac", "audio/mp4": "m4a", "audio/webm": "webm", "audio/opus": "opus",
}  # fmt: skip
"""Media type → the wire's word (botocore 1.44.5, read 2026-11-21)."""

Block = dict[str, Any]


class Blocks:
    """Makes blocks for one request. `keep_thinking` is False where the request switches thinking off."""

    __slots__ = ("dropped_thinking", "family", "home", "keep_thinking", "names", "notes")

    def __init__(self, family: Family, names: Names, notes: Notes, *, keep_thinking: bool, home: Home = HOME) -> None:
        self.family = family
        self.home = home
        self.names = names
        self.notes = notes
        self.keep_thinking = keep_thinking
        self.dropped_thinking = False

    def made(self, part: Part) -> list[Block]:
        """The blocks of one part, a cache point behind it included. Raises UnsupportedFeatureError."""
        blocks = self._blocks(part)
        hint = getattr(part, "cache", None)
        if not blocks or hint is None or self.family.cache.refused:
            return blocks
        last = blocks[-1]
        if "document" in last and last["document"].get("format") != "pdf":
            self.notes.add("cache", "dropped", "no cache point may follow a document that is no PDF")
            return blocks
        return [*blocks, cache_point(hint)]

    def _blocks(self, part: Part) -> list[Block]:
        if isinstance(part, Text):
            return self._text(part)
        if isinstance(part, Reasoning):
            return self._reasoning(part)
        if isinstance(part, ToolCall):
            call = {"toolUseId": self.names.call(part.id), "name": self.names.wire(part.name), "input": part.args}
            return [{"toolUse": {**call, **self.home.own(part.state)}}]
        if isinstance(part, ToolResult):
            return self._result(part)
        if isinstance(part, Opaque):
            data = self.home.own(part)
            return [data] if data else []
        return [] if isinstance(part, Citation) else [self.media(part)]

    def _text(self, part: Text) -> list[Block]:
        """Blank text is refused by the servers. A cited one goes back with its citations."""
        if not part.text.strip():
            return []
        citations = self.home.own(part.state).get("citations")
        if citations:
            return [{"citationsContent": {"content": [{"text": part.text}], "citations": citations}}]
        return [{"text": part.text}]

    def _reasoning(self, part: Reasoning) -> list[Block]:
        """A thought goes back byte-exact, with its signature, or not at all."""
        held = self.home.own(part.state)
        if not held:
            return []
        if not self.keep_thinking:
            self.dropped_thinking = True
            return []
        if "redactedContent" in held:
            return [{"reasoningContent": {"redactedContent": held["redactedContent"]}}]
        return [{"reasoningContent": {"reasoningText": {"text": part.text, **held}}}]

    def _result(self, part: ToolResult) -> list[Block]:
        """A tool's answer. Media that the model does not take inside it stand beside it, reported."""
        inside: list[Block] = []
        beside: list[Block] = []
        for inner in part.parts:
            if isinstance(inner, Text):
                inside.append({"text": inner.text})
            elif isinstance(inner, Image | Document | Audio):
                block = self.media(inner)
                (inside if next(iter(block)) in self.family.held else beside).append(block)
        if beside:
            self.notes.add("messages", "emulated", "media of a tool result is sent beside it: the model takes no such")
        result: Block = {"toolUseId": self.names.call(part.id), "content": inside or [{"text": ""}]}
        if part.is_error and not self.family.status.refused:
            result["status"] = "error"
        return [{"toolResult": result}, *beside]

    def media(self, part: Image | Document | Audio) -> Block:
        """An image, a document, a recording. Raises UnsupportedFeatureError for what the wire cannot carry."""
        media = part.media
        what = type(part).__name__.lower()
        if {"image": self.family.images, "document": self.family.documents, "audio": self.family.audio}[what].refused:
            raise _cannot(f"carry {what}s to this model", what if what == "audio" else f"{what}s")
        known = {"image": IMAGES, "document": DOCUMENTS, "audio": AUDIO}[what]
        kind = media.media_type or ""
        word = known.get(kind.partition(";")[0].lower())
        if media.url is not None:
            source: Block = {"s3Location": {"uri": self._address(media.url)}}
            word = word or known.get(_by_ending(media.url, known))
        else:
            source = {"bytes": "".join((media.base64 or "").split())}
        if word is None:
            raise _cannot(f"read {what}s of type {kind or 'unknown'}", f"{what}s" if what != "audio" else what)
        block: Block = {"format": word, "source": source}
        if isinstance(part, Document):
            block["name"] = self.names.title(part.name)
        return {what: block}

    def _address(self, url: str) -> str:
        if not url.startswith("s3://") or not self.family.s3:
            scheme = url.partition("://")[0]
            raise _cannot(f"fetch {scheme}:// addresses for this model", "messages", "pass the bytes: Image(data)")
        return url


def cache_point(hint: str) -> Block:
    """A cache hint as a block of its own; words other than the two lifetimes mean the default, five minutes."""
    return {"cachePoint": {"type": "default", **({"ttl": hint} if hint in ("5m", "1h") else {})}}


def _by_ending(url: str, known: dict[str, str]) -> str:
    ending = url.rpartition(".")[2].lower()
    return next((kind for kind, word in known.items() if word == {"jpg": "jpeg"}.get(ending, ending)), "")


def _cannot(what: str, field: str, hint: str = "") -> UnsupportedFeatureError:
    return UnsupportedFeatureError(f"Converse cannot {what}; nothing was sent", field=field, hint=hint)
