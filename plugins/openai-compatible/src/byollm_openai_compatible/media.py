"""Media that a model is known not to take: refused by the translator too, should `fit()` not have been asked."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Final

from byollm.plugin import UnsupportedFeatureError

_BLOCKS: Final = {
    "image_url": "images",
    "input_image": "images",
    "file": "documents",
    "input_file": "documents",
    "input_audio": "audio",
}


def refuse_media(body: Mapping[str, Any], refused: Container[str], where: str) -> None:
    """Raises UnsupportedFeatureError for a block of a refused kind ("images", "documents", "audio") in a body.

    `where` is the provider and model, for the message. Both dialects' bodies are understood.
    """
    turns = body.get("messages") or body.get("input")
    for turn in turns if isinstance(turns, list) else ():
        for name in ("content", "output"):
            blocks = turn.get(name)
            for block in blocks if isinstance(blocks, list) else ():
                kind = _BLOCKS.get(block.get("type"))
                if kind is not None and kind in refused:
                    raise UnsupportedFeatureError(f"{where} takes no {kind}; nothing was sent", field="messages")
