"""What Ollama tells of a model: `POST /api/show`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from byollm.plugin import Capabilities, Frame, Head, ProtocolError

SOURCE: Final = "ollama's /api/show"
_NUM_CTX: Final = re.compile(r"^\s*num_ctx\s+(\d+)\s*$", re.MULTILINE)
_WORDS: Final = {"tools": "tools", "images": "vision", "reasoning": "thinking"}
"""Our capability and the server's word for it."""


def about_reader(window: int | None, model_limits: bool) -> Callable[[Head], Callable[[Frame], list[Capabilities]]]:
    """Reads the answer of `/api/show`.

    `window` is what the file says (`num_ctx`). Else the Modelfile's own `num_ctx` counts. Else, where `model_limits`
    is true, the most the model can have: the server may have set aside less, and then refuses by itself.
    """

    def read(frame: Frame) -> list[Capabilities]:
        data = frame.data
        if not isinstance(data, dict):
            raise ProtocolError("the server did not tell about the model in the shape that is known")
        found: dict[str, Any] = {}
        told = data.get("capabilities")
        if isinstance(told, list) and told:
            found = {name: word in told for name, word in _WORDS.items()}
        most = longest(data.get("model_info"))
        set_aside = _NUM_CTX.search(str(data.get("parameters") or ""))
        usual = window or (int(set_aside[1]) if set_aside else None) or (most if model_limits else None)
        if usual is not None:
            found["context_window"] = min(usual, most) if most else usual
        return [Capabilities().merged(found, SOURCE)]

    return lambda head: read


def longest(info: Any) -> int | None:
    """`<architecture>.context_length` of the model."""
    if not isinstance(info, Mapping):
        return None
    values = (value for name, value in info.items() if str(name).endswith(".context_length"))
    return next((value for value in values if type(value) is int and value > 0), None)
