"""byollm itself, by `Client` and the provider `custom`."""

from __future__ import annotations

from typing import Any

import byollm
from tests.peers.adapters.common import MODEL, PROMPT, TOOLS, Ask, Seen


def complete(ask: Ask, seen: Seen) -> None:
    """One whole answer."""
    with _client(ask) as client:
        _read(seen, client.complete(PROMPT, **_tools(ask), **ask.parameters))


def stream(ask: Ask, seen: Seen) -> None:
    """One streamed answer."""
    with _client(ask) as client, client.stream(PROMPT, **_tools(ask), **ask.parameters) as answer:
        for event in answer:
            if isinstance(event, byollm.TextDelta):
                seen.text += event.text
        _read(seen, answer.completion)


def _client(ask: Ask) -> byollm.Client:
    return byollm.Client({"provider": "custom", "model": MODEL, "endpoint": ask.base, "api_key": ask.key})


def _tools(ask: Ask) -> dict[str, Any]:
    functions = [tool["function"] for tool in TOOLS]
    return {"tools": [byollm.Tool(**function) for function in functions]} if ask.tools else {}


def _read(seen: Seen, reply: byollm.Completion) -> None:
    seen.text = reply.text
    for call in reply.tool_calls:
        seen.call(call.name, call.args)
    seen.finish, seen.raw_finish = reply.finish_reason, reply.raw_finish_reason
    if reply.usage.input_tokens is not None:
        seen.usage = (reply.usage.input_tokens, reply.usage.output_tokens)
