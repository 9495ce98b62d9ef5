"""What Cohere's models take, and names that are gone. The first prefix that fits wins.

Sources, read 2026-11-21: recorded refusals (the window of Command A) and a recorded `GET /v1/models/{name}`, litellm
1.109.0's model table, pydantic-ai 2.68.0 for thinking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from byollm.plugin import Capabilities, Frame, Head, ModelNote, ProtocolError

_PLAIN: Final = {"reasoning": "unsupported", "reasoning_effort": "unsupported", "images": "unsupported"}
_SEES: Final = {"images": "full", "image_urls": "full"}
_THINKS: Final = {"reasoning": "full", "reasoning_effort": "full", "tools_while_reasoning": "full"}

MODELS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("command-a-plus", {"context_window": 128_000, "max_output_tokens": 64_000, **_SEES, **_THINKS}),
    (
        "command-a-reasoning",
        {"context_window": 288_768, "max_output_tokens": 32_768, "images": "unsupported", **_THINKS},
    ),
    (
        "command-a-vision",
        {"context_window": 128_000, "max_output_tokens": 8_000, **_PLAIN, **_SEES, "tools": "unsupported"},
    ),
    ("command-a-translate", {"context_window": 8_992, "max_output_tokens": 8_000, **_PLAIN}),
    ("command-a", {"context_window": 256_000, "max_output_tokens": 8_000, **_PLAIN}),
    ("command-r7b", {"context_window": 128_000, "max_output_tokens": 4_096, **_PLAIN}),
    ("command-r", {"context_window": 128_000, "max_output_tokens": 4_096, **_PLAIN}),
    ("c4ai-aya-vision", {**_PLAIN, **_SEES, "tools": "unsupported"}),
    ("c4ai-aya-expanse-32b", {"context_window": 128_000, "max_output_tokens": 4_000, **_PLAIN, "tools": "unsupported"}),
    ("c4ai-aya-expanse-8b", {"context_window": 8_192, "max_output_tokens": 4_000, **_PLAIN, "tools": "unsupported"}),
)
"""Pairs of a name's beginning and what is known of it."""

_REMOVED: Final = "2025-09-15"
NOTES: Final[dict[str, ModelNote]] = {
    **dict.fromkeys(("command", "command-nightly", "command-light"), ModelNote(_REMOVED, "command-a-03-2025")),
    "command-r": ModelNote(_REMOVED, "command-r-08-2024"),
    "command-r-plus": ModelNote(_REMOVED, "command-a-03-2025"),
}
"""Removed on that day, as recorded refusals say; the replacement is our suggestion."""


@lru_cache(maxsize=256)
def facts_of(model: str) -> Mapping[str, Any]:
    """What the table says of a model; nothing of one that stands in no row."""
    return next((facts for prefix, facts in MODELS if model.startswith(prefix)), {})


_FEATURES: Final = {
    "tools": "tools",
    "structured_output": "json_schema",
    "strict_tools": "strict_tools",
    "reasoning": "reasoning",
    "images": "vision",
}
"""Our capability and the word for it in a model's `features`."""


def card_reader(known: Capabilities) -> Callable[[Head], Callable[[Frame], list[Capabilities]]]:
    """Reads the answer of `GET /v1/models/{name}` over what is bundled."""

    def read(frame: Frame) -> list[Capabilities]:
        card = frame.data
        if not isinstance(card, dict):
            raise ProtocolError("the model's card is not shaped as known")
        found: dict[str, Any] = {}
        features, window = card.get("features"), card.get("context_length")
        if isinstance(features, list):
            found = {name: word in features for name, word in _FEATURES.items()}
        if isinstance(window, int | float) and not isinstance(window, bool) and window > 0:
            found["context_window"] = int(window)
        return [known.merged(found, "GET /v1/models")]

    return lambda head: read
