"""What a prompt of OpenAI's has in tokens, counted without asking anybody.

The frame around the texts is what recorded answers of 2024 to 2026 show (read 2026-11-21): four tokens a message and
three for the answer to come; models that reason take two for it, and two more for each earlier turn of their own. In
plain conversations this was exact in each recorded Chat answer of the families below; tools, schemas and media are
rendered in ways that nobody has published, so there it is an estimate between bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from byollm.plugin import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    ProviderTool,
    Reasoning,
    Request,
    Target,
    Text,
    TokenCount,
    Tool,
    ToolCall,
    ToolResult,
    dump_json,
)
from byollm_openai.models import Encoding, encoding_of, family_of
from byollm_openai.tokens import count_text

SOURCE: Final = "tiktoken's ranks, offline"
PROVED: Final = frozenset({"gpt-3.5-turbo", "gpt-4", "gpt-4-turbo", "gpt-4.1", "gpt-4o", "o3-mini", "o4", "gpt-5",
                           "gpt-5.2", "gpt-5.6"})  # fmt: skip
"""Families whose plain Chat conversations were counted so by OpenAI, in recordings."""
_MESSAGE: Final = 4
_OWN_TURN: Final = 2
"""More for an earlier turn of a model that reasons."""
_TOOLS: Final = 640
"""At most what a template puts around tools and schemas; see `byollm.providers.counting`."""


def offline(request: Request, target: Target) -> TokenCount:
    """The count. Exact for plain Chat conversations with families that recordings prove; else an estimate with bounds.

    Raises ConfigError when the extra is not installed.
    """
    family, encoding = family_of(target.model), encoding_of(target.model)
    reasons = family is not None and family.thinking != "never"
    said = [text for message in request.conversation for text in _read(message)]
    read = sum(count_text(text, encoding) for text in said)
    turns = sum(message.role == "assistant" for message in request.conversation)
    frame = (2 if reasons else 3) + _MESSAGE * len(request.conversation) + (_OWN_TURN * turns if reasons else 0)
    proved = family is not None and family.prefix in PROVED and target.api == "chat"
    if proved and _is_plain(request):
        return TokenCount(read + frame, "exact", source=SOURCE)
    more = sum(count_text(text, encoding) for text in _beside(request))
    high = 2 * more + 16 * (len(request.conversation) + 2) + (_TOOLS if more else 0)
    upper = None if _open_ended(request) else read + frame + high + _hidden(request, encoding)
    return TokenCount(read + frame + more, "estimate", read, upper, SOURCE)


def _is_plain(request: Request) -> bool:
    """Texts alone, one a message, of speakers without names."""
    texts = all(
        message.name is None and len(message.parts) <= 1 and all(type(part) is Text for part in message.parts)
        for message in request.conversation
    )
    return texts and not request.tools and request.output_schema is None


def _read(message: Message) -> Iterator[str]:
    """Texts that the model certainly reads."""
    for part in message.parts:
        yield from _texts(part)


def _texts(part: Part) -> Iterator[str]:
    if isinstance(part, Text):
        yield part.text
    elif isinstance(part, ToolCall):
        yield part.arguments
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            yield from _texts(inner)


def _beside(request: Request) -> Iterator[str]:
    """What is rendered somehow: names, tools, the schema."""
    for message in request.conversation:
        yield message.name or ""
        yield from (part.name for part in message.parts if isinstance(part, ToolCall))
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            yield f"{tool.name} {tool.description or ''} {dump_json(tool.parameters).decode()}"
    if request.output_schema is not None:
        yield dump_json(request.json_schema).decode()


def _hidden(request: Request, encoding: Encoding) -> int:
    """Earlier thoughts, which a model may be shown or not."""
    parts = [part for message in request.conversation for part in message.parts]
    return sum(count_text(part.text, encoding) for part in parts if isinstance(part, Reasoning))


def _open_ended(request: Request) -> bool:
    """Media, and tools that run at the provider: what they become is its own affair."""
    parts = [part for message in request.conversation for part in message.parts]
    inner = [part for result in parts if isinstance(result, ToolResult) for part in result.parts]
    media = any(isinstance(part, Image | Document | Audio) for part in (*parts, *inner))
    return media or any(isinstance(tool, ProviderTool) for tool in request.tools or ())
