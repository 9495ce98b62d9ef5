"""aisuite, by `Client().chat.completions.create`."""

from __future__ import annotations

from typing import Any

import aisuite  # type: ignore[import-not-found]  # lives in an environment of its own

from tests.peers.adapters.common import MODEL, TOOLS, Ask, Seen, messages, read_chunks, read_completion

USAGE_ASKED = {"stream_options": {"include_usage": True}}


def complete(ask: Ask, seen: Seen) -> None:
    """One whole answer."""
    read_completion(seen, _create(ask))


def stream(ask: Ask, seen: Seen) -> None:
    """One streamed answer."""
    read_chunks(seen, _create(ask, stream=True))


def _create(ask: Ask, **how: Any) -> Any:
    client = aisuite.Client({"openai": {"api_key": ask.key, "base_url": ask.base}})
    tools = {"tools": TOOLS} if ask.tools else {}
    return client.chat.completions.create(
        model=f"openai:{MODEL}", messages=messages(), **tools, **ask.parameters, **how
    )
