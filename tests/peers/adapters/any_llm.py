"""any-llm, by `any_llm.completion`, with its exceptions as they are by default."""

from __future__ import annotations

from typing import Any

import any_llm  # type: ignore[import-not-found]  # lives in an environment of its own

from tests.peers.adapters.common import MODEL, TOOLS, Ask, Seen, messages, read_chunks, read_completion

USAGE_ASKED = {"stream_options": {"include_usage": True}}


def complete(ask: Ask, seen: Seen) -> None:
    """One whole answer."""
    read_completion(seen, _completion(ask))


def stream(ask: Ask, seen: Seen) -> None:
    """One streamed answer."""
    read_chunks(seen, _completion(ask, stream=True))


def _completion(ask: Ask, **how: Any) -> Any:
    tools = {"tools": TOOLS} if ask.tools else {}
    return any_llm.completion(
        model=MODEL,
        provider="openai",
        messages=messages(),
        api_base=ask.base,
        api_key=ask.key,
        **tools,
        **ask.parameters,
        **how,
    )
