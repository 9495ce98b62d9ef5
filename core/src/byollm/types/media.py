"""Where the bytes of an image, document or audio part come from, and what kind they are."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from byollm.errors import ConfigError

_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class Media:
    """A source made plain: either `url` (http, https) or `base64` text with a `media_type`."""

    url: str | None
    base64: str | None
    media_type: str | None

    @property
    def data_uri(self) -> str:
        """`data:<type>;base64,<text>`; the URL itself for a remote source."""
        return self.url if self.url is not None else f"data:{self.media_type};base64,{self.base64}"


def sniff(data: bytes) -> str | None:
    """The media type that the first bytes tell, or None."""
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12])
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def resolve(source: str | bytes, media_type: str | None, *, what: str) -> Media:
    """`source` is bytes, an http(s) URL, or a `data:` URI. Raises ConfigError for anything else: no file is opened."""
    if isinstance(source, bytes):
        kind = media_type or sniff(source) or _unknown_type(what)
        return Media(None, base64.b64encode(source).decode("ascii"), kind)
    if isinstance(source, str) and source.startswith("data:"):
        head, comma, text = source[5:].partition(",")
        if not comma or not head.endswith(";base64"):
            raise ConfigError(f"a data: URI of this {what} must be base64 (data:<type>;base64,<text>)")
        if not _BASE64.fullmatch(text):
            raise ConfigError(f"the base64 text of this {what} cannot be decoded")
        named = media_type or head[: -len(";base64")].partition(";")[0]
        return Media(None, text, named or sniff(decode(Media(None, text, None), what=what)) or _unknown_type(what))
    if is_remote(source):
        return Media(source, None, media_type)
    raise ConfigError(
        f"the source of this {what} is not bytes, a URL or a data: URI",
        hint='for a file: open it and pass the bytes, e.g. Path("photo.png").read_bytes()',
    )


def is_remote(source: Any) -> bool:
    """A URL that the provider would have to fetch."""
    return isinstance(source, str) and source.startswith(("https://", "http://", "gs://", "s3://"))


def _unknown_type(what: str) -> NoReturn:
    raise ConfigError(f"cannot tell the media type of this {what}", hint='say it: media_type="image/png"')


def decode(media: Media, *, what: str) -> bytes:
    """The raw bytes of inline media. Raises ConfigError when it is remote or not base64."""
    if media.base64 is None:
        raise ConfigError(f"this {what} is a URL; byollm does not fetch it")
    try:
        return base64.b64decode(media.base64, validate=True)
    except (binascii.Error, ValueError):
        problem = f"the base64 text of this {what} cannot be decoded"
    raise ConfigError(problem)
