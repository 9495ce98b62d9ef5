"""What an exception says, and whether a key can be read in it."""

from __future__ import annotations

import base64
import json
import os
import traceback
import urllib.parse
from typing import Any

PIECE = 12
"""So many characters of a key in a row are a leak."""
LONGEST = 4000
PROBED = ("status", "status_code", "code", "type", "param", "retry_after", "retryable", "nearest", "partial")
_OURS = os.path.dirname(os.path.abspath(__file__))


def describe(error: BaseException, key: str, yielded: str) -> dict[str, Any]:
    """The facts of an exception, for JSON.

    `classes` are its class and that class's bases; `leaks` the places where a piece of the key stands; `partial_in` the
    attributes in which the text that came before it can be found.
    """
    attributes = _attributes(error)
    return {
        "classes": [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__[:-1]],
        "text": str(error)[:LONGEST],
        "attributes": {name: _plain(value) for name, value in attributes.items()},
        "retry_after_header": _header(error, "retry-after"),
        "partial_in": [name for name, value in attributes.items() if yielded and yielded in str(value)],
        "chain": [f"{type(one).__module__}.{type(one).__qualname__}" for one in _chain(error)[1:]],
        "leaks": leaks(_shown(error), key),
    }


def leaks(places: dict[str, str], key: str) -> list[str]:
    """The names of the texts that hold the key or a piece of it, as it is, base64, URL-encoded or JSON-escaped."""
    forms = {key, base64.b64encode(key.encode()).decode(), urllib.parse.quote(key, safe=""), json.dumps(key)[1:-1]}
    pieces = {form[at : at + PIECE] for form in forms for at in range(len(form) - PIECE + 1)}
    return [name for name, text in places.items() if any(piece in text for piece in pieces)]


def _shown(error: BaseException) -> dict[str, str]:
    locals_too = traceback.TracebackException.from_exception(error, capture_locals=True)
    return {
        "text": str(error),
        "repr": repr(error) + repr(error.args),
        "traceback": "".join(traceback.format_exception(error)),
        "attributes": repr([_attributes(one) for one in _chain(error)]),
        "locals": repr(_locals(locals_too)),
    }


def _locals(shown: traceback.TracebackException | None) -> list[Any]:
    # The frames of an adapter hold the key by right; only a library's own frames are looked at.
    if shown is None:
        return []
    here = [frame.locals for frame in shown.stack if not frame.filename.startswith(_OURS)]
    return [*here, *_locals(shown.__cause__), *_locals(shown.__context__)]


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and not any(one is known for known in found):
            found.append(one)
            waiting += [one.__context__, one.__cause__]
    return found


def _attributes(error: BaseException) -> dict[str, Any]:
    found = dict(getattr(error, "__dict__", {}))
    for name in PROBED:
        value = getattr(error, name, None)
        if value is not None:
            found.setdefault(name, value)
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)[:LONGEST]


def _header(error: BaseException, name: str) -> str | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    value = headers.get(name) if headers is not None else None
    return None if value is None else str(value)
