"""Parts of a Chat answer that have no deltas of their own: citations, made images and sound, unknown blocks."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Audio, Citation, Event, Image, Opaque, Part, PartAdded, ProtocolError

FIRST_WHOLE: Final = 1_000_000
"""Their index among the parts: after any number of tool calls."""
KEPT_FIELDS: Final = ("extra_content", "thought_signature", "reasoning_encrypted")
"""Fields of a message that a server wants back as they came (Google's signatures, Venice's reasoning)."""

TOLD_FIELDS: Final = ("executed_tools",)
"""Fields of a message that are for the caller to read and are refused when they come back (Groq's own tools)."""

FIELDS: Final = frozenset({"annotations", "images", "audio", *KEPT_FIELDS, *TOLD_FIELDS})
"""Where a message or delta may hold them, beside its content."""


class Wholes:
    """Collects them over one answer; only its end gives them out, each once."""

    __slots__ = (
        "_annotations",
        "_audio",
        "_audio_format",
        "_blocks",
        "_fields",
        "_images",
        "_provider",
        "_sound",
        "_sources",
    )

    def __init__(self, provider: str, audio_format: str) -> None:
        self._provider = provider
        self._audio_format = audio_format
        self._annotations: list[Any] = []
        self._images: list[Any] = []
        self._blocks: list[Any] = []
        self._fields: dict[str, Any] = {}
        self._audio: dict[str, Any] = {}
        self._sound: list[str] = []
        self._sources: list[Any] = []

    def message(self, message: Mapping[str, Any]) -> None:
        """What a message or delta holds of them."""
        for kept, name in ((self._annotations, "annotations"), (self._images, "images")):
            found = message.get(name)
            if found:
                kept += [item for item in found if item not in kept]
        for name in KEPT_FIELDS:
            if message.get(name):
                self._fields[name] = message[name]
        for name in TOLD_FIELDS:
            if message.get(name):
                self._told(name, message[name])
        audio = message.get("audio")
        if audio:
            self._sound += [audio["data"]] if audio.get("data") else []
            transcript = str(self._audio.get("transcript") or "") + str(audio.get("transcript") or "")
            self._audio.update({key: value for key, value in audio.items() if key != "data" and value is not None})
            if transcript:
                self._audio["transcript"] = transcript

    def _told(self, name: str, items: list[Any]) -> None:
        """A list whose items grow by their index, in a stream."""
        known = self._fields.setdefault(name, [])
        for item in items:
            index = item.get("index")
            before = next((other for other in known if index is not None and other.get("index") == index), None)
            if before is None:
                known.append(dict(item))
            else:
                before.update({key: value for key, value in item.items() if value not in (None, "")})

    def block(self, block: Any) -> None:
        """A block of a content list that is neither text nor thought."""
        self._blocks.append(block)

    def sources(self, sources: list[Any]) -> None:
        """Sources beside the choices: those told last are all there are."""
        self._sources = sources

    def end(self) -> list[Event]:
        """All of them, as events."""
        lists = (self._annotations, self._sources, self._images, self._sound, self._audio, self._blocks, self._fields)
        if not any(lists):
            return []
        parts: list[Part] = [self._citation(item) for item in self._annotations]
        parts += [self._source(item) for item in self._sources]
        parts += [self._image(item) for item in self._images]
        if self._audio or self._sound:
            parts.append(self._recording())
        parts += [Opaque(self._provider, "chat", block) for block in self._blocks]
        if self._fields:
            parts.append(Opaque(self._provider, "chat", self._fields))
        return [PartAdded(FIRST_WHOLE + number, part) for number, part in enumerate(parts)]

    def _citation(self, annotation: Any) -> Part:
        found = annotation.get("url_citation") if isinstance(annotation, dict) else None
        if not isinstance(found, dict):
            return Citation(state=Opaque(self._provider, "chat", annotation))
        start, end = found.get("start_index"), found.get("end_index")
        return Citation(
            cited_text=found.get("content") or None,
            url=found.get("url"),
            title=found.get("title") or None,
            start=start if isinstance(start, int) else None,
            end=end if isinstance(end, int) else None,
        )

    def _source(self, source: Any) -> Part:
        if isinstance(source, str):
            return Citation(url=source)
        return Citation(
            cited_text=source.get("snippet") or None, url=source.get("url"), title=source.get("title") or None
        )

    def _image(self, image: Any) -> Part:
        place = image.get("image_url") if isinstance(image, dict) else image
        url = place.get("url") if isinstance(place, dict) else place
        if not isinstance(url, str):
            return Opaque(self._provider, "chat", image)
        return Image(url)

    def _recording(self) -> Part:
        data = bytearray()
        for piece in self._sound:
            try:
                data += base64.b64decode(piece, validate=True)
            except (binascii.Error, ValueError):
                data = bytearray()
                break
        if self._sound and not data:
            raise ProtocolError("the sound in the answer is not base64")
        state = Opaque(self._provider, "chat", json.loads(json.dumps(self._audio)))
        return Audio(bytes(data), f"audio/{'mpeg' if self._audio_format == 'mp3' else self._audio_format}", state=state)
