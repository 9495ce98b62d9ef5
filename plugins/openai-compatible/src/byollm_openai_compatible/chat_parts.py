"""Parts of a message as content blocks of Chat Completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from byollm.plugin import Audio, Document, Image, Opaque, Part, Text, UnsupportedFeatureError
from byollm_openai_compatible.profile import Quirks

_FORMATS: Final = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
}
_NAMES: Final = {"application/pdf": "document.pdf", "text/plain": "document.txt", "text/markdown": "document.md"}


def content_of(parts: Sequence[Part], quirks: Quirks, provider: str) -> str | list[dict[str, Any]]:
    """The content of a message: bare text where that is all (several servers take nothing else), else blocks."""
    if len(parts) == 1 and type(parts[0]) is Text and not (parts[0].cache and quirks.cache_field):
        return parts[0].text
    return [block(part, quirks, provider) for part in parts] or ""


def block(part: Part, quirks: Quirks, provider: str) -> dict[str, Any]:
    """One part as a block. Raises UnsupportedFeatureError for what the wire cannot say."""
    if isinstance(part, Opaque):
        return _own(part, provider)
    check_kind(part, quirks)
    if isinstance(part, Text):
        made: dict[str, Any] = {"type": "text", "text": part.text}
    elif isinstance(part, Image):
        made = {"type": "image_url", "image_url": _image(part)}
    elif isinstance(part, Audio):
        made = {"type": "input_audio", "input_audio": sound(part)}
    elif isinstance(part, Document):
        made = {"type": "file", "file": _file(part, quirks)}
    else:
        raise UnsupportedFeatureError(f"a {type(part).__name__} cannot stand in a user's message", field="messages")
    if part.cache and quirks.cache_field:
        made[quirks.cache_field] = cache_mark(part.cache, quirks)
    return made


def check_kind(part: Part, quirks: Quirks) -> None:
    """Raises UnsupportedFeatureError for bytes of a kind that the server is known not to read."""
    if not (quirks.image_types or quirks.refused_files) or not isinstance(part, Image | Document):
        return
    media = part.media
    kind = media.media_type or ""
    if media.base64 is None:
        return
    if isinstance(part, Image) and quirks.image_types and kind not in quirks.image_types:
        known = ", ".join(quirks.image_types)
        raise UnsupportedFeatureError(
            f"pictures of type {kind} are not read; nothing was sent", field="images", hint=known
        )
    if isinstance(part, Document) and kind.startswith(quirks.refused_files):
        raise UnsupportedFeatureError(f"documents of type {kind} are not read; nothing was sent", field="documents")


def cache_mark(lifetime: str, quirks: Quirks) -> dict[str, Any]:
    """The mark "keep the prompt up to here"; "default" says nothing of how long."""
    mark = {"type": "ephemeral"} if quirks.cache_field == "cache_control" else {"mode": "explicit"}
    return mark if lifetime == "default" else {**mark, "ttl": lifetime}


def file_name(part: Document) -> str:
    """The name to send with a document; the vendor wants one."""
    return part.name or _NAMES.get(part.media.media_type or "", "document")


def sound(part: Audio) -> dict[str, Any]:
    """Base64 and format of a recording. Raises UnsupportedFeatureError for a URL: the wire takes bytes only."""
    media = part.media
    if media.base64 is None:
        raise UnsupportedFeatureError(
            "the wire takes the bytes of a recording, not its URL", field="messages", hint="pass Audio(data)"
        )
    kind = media.media_type or "audio/wav"
    return {"data": media.base64, "format": _FORMATS.get(kind, kind.rpartition("/")[2])}


def _image(part: Image) -> dict[str, Any]:
    found = {"url": part.media.data_uri}
    return {**found, "detail": part.detail} if part.detail else found


def _file(part: Document, quirks: Quirks) -> dict[str, Any]:
    media = part.media
    if media.url is not None and not quirks.file_urls:
        raise UnsupportedFeatureError(
            "the wire takes the bytes of a document, not its URL", field="messages", hint="pass Document(data)"
        )
    if media.url is not None and part.name is None:
        return {"file_data": media.url}
    return {"filename": file_name(part), "file_data": media.data_uri}


def _own(part: Opaque, provider: str) -> dict[str, Any]:
    if part.provider != provider or part.transport != "chat" or not isinstance(part.data, dict):
        raise UnsupportedFeatureError(
            f"a block of {part.provider}'s {part.transport} dialect cannot be sent to {provider}", field="messages"
        )
    return part.data
