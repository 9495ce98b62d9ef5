"""The twins' tokenizer: a rule, so that tests can compute what a twin reports.

A text has `ceil(UTF-8 bytes / 4)` tokens; an image, document or recording 256; a message 4 more for its frame; a tool 8
more than the JSON of its definition. Real tokenizers differ: the figures are plausible, not the vendor's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MEDIA_TOKENS = 256
MESSAGE_TOKENS = 4
TOOL_TOKENS = 8

_MEDIA_KINDS = frozenset({"image_url", "input_image", "image", "input_audio", "file", "input_file", "document"})
_SILENT = frozenset({"type", "role", "id", "tool_call_id", "tool_use_id", "call_id", "cache_control", "status"})


def count_text(text: str) -> int:
    """Tokens of one text: a quarter of its UTF-8 bytes, rounded up."""
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4


def count_value(value: Any) -> int:
    """Tokens of a message's content, whatever its nesting: the texts in it, and a flat price for media."""
    if isinstance(value, str):
        return count_text(value)
    if isinstance(value, Mapping):
        if str(value.get("type")) in _MEDIA_KINDS:
            return MEDIA_TOKENS
        return sum(count_value(item) for key, item in value.items() if key not in _SILENT)
    if isinstance(value, list):
        return sum(count_value(item) for item in value)
    return 0 if value is None else 1


def count_messages(messages: Any) -> int:
    """Tokens of a list of messages (or of one plain text)."""
    if isinstance(messages, str):
        return MESSAGE_TOKENS + count_text(messages)
    return sum(MESSAGE_TOKENS + count_value(message) for message in messages or [])


def count_tools(tools: Any) -> int:
    """Tokens of the tools offered."""
    return sum(TOOL_TOKENS + count_text(json.dumps(tool, sort_keys=True)) for tool in tools or [])
