"""byollm: bring your own LLM. One YAML file, any provider, the same answer shape.

::

    import byollm

    client = byollm.Client.from_yaml("llm.yaml")
    reply = client.complete("Which rules does this contract hold?", task="rule_extraction")
    print(reply.text, reply.usage.output_tokens, reply.cost)

Nothing is imported, read or opened here before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byollm.types.version import VERSION

__version__ = VERSION

_HOMES = {
    "byollm.client": ("Client",),
    "byollm.async_client": ("AsyncClient",),
    "byollm.streaming": ("Stream",),
    "byollm.async_streaming": ("AsyncStream",),
    "byollm.quick": ("complete", "stream", "acomplete", "astream"),
    "byollm.types.messages": ("Message", "system", "user", "assistant", "tool_results"),
    "byollm.types.parts": (
        "Audio", "Citation", "Document", "Image", "Opaque", "Part", "Reasoning", "Text", "ToolCall", "ToolResult",
    ),
    "byollm.types.serialize": ("dump_messages", "load_messages"),
    "byollm.types.tools": ("ProviderTool", "Tool", "ToolChoice"),
    "byollm.types.request": ("Request",),
    "byollm.types.completion": ("Adjustment", "Attempt", "Completion"),
    "byollm.types.capabilities": ("Capabilities", "Support", "TokenCount"),
    "byollm.types.usage": ("Usage",),
    "byollm.types.events": (
        "Finished", "PartAdded", "ReasoningDelta", "Started", "StateAttached", "TextDelta", "ToolCallDelta",
        "ToolCallStarted", "UsageReported",
    ),
}  # fmt: skip
_WHERE = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("errors", "plugin", "testing")

if TYPE_CHECKING:
    from byollm import errors, plugin, testing
    from byollm.async_client import AsyncClient
    from byollm.async_streaming import AsyncStream
    from byollm.client import Client
    from byollm.quick import acomplete, astream, complete, stream
    from byollm.streaming import Stream
    from byollm.types.capabilities import Capabilities, Support, TokenCount
    from byollm.types.completion import Adjustment, Attempt, Completion
    from byollm.types.events import (
        Finished,
        PartAdded,
        ReasoningDelta,
        Started,
        StateAttached,
        TextDelta,
        ToolCallDelta,
        ToolCallStarted,
        UsageReported,
    )
    from byollm.types.messages import Message, assistant, system, tool_results, user
    from byollm.types.parts import (
        Audio,
        Citation,
        Document,
        Image,
        Opaque,
        Part,
        Reasoning,
        Text,
        ToolCall,
        ToolResult,
    )
    from byollm.types.request import Request
    from byollm.types.serialize import dump_messages, load_messages
    from byollm.types.tools import ProviderTool, Tool, ToolChoice
    from byollm.types.usage import Usage

__all__ = [
    "Adjustment",
    "AsyncClient",
    "AsyncStream",
    "Attempt",
    "Audio",
    "Capabilities",
    "Citation",
    "Client",
    "Completion",
    "Document",
    "Finished",
    "Image",
    "Message",
    "Opaque",
    "Part",
    "PartAdded",
    "ProviderTool",
    "Reasoning",
    "ReasoningDelta",
    "Request",
    "Started",
    "StateAttached",
    "Stream",
    "Support",
    "Text",
    "TextDelta",
    "TokenCount",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallStarted",
    "ToolChoice",
    "ToolResult",
    "Usage",
    "UsageReported",
    "acomplete",
    "assistant",
    "astream",
    "complete",
    "dump_messages",
    "errors",
    "load_messages",
    "plugin",
    "stream",
    "system",
    "testing",
    "tool_results",
    "user",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    home = _WHERE.get(name)
    if home is not None:
        value = getattr(import_module(home), name)
    elif name in _MODULES:
        value = import_module(f"byollm.{name}")
    else:
        raise AttributeError(f"module 'byollm' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
