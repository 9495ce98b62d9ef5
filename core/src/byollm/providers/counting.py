"""Counting tokens without a tokenizer: an estimate, with bounds that hold for today's byte-pair encodings.

Letters of the Latin alphabet make about 4 to a token and at most 12 over a text; other scripts 1 to 3; every token
spans at least one byte. Runs of the same character compress far better, and are counted apart. The bounds were chosen
on prose, code and CJK text against the o200k and cl100k ranks; the exactness always says that this is an estimate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from byollm.types.capabilities import TokenCount
from byollm.types.parts import Audio, Document, Image, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import ProviderTool, Tool

MESSAGE_OVERHEAD: Final = 4
MEDIA_TOKENS: Final = 1_000
_RUN: Final = re.compile(r"(.)\1{7,}", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z]+|[0-9]{1,3}|[^\sA-Za-z0-9]|\s+")


def texts_of(request: Request) -> Iterator[str]:
    """Every text of the request that the model reads."""
    for message in request.conversation:
        for part in message.parts:
            yield from _texts(part)
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            yield tool.name + (tool.description or "")
            yield json.dumps(tool.parameters, default=str)
        elif isinstance(tool, ProviderTool):
            yield json.dumps(tool.definition, default=str)
    schema = request.json_schema
    if schema is not None:
        yield json.dumps(schema, default=str)


def _texts(part: Part) -> Iterator[str]:
    if isinstance(part, Text | Reasoning):
        yield part.text
    elif isinstance(part, ToolCall):
        yield part.name + part.arguments
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            yield from _texts(inner)


def bytes_of(request: Request) -> int:
    """An upper bound of the tokens that is quick to have: four bytes a character, media and overhead included."""
    media = sum(isinstance(part, Image | Document | Audio) for message in request.messages for part in message.parts)
    return 4 * sum(map(len, texts_of(request))) + 16 * (len(request.messages) + 2) + media * 100_000


def estimate(request: Request) -> TokenCount:
    """Tokens of the whole request. `lower` ≤ the true number ≤ `upper` for text; media widen the bounds."""
    low = middle = high = 0
    for text in texts_of(request):
        least, likely, most = estimate_text(text)
        low, middle, high = low + least, middle + likely, high + most
    turns = len(request.conversation)
    media = _media(request)
    return TokenCount(
        middle + MESSAGE_OVERHEAD * turns + MEDIA_TOKENS * media,
        "estimate",
        low,
        None if media else high + 16 * (turns + 1),
        "byollm's own bounds",
    )


def estimate_text(text: str) -> tuple[int, int, int]:
    """At least, likely, at most so many tokens."""
    if not text:
        return 0, 0, 0
    runs = sum(len(match.group()) for match in _RUN.finditer(text))
    plain = _RUN.sub("", text) if runs else text
    low = likely = high = 0.0
    for match in _WORD.finditer(plain):
        piece = match.group()
        first = piece[0]
        size = len(piece)
        if first.isascii() and first.isalpha():
            low, likely, high = low + 0.4, likely + max(1.0, size / 6), high + max(1.0, size / 2.5)
        elif first.isascii() and first.isdigit():
            low, likely, high = low + 0.34, likely + 1, high + 1
        elif first.isspace():
            likely, high = likely + (0.2 if size > 1 else 0), high + (1 if size > 1 else 0.05)
        elif first.isascii():
            low, likely, high = low + 0.2, likely + 0.6, high + 1
        else:
            width = len(first.encode("utf-8", "replace"))
            low, likely, high = low + 0.25, likely + (0.8 if width == 3 else 0.5), high + (1.6 if width >= 3 else 1.0)
    low += runs / 128
    likely += runs / 8
    high += runs
    whole = max(1, int(likely + 0.5))
    return min(int(low), whole), whole, max(int(high) + 2, whole)


def _media(request: Request) -> int:
    parts: list[Any] = [part for message in request.messages for part in message.parts]
    inner = [part for result in parts if isinstance(result, ToolResult) for part in result.parts]
    return sum(isinstance(part, Image | Document | Audio) for part in (*parts, *inner))
