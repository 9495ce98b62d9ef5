"""litellm, by `litellm.completion`."""

from __future__ import annotations

from typing import Any

import litellm  # type: ignore[import-not-found]  # lives in an environment of its own

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
    return litellm.completion(
        model=f"openai/{MODEL}",
        messages=messages(),
        api_base=ask.base,
        api_key=ask.key,
        **tools,
        **ask.parameters,
        **how,
    )
