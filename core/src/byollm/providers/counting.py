"""Counting tokens without a tokenizer: an estimate between bounds.

The lower bound leaves out what a provider may leave out itself: earlier reasoning, a schema, tools that may not be
called. The upper bound covers the texts and the usual four tokens around a message; what a server's own template may
add to any conversation is told apart, as `template`. Both are held against the ranks of OpenAI's two public
vocabularies and against the counts that providers gave in recordings; spec/counting.md says where they hold.
The exactness always says that this is an estimate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from byollm.types.capabilities import TokenCount
from byollm.types.parts import Audio, Document, Image, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import ProviderTool, Tool

if TYPE_CHECKING:
    from byollm.providers.pieces import Vocabulary

MESSAGE_OVERHEAD: Final = 4
ANSWER_OVERHEAD: Final = 3
"""What opens the answer to come, as OpenAI counts it."""
TEMPLATE: Final = 256
"""What a server's own template may add: Llama Guard and Grok models add up to 205 tokens to any conversation."""
TOOLS_TEMPLATE: Final = 640
"""The same where there are tools: Groq's models added 540 to theirs."""
MEDIA_TOKENS: Final = 1_000


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


def most_tokens(request: Request) -> int:
    """An upper bound that is had at once: no token is less than a byte. For what a call can cost at most."""
    plain = _plain(request)
    size = 0 if plain is not None else 100_000 * _media(request)
    for text in plain if plain is not None else [text for text, _ in texts_of(request)]:
        size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    template = TOOLS_TEMPLATE if request.tools else TEMPLATE
    return size + template + 16 * (len(request.messages) + 2)


def _plain(request: Request) -> list[str] | None:
    """The texts of a request that is nothing but texts, as most are; None for any other."""
    if request.tools or request.output_schema is not None:
        return None
    found = []
    for message in request.conversation:
        for part in message.parts:
            if type(part) is not Text:
                return None
            found.append(part.text)
    return found


def rough(request: Request) -> int:
    """Tokens of the text, roughly and at once: a quarter of its bytes. For choosing between prices, not for limits."""
    size = 0
    for text, _ in texts_of(request):
        size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return size // 4 + MESSAGE_OVERHEAD * len(request.messages) + MEDIA_TOKENS * _media(request) + 1


def estimate(request: Request, vocabulary: Vocabulary | None = None) -> TokenCount:
    """Tokens of the whole request. `lower` ≤ the true number ≤ `upper` for text, and `template` more where a server
    has a template of its own; media and tools that the provider runs have no upper bound.

    `vocabulary` is the one that the model's is like (a deployment's capabilities tell), None when that is not known.
    """
    from byollm.providers.pieces import estimate_text

    low = middle = high = 0
    for text, read in texts_of(request):
        least, likely, most = estimate_text(text, vocabulary)
        low, middle, high = low + (least if read else 0), middle + likely, high + most
    turns = len(request.conversation)
    frame = MESSAGE_OVERHEAD * turns + ANSWER_OVERHEAD
    media = _media(request)
    open_end = media or any(isinstance(tool, ProviderTool) for tool in request.tools or ())
    return TokenCount(
        middle + MESSAGE_OVERHEAD * turns + MEDIA_TOKENS * media,
        "estimate",
        low,
        None if open_end else high + frame,
        "byollm's own bounds",
        (TOOLS_TEMPLATE if request.tools else TEMPLATE) + 16 * (turns + 1) - frame,
    )


def _media(request: Request) -> int:
    parts: list[Any] = [part for message in request.messages for part in message.parts]
    inner = [part for result in parts if isinstance(result, ToolResult) for part in result.parts]
    return sum(isinstance(part, Image | Document | Audio) for part in (*parts, *inner))
