"""Model tables as text: a line a model, for hosts that serve many."""

from __future__ import annotations

from typing import Any, Final

_CALLS: Final = ("tools", "tool_choice_required", "tool_choice_named")
TRAITS: Final[dict[str, tuple[str, ...]]] = {
    "t": _CALLS,
    "s": ("structured_output",),
    "v": ("images", "image_urls"),
    "d": ("documents",),
    "a": ("audio",),
    "r": ("reasoning",),
}
"""Letter → what it says: small, the model does; capital, it does not. What has no letter is unknown."""


def table(text: str) -> dict[str, dict[str, Any]]:
    """`name window answer letters`, one model a line, as name → facts; `-` stands for what is not known.

    Raises ValueError for a line of another shape, KeyError for a letter that means nothing.
    """
    return dict(map(_row, text.strip().splitlines()))


def _row(line: str) -> tuple[str, dict[str, Any]]:
    name, window, answer, letters = line.split()
    found: dict[str, Any] = {}
    for field, value in (("context_window", window), ("max_output_tokens", answer)):
        if value != "-":
            found[field] = int(value)
    for letter in letters.replace("-", ""):
        found |= dict.fromkeys(TRAITS[letter.lower()], "full" if letter.islower() else "unsupported")
    return name, found
