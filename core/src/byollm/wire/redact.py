"""Secrets, and keeping them out of everything that is shown.

A provider may echo the key it was sent: in an error text, a header, a request id. What comes back as an error is
therefore searched for every piece of every secret bound to the call: raw, base64 in its three alignments, URL-encoded
and JSON-escaped, in small and large letters, in whole or any 12 characters of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NoReturn
from urllib.parse import quote

MASK: Final = "[redacted]"
PIECE: Final = 12
HINT: Final = PIECE // 2
REMEMBERED: Final = 256
"""Words in which there is nothing to mask."""


class Secret:
    """A text that does not show itself: not in repr, str, format, pickle or a traceback's locals."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself. Only an auth scheme asks for it."""
        return self.__text

    @property
    def digest(self) -> str:
        """The first 16 hex digits of its SHA-256: enough to tell two secrets apart, useless otherwise."""
        return hashlib.sha256(self.__text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__text == other.reveal()

    def __hash__(self) -> int:
        return hash(self.__text)

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled or copied out of its process")


class Redactor:
    """Masks every trace of some secrets in texts and JSON-like data."""

    __slots__ = ("__clean", "__hints", "__pieces", "__wholes")

    def __init__(self, secrets: Iterable[Secret]) -> None:
        shapes = {shape for secret in secrets for shape in _shapes(secret.reveal())}
        pieces: set[str] = set()
        hints: set[str] = set()
        for shape in {_folded(shape) for shape in shapes if len(shape) >= PIECE}:
            pieces.update([shape[at : at + PIECE] for at in range(len(shape) - PIECE + 1)])
            hints.update([shape[at : at + HINT] for at in range(len(shape) - HINT + 1)])
        wholes = [shape for shape in shapes if len(shape) < PIECE]
        self.__wholes = sorted(wholes, key=len, reverse=True)
        self.__pieces = pieces
        self.__hints = hints
        self.__clean: set[str] = set()

    def __repr__(self) -> str:
        return "Redactor(…)"

    def text(self, text: str) -> str:
        """`text` with every piece of a secret masked."""
        for whole in self.__wholes:
            text = text.replace(whole, MASK)
        return self.long(text)

    def long(self, text: str) -> str:
        """The same for secrets of twelve characters and more: a short one may be a word that an answer needs."""
        if not self.__pieces or len(text) < PIECE:
            return text
        folded = text.lower() if text.isascii() else text.translate(_SMALL)
        # Twelve characters, wherever they begin, hold six that begin at a multiple of seven.
        for at in range(0, len(text) - HINT + 1, HINT + 1):
            if folded[at : at + HINT] in self.__hints:
                break
        else:
            return text
        last = len(text) - PIECE
        if self.__pieces.isdisjoint([folded[at : at + PIECE] for at in range(last + 1)]):
            return text
        out: list[str] = []
        kept = at = 0
        while at <= last:
            if folded[at : at + PIECE] not in self.__pieces:
                at += 1
                continue
            end = at + PIECE
            while end < len(text) and folded[end - PIECE + 1 : end + 1] in self.__pieces:
                end += 1
            out += (text[kept:at], MASK)
            kept = at = end
        return "".join([*out, text[kept:]]) if out else text

    def data(self, value: Any) -> Any:
        """JSON-like data with every string, keys too, masked; what else is in it comes back as it is."""
        return _in_texts(value, self.text)

    def long_data(self, value: Any) -> Any:
        """`data`, as `long` masks: for words that come again with each answer, which are looked at once."""
        if type(value) is str:
            return value if value in self.__clean else self.word(value)
        if type(value) is dict and self.__clean.issuperset(value):
            for item in value.values():
                if type(item) is not int and (type(item) is not str or item not in self.__clean):
                    break
            else:
                return value
        return _in_texts(value, self.word)

    def word(self, text: str) -> str:
        """`long`, remembering what there was nothing to mask in."""
        masked = self.long(text)
        if masked is text:
            if len(self.__clean) >= REMEMBERED:
                self.__clean.clear()
            self.__clean.add(text)
        return masked


def _in_texts(value: Any, masked: Callable[[str], str]) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {masked(str(key)): _in_texts(item, masked) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_in_texts(item, masked) for item in value)
    return value


def _folded(text: str) -> str:
    """The text in small letters, each in its place: who shows a key may write it all in one case."""
    return text.lower() if text.isascii() else text.translate(_SMALL)


def _shapes(text: str) -> set[str]:
    if len(text) < 4:  # a one-letter key would mask the alphabet; config refuses such keys with a warning
        return set()
    raw = text.encode("utf-8", "surrogatepass")
    shapes = {text, raw.hex(), raw.hex().upper(), text[::-1]}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            # A key inside a longer base64 text starts at one of three alignments; its first and last characters
            # then mix with the neighbours', so they are left out. At the end of the text the last one is its own.
            coded = encode(b"\0" * shift + raw).decode("ascii").rstrip("=")[(shift * 8 + 5) // 6 :]
            shapes |= {coded, coded[:-1] if (len(raw) + shift) % 3 else coded}
    letters = {"".join(f"%{byte:02x}" for byte in raw), "".join(f"\\u{ord(letter):04x}" for letter in text)}
    return letters | {written for shape in shapes for written in _written(shape) if len(written) >= 4}


def _written(text: str) -> Iterator[str]:
    """A text as URLs and JSON documents write it, the digits of an escape large or small."""
    yield text
    for plain in ("", "/", "!'()*"):  # Python's and RFC 3986's, paths, JavaScript's
        url = quote(text, safe=plain, errors="surrogatepass")
        for form in (url, url.replace("%20", "+")):
            yield form
            yield _PERCENT.sub(lambda found: found.group().lower(), form)
    for ascii_only in (True, False):
        document = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        html_safe = _HTML.sub(lambda found: f"\\u{ord(found.group()):04x}", document)  # Go and .NET write these so
        for form in (document, document.replace("/", "\\/"), html_safe):
            yield form
            yield _ESCAPE.sub(lambda found: f"\\u{found.group()[2:].upper()}", form)


_SMALL: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_PERCENT: Final = re.compile("%[0-9A-F]{2}")
_ESCAPE: Final = re.compile(r"\\u[0-9a-f]{4}")
_HTML: Final = re.compile("[<>&'+]")


def masked_headers(headers: Iterable[tuple[str, str]], secret_names: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """Headers fit to be shown: values of credential headers are masked."""
    hidden = {"authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "set-cookie"}
    hidden |= {name.lower() for name in secret_names}
    return tuple((name, MASK if name.lower() in hidden else value) for name, value in headers)
