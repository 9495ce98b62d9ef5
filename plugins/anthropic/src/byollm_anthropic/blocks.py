"""Parts of a message into content blocks."""

from __future__ import annotations

from collections.abc import Mapping
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
from byollm_anthropic.host import Host
from byollm_anthropic.names import Names, wire_id

IMAGE_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""What an image block takes (wire facts of the Messages API, read 2026-11-21)."""
THINKING: Final = ("thinking", "redacted_thinking")

Block = dict[str, Any]


class Blocks:
    """Makes blocks for one request. `keep_thinking` is False where the request switches thinking off."""

    __slots__ = ("dropped_thinking", "host", "keep_thinking", "names")

    def __init__(self, host: Host, names: Names, keep_thinking: bool) -> None:
        self.host = host
        self.names = names
        self.keep_thinking = keep_thinking
        self.dropped_thinking = False

    def block(self, part: Part, role: str) -> Block | None:
        """The block of one part, or None for what is not sent. Raises UnsupportedFeatureError."""
        if isinstance(part, Text):
            return self.text(part, role)
        if isinstance(part, ToolCall):
            return self.tool_use(part)
        if isinstance(part, ToolResult):
            return self.tool_result(part)
        if isinstance(part, Reasoning):
            return self.thinking(part)
        if isinstance(part, Opaque):
            return self.opaque(part)
        if isinstance(part, Citation):
            return None  # the text it belongs to carries it as state
        if isinstance(part, Document) and role == "assistant" and not self.host.samples:
            raise _cannot("put a document into an assistant turn under this API version")
        return self.media(part)

    def text(self, part: Text, role: str) -> Block | None:
        """A text block; blank text is refused by the server and is left out."""
        if not part.text.strip():
            return None
        block = self._with({"type": "text", "text": part.text}, part)
        if role != "assistant":
            block.pop("citations", None)  # 2026-10-21 answers 400 to them in a user turn
        return block

    def thinking(self, part: Reasoning) -> Block | None:
        """A thinking block goes back byte-exact or not at all: without its signature it is refused."""
        state = part.state
        if not self.host.owns(state) or state is None or not isinstance(state.data, Mapping):
            return None
        if not self.keep_thinking:
            self.dropped_thinking = True
            return None
        return {"type": "thinking", "thinking": part.text, **state.data}

    def opaque(self, part: Opaque) -> Block | None:
        """A block of this dialect, as it came."""
        if not self.host.owns(part) or not isinstance(part.data, Mapping):
            return None
        if part.data.get("type") in THINKING and not self.keep_thinking:
            self.dropped_thinking = True
            return None
        return dict(part.data)

    def tool_use(self, part: ToolCall) -> Block:
        """A tool call. Raises OutputInvalidError when its arguments are no JSON object."""
        call = {"type": "tool_use", "id": wire_id(part.id), "name": self.names.wire(part.name), "input": part.args}
        return self._with(call, part)

    def tool_result(self, part: ToolResult) -> Block:
        """A tool's answer. An empty list of content is refused, so it is left out."""
        result: Block = {"type": "tool_result", "tool_use_id": wire_id(part.id)}
        content = [block for block in (self.block(inner, "user") for inner in part.parts) if block is not None]
        if content:
            result["content"] = plain(content)
        if part.is_error:
            result["is_error"] = True
        return self._with(result, part)

    def media(self, part: Image | Document | Audio) -> Block:
        """An image or a document. Raises UnsupportedFeatureError for audio and for types the wire does not know."""
        if isinstance(part, Audio):
            raise _cannot("listen to audio", "audio")
        source = _source(part)
        if isinstance(part, Image):
            return self._with({"type": "image", "source": source}, part)
        document: Block = {"type": "document", "source": source}
        if part.name is not None:
            document["title"] = part.name
        return self._with(document, part)

    def _with(self, block: Block, part: Text | Image | Document | ToolCall | ToolResult) -> Block:
        state = getattr(part, "state", None)
        if state is not None and self.host.owns(state) and isinstance(state.data, Mapping):
            block.update(state.data)
        if part.cache is not None:
            block["cache_control"] = cache_control(part.cache)
        return block


def cache_control(hint: str) -> Block:
    """A cache hint as a breakpoint; words other than the two lifetimes mean the default, five minutes."""
    return {"type": "ephemeral", "ttl": hint} if hint in ("5m", "1h") else {"type": "ephemeral"}


def plain(blocks: list[Block]) -> str | list[Block]:
    """A string where a single bare text says it all; the two are the same to the server."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"} and blocks[0]["type"] == "text":
        text: str = blocks[0]["text"]
        return text
    return blocks


def _source(part: Image | Document) -> Block:
    media = part.media
    if media.url is not None:
        if not media.url.startswith(("https://", "http://")):
            raise _cannot(f"fetch {media.url.partition('://')[0]}:// addresses")
        return {"type": "url", "url": media.url}
    kind = media.media_type
    if isinstance(part, Image):
        if kind not in IMAGE_TYPES:
            raise _cannot(f"read images of type {kind}", "images", "convert it to image/png or image/jpeg")
        return {"type": "base64", "media_type": kind, "data": media.base64}
    if kind is not None and kind.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": _decoded(media.base64 or "")}
    if kind != "application/pdf":
        raise _cannot(f"read documents of type {kind}", "documents", "pass a PDF, or the text itself")
    return {"type": "base64", "media_type": kind, "data": media.base64}


def _decoded(text: str) -> str:
    import base64

    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        problem = _cannot("read a text document that is not UTF-8", "documents")
    raise problem


def _cannot(what: str, field: str = "messages", hint: str = "") -> UnsupportedFeatureError:
    return UnsupportedFeatureError(f"the Messages API cannot {what}; nothing was sent", field=field, hint=hint)
