"""JSON in and out, bounded: hostile bytes become a ValueError, never a crash.

`pydantic_core` reads a chunk in about a third of the standard library's time and writes in a sixth; it is a dependency
already. Its parser bounds the nesting itself.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic_core import from_json, to_json

LOSSY = "\N{REPLACEMENT CHARACTER}"
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(data: bytes | str) -> Any:
    """A JSON document as Python data. Raises ValueError; NaN and infinities are not JSON and are refused."""
    return from_json(data, allow_inf_nan=False)


def dump_json(value: Any) -> bytes:
    """Compact JSON bytes in insertion order, so that a provider's prompt cache sees the same bytes each time.

    Lone surrogates, which no provider takes, become U+FFFD. Raises ValueError or TypeError for what JSON cannot hold.
    """
    try:
        return to_json(value, inf_nan_mode="strings")
    except ValueError:  # a lone surrogate, or a type that JSON does not know
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _SURROGATE.sub(LOSSY, text).encode()
