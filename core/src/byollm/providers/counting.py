"""Counting tokens without a tokenizer: an estimate between bounds.

Words in Latin letters make one token or more, other scripts 1 to 3 a character; runs of one character compress far
better. The lower bound leaves out what a provider may leave out itself: earlier reasoning, a schema, tools that may
not be called. The upper bound allows for the templates that servers put around a conversation. A test holds both
against the counts that providers gave in recordings; the exactness always says that this is an estimate.
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
TEMPLATE: Final = 256
"""What a server's own template may add: Llama Guard and Grok models add up to 205 tokens to any conversation."""
TOOLS_TEMPLATE: Final = 640
"""The same where there are tools: Groq's models added 540 to theirs."""
MEDIA_TOKENS: Final = 1_000
_RUN: Final = re.compile(r"(.)\1{4,}", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]+|[0-9]{1,3}|[^\sA-Za-zÀ-ÖØ-öø-ɏḀ-ỿ0-9]|\s+")
"""Words in Latin letters, accents and all; digits by threes; any other character alone; white space."""


def texts_of(request: Request) -> Iterator[tuple[str, bool]]:
    """Every text of the request that the model may read, and whether it certainly does."""
    for message in request.conversation:
        for part in message.parts:
            yield from _texts(part)
    callable_ = request.tool_choice is None or request.tool_choice.mode != "none"
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            yield tool.name + (tool.description or ""), callable_
            yield _json(tool.parameters), callable_
        elif isinstance(tool, ProviderTool):
            yield _json(tool.definition), False
    if request.output_schema is not None:
        yield _json(request.json_schema), False


def _json(value: Any) -> str:
    return json.dumps(value, default=str)


def _texts(part: Part) -> Iterator[tuple[str, bool]]:
    if isinstance(part, Text):
        yield part.text, True
    elif isinstance(part, Reasoning):
        yield part.text, False
    elif isinstance(part, ToolCall):
        yield part.name + part.arguments, True
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            yield from _texts(inner)


def bytes_of(request: Request) -> int:
    """An upper bound of the tokens that is quick to have: four bytes a character, media and overhead included."""
    size = sum([len(text) for text, _ in texts_of(request)])
    template = TOOLS_TEMPLATE if request.tools else TEMPLATE
    return 4 * size + template + 16 * (len(request.messages) + 2) + _media(request) * 100_000


def rough(request: Request) -> int:
    """Tokens of the text, roughly and at once: a quarter of its bytes. For choosing between prices, not for limits."""
    size = 0
    for text, _ in texts_of(request):
        size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return size // 4 + MESSAGE_OVERHEAD * len(request.messages) + MEDIA_TOKENS * _media(request) + 1


def estimate(request: Request) -> TokenCount:
    """Tokens of the whole request. `lower` ≤ the true number ≤ `upper` for text; media and tools that
    the provider runs have no upper bound."""
    low = middle = high = 0
    for text, read in texts_of(request):
        least, likely, most = estimate_text(text)
        low, middle, high = low + (least if read else 0), middle + likely, high + most
    high += TOOLS_TEMPLATE if request.tools else TEMPLATE
    turns = len(request.conversation)
    media = _media(request)
    open_end = media or any(isinstance(tool, ProviderTool) for tool in request.tools or ())
    return TokenCount(
        middle + MESSAGE_OVERHEAD * turns + MEDIA_TOKENS * media,
        "estimate",
        low,
        None if open_end else high + 16 * (turns + 1),
        "byollm's own bounds",
    )


def estimate_text(text: str) -> tuple[int, int, int]:
    """At least, likely, at most so many tokens."""
    if not text:
        return 0, 0, 0
    plain = _RUN.sub(lambda run: run.group()[:4], text)
    runs = len(text) - len(plain)
    low, likely, high = runs / 128, runs / 8, float(runs)
    for match in _WORD.finditer(plain):
        piece = match.group()
        first = piece[0]
        size = len(piece)
        if first.isalpha() and (size > 1 or first.isascii() or _is_latin(first)):
            accents = 0 if piece.isascii() else len(piece.encode()) - size
            low += 0.4
            likely += max(1.0, (size + 2 * accents) / 6)
            high += max(1.0, size / 2) + accents
        elif first.isascii() and first.isdigit():
            low, likely, high = low + 0.34, likely + 1, high + 1
        elif first.isspace():
            likely, high = likely + (0.2 if size > 1 else 0), high + (1 if size > 1 else 0.05)
        elif first.isascii():
            low, likely, high = low + 0.2, likely + 0.6, high + 1
        else:
            width = len(first.encode("utf-8", "replace"))
            low, likely, high = low + 0.25, likely + (0.8 if width == 3 else 0.5), high + width
    whole = max(1, int(likely + 0.5))
    return min(int(low), whole), whole, max(int(high) + 2, whole)


def _is_latin(letter: str) -> bool:
    return "À" <= letter <= "ɏ" or "Ḁ" <= letter <= "ỿ"


def _media(request: Request) -> int:
    parts: list[Any] = [part for message in request.messages for part in message.parts]
    inner = [part for result in parts if isinstance(result, ToolResult) for part in result.parts]
    return sum(isinstance(part, Image | Document | Audio) for part in (*parts, *inner))
