"""Names and ids as the wire allows them, and back."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_NOT_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]")


def wire_id(call: str) -> str:
    """A tool call's id: its own where it is legal, else a digest of it. Two ids never become one."""
    return call if _ID.fullmatch(call) else f"byo_{_digest(call, 32)}"


class Names:
    """Tool names of one request. Legal names stay; others get a legal one, and come back as they were."""

    __slots__ = ("back",)

    def __init__(self) -> None:
        self.back: dict[str, str] = {}

    def wire(self, name: str) -> str:
        """The name to send. Illegal characters become `_`, and a digest keeps `a/b` apart from `a_b`."""
        if _NAME.fullmatch(name):
            return name
        legal = f"{_NOT_NAME.sub('_', name)[:110]}_{_digest(name, 12)}"
        self.back[legal] = name
        return legal


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_PHONE: Final = re.compile(r"[+(]?[\d\s().+-]{7,}")


def wire_user(user: str) -> str:
    """`metadata.user_id`: at most 512 printable characters that look like neither an e-mail address nor a phone number.

    What does not fit is sent as its SHA-256, so the same person stays the same (litellm 1.109.1, read 2026-11-21).
    """
    telling = _EMAIL.search(user) or (_PHONE.fullmatch(user.strip()) and sum(map(str.isdigit, user)) >= 7)
    return _digest(user, 64) if telling or len(user) > 512 or not user.isprintable() else user
