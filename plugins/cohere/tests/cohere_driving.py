"""Driving the plugin without a network: translate a request, read bytes, meet a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byollm import errors, testing
from byollm.plugin import Tool

PLUS, PLAIN, THINKER = "command-a-plus-05-2026", "command-a-03-2025", "command-a-reasoning-08-2025"
CURRENT = (PLUS, PLAIN, THINKER, "command-a-vision-07-2025", "command-r-08-2024", "command-r7b-12-2024")
ENDPOINT = "https://api.cohere.com"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL, OTHER = Tool("f", "Does f.", CITY), Tool("g", None, {"type": "object", "properties": {}})
PNG = b"\x89PNG\r\n\x1a\n"
SSE = {"content-type": "text/event-stream"}


def translated(request: Any, model: str = PLUS, **target: Any) -> testing.Translation:
    return testing.translate("cohere", request, model=model, **target)


def body(request: Any, model: str = PLUS) -> dict[str, Any]:
    return dict(translated(request, model).body)


def told(request: Any, model: str = PLUS) -> set[str]:
    return {note.field for note in translated(request, model).adjustments}


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        sent = json.dumps(document).encode()
        testing.replay("cohere", status=status, body=sent, retries={"attempts": 1}, **fields)
    return caught.value


def events(*found: tuple[str, dict[str, Any]]) -> bytes:
    lines = (f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n" for kind, members in found)
    return "".join(lines).encode()
