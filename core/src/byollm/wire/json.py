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
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[^u]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(data: bytes | str) -> Any:
    """A JSON document as Python data. Raises ValueError; NaN and infinities are not JSON and are refused.

    Half of an escaped surrogate pair, which servers that cut texts by UTF-16 units write, becomes U+FFFD.
    """
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError:
        text = data if isinstance(data, str) else data.decode("utf-8", "strict")
        whole = _ESCAPE.sub(_without_halves, text)
        if whole == text:
            raise
    return from_json(whole, allow_inf_nan=False)


def _without_halves(found: re.Match[str]) -> str:
    pair = found.group()
    return "\\ufffd" if len(pair) == 6 and pair[2] in "dD" and pair[3] in "89abcdefABCDEF" else pair


def dump_json(value: Any) -> bytes:
    """Compact JSON bytes in insertion order, so that a provider's prompt cache sees the same bytes each time.

    Lone surrogates, which no provider takes, become U+FFFD; NaN and infinities, which JSON does not have, the texts
    "NaN" and "Infinity". Raises ValueError or TypeError for what JSON cannot hold.
    """
    try:
        return to_json(value, inf_nan_mode="strings")
    except ValueError:  # a lone surrogate, or a type that JSON does not know
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _SURROGATE.sub(LOSSY, text).encode()
