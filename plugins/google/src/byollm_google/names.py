"""Names and ids as the wire allows them, and back."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_.:-]")


class Names:
    """Tool names of one request. Legal names stay; others get a legal one, and come back as they were."""

    __slots__ = ("back",)

    def __init__(self) -> None:
        self.back: dict[str, str] = {}

    def wire(self, name: str) -> str:
        """The name to send. Illegal characters become `_`, and a digest keeps `a/b` apart from `a_b`."""
        if _NAME.fullmatch(name):
            return name
        legal = f"_{_NOT_NAME.sub('_', name)[:100]}_{digest(name, 12)}"
        self.back[legal] = name
        return legal


def minted(answer: str | None, position: int, name: str, arguments: str) -> str:
    """An id for a call that came without one: the same for the same bytes, another for another call of the answer."""
    return f"byo_{digest(f'{answer}/{position}/{name}/{arguments}', 24)}"


def digest(text: str, length: int) -> str:
    """The first `length` hexadecimal digits of a SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
