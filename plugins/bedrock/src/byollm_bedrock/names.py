"""Names and ids as the wire allows them, and back.

toolUseId `[a-zA-Z0-9_.:-]{1,64}`, tool name `[a-zA-Z0-9_-]{1,64}` (botocore 1.44.5); Mistral's models take ids of
exactly nine letters and digits; a document's name holds letters, digits, single spaces, `-()[]`. Read 2026-11-21.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOT_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]")
_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_SHORT_ID: Final = re.compile(r"[a-zA-Z0-9]{9}")
_NOT_TITLE: Final = re.compile(r"[^a-zA-Z0-9()\[\]-]+")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TITLE_LIMIT: Final = 200


class Names:
    """Tool names, call ids and document names of one request. Legal ones stay; others get one, each its own."""

    __slots__ = ("_titles", "back", "short")

    def __init__(self, *, short: bool) -> None:
        self.short = short
        self.back: dict[str, str] = {}
        self._titles: set[str] = set()

    def wire(self, name: str) -> str:
        """A tool's name to send. Illegal characters become `_`, and a digest keeps `a/b` apart from `a_b`."""
        if _NAME.fullmatch(name):
            return name
        legal = f"{_NOT_NAME.sub('_', name)[:50]}_{_digest(name)[:12]}"
        self.back[legal] = name
        return legal

    def call(self, identity: str) -> str:
        """A call's id to send: its own where it is legal, else a digest of it. Two ids never become one."""
        if self.short:
            return identity if _SHORT_ID.fullmatch(identity) else _nine(identity)
        return identity if _ID.fullmatch(identity) else f"byo_{_digest(identity)[:40]}"

    def title(self, name: str | None) -> str:
        """A document's name: the file's own as far as it is legal, numbered where it comes twice."""
        plain = " ".join(_NOT_TITLE.sub(" ", name or "").split())[: TITLE_LIMIT - 10].strip() or "document"
        made, number = plain, 1
        while made in self._titles:
            number += 1
            made = f"{plain} {number}"
        self._titles.add(made)
        return made


def _nine(text: str) -> str:
    number = int(_digest(text), 16)
    return "".join(_DIGITS[number // 62**place % 62] for place in range(9))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
