"""Parts of a message into parts of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

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
    parse_json,
)
from byollm_google.families import Family
from byollm_google.host import Host
from byollm_google.names import Names
from byollm_google.notes import Notes

SENTINEL: Final = "skip_thought_signature_validator"
"""Google's documented stand-in for a thought signature that does not exist (wire facts, read 2026-11-21)."""
RESULT_TYPES: Final = ("image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain")
"""What `functionResponse.parts` takes, on Gemini 3 and later."""
_BY_ENDING: Final = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "heic": "image/heic", "pdf": "application/pdf", "txt": "text/plain", "mp3": "audio/mp3", "wav": "audio/wav",
    "ogg": "audio/ogg", "flac": "audio/flac", "aac": "audio/aac", "mp4": "video/mp4", "webm": "video/webm",
}  # fmt: skip

WirePart = dict[str, Any]


class Parts:
    """Makes parts for one request; remembers the calls of the last model turn, which results answer by position."""

    __slots__ = ("calls", "family", "host", "names", "notes")

    def __init__(self, host: Host, family: Family, names: Names, notes: Notes) -> None:
        self.host = host
        self.family = family
        self.names = names
        self.notes = notes
        self.calls: dict[str, tuple[int, str, str | None]] = {}

    def made(self, part: Part) -> list[WirePart]:
        """The parts of one part: none for what is not sent. Raises UnsupportedFeatureError."""
        if isinstance(part, Text):
            own = self.host.own(part.state)
            return [{"text": part.text, **own}] if part.text or own else []
        if isinstance(part, Reasoning):
            own = self.host.own(part.state)
            return [{"text": part.text, **own}] if own else []  # a thought without its signature says nothing
        if isinstance(part, ToolCall):
            return [self._call(part)]
        if isinstance(part, ToolResult):
            return self._result(part)
        if isinstance(part, Opaque):
            return [dict(part.data)] if self.host.owns(part) and isinstance(part.data, Mapping) else []
        if isinstance(part, Citation):
            return []
        return [{**self._media(part), **self.host.own(part.state)}]

    def _call(self, part: ToolCall) -> WirePart:
        """Raises OutputInvalidError when the arguments are no JSON object."""
        own = self.host.own(part.state)
        identity = own.pop("id", None)
        if not self.family.modern and self.family.known:
            # An id of a later model: these issue none and pair by position. That some answer 400 to one is told of
            # Vertex (wire facts, read 2026-11-21); AI Studio took ids on 2.0 and 2.5 in five recordings.
            identity = None
        self.calls[part.id] = (len(self.calls), part.name, identity)
        call: WirePart = {"name": self.names.wire(part.name), "args": part.args}
        if identity is not None:
            call["id"] = identity
        return {"functionCall": call, **own}

    def _result(self, part: ToolResult) -> list[WirePart]:
        _, name, identity = self.calls.get(part.id, (0, part.name or "", None))
        response: WirePart = {"name": self.names.wire(name), "response": _response(part)}
        if identity is not None:
            response["id"] = identity
        media = [inner for inner in part.parts if isinstance(inner, Image | Document | Audio)]
        held = [self._media(inner) for inner in media]
        if held and self.family.modern and all(_fits_result(item) for item in held):
            response["parts"] = held
            held = []
        elif held:
            self.notes.add("messages", "emulated", "media of a tool result is sent beside it: the model takes no such")
        return [{"functionResponse": response}, *held]

    def _media(self, part: Image | Document | Audio) -> WirePart:
        media = part.media
        if media.url is None:
            return {"inlineData": {"mimeType": media.media_type, "data": media.base64}}
        if not media.url.startswith(("https://", "http://", *(() if self.host.developer else ("gs://",)))):
            scheme = media.url.partition("://")[0]
            raise UnsupportedFeatureError(
                f"this API cannot fetch {scheme}:// addresses; nothing was sent", field="messages"
            )
        kind = media.media_type or _BY_ENDING.get(urlsplit(media.url).path.rpartition(".")[2].lower())
        return {"fileData": {**({"mimeType": kind} if kind else {}), "fileUri": media.url}}


def signed(parts: list[WirePart], notes: Notes) -> None:
    """Gemini 3 refuses a step whose first call has no signature: one that was not made there gets the stand-in."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None and not first.get("thoughtSignature"):
        first["thoughtSignature"] = SENTINEL
        notes.add("messages", "emulated", "a tool call that this model did not make goes without its thought signature")


def _fits_result(part: WirePart) -> bool:
    return "inlineData" in part and part["inlineData"]["mimeType"] in RESULT_TYPES


def _response(part: ToolResult) -> WirePart:
    """`response` is an object: a JSON object stays one, everything else is the text under `output` or `error`."""
    if part.is_error:
        return {"error": part.text}
    try:
        value = parse_json(part.text) if part.text.lstrip()[:1] == "{" else None
    except ValueError:
        value = None
    # `$ref` is read as a reference to another part, wherever it stands; `output` and `error` have a meaning.
    plain = isinstance(value, dict) and not value.keys() & {"output", "error"} and not _refers(value)
    return value if isinstance(value, dict) and plain else {"output": part.text}


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or any(map(_refers, value.values()))
    return isinstance(value, list) and any(map(_refers, value))
