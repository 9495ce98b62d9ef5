"""Cache breakpoints: at most four in a request, and the longer-lived ones first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from byollm_anthropic.notes import Notes

LIMIT: Final = 4
"""Wire facts of the Messages API, read 2026-11-21."""


def trim(body: dict[str, Any], notes: Notes) -> None:
    """Keep the last four breakpoints, which cover the longest prompts, and never a longer life after a shorter one."""
    marked = [block for block in _blocks(body) if isinstance(block.get("cache_control"), dict)]
    for block in marked[:-LIMIT]:
        del block["cache_control"]
    if len(marked) > LIMIT:
        notes.add("cache", "dropped", f"a request takes {LIMIT} cache hints: the last were kept", len(marked), LIMIT)
    short = False
    for block in marked[-LIMIT:]:
        hint = block["cache_control"]
        if hint.get("ttl") != "1h":
            short = True
        elif short:
            block["cache_control"] = {**hint, "ttl": "5m"}
            notes.add("cache", "mapped", "an hour cannot follow five minutes in one prompt", "1h", "5m")


def _blocks(body: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Everything that can carry a breakpoint, in the order the server reads the prompt."""
    yield from body.get("tools") or ()
    if isinstance(body.get("system"), list):
        yield from body["system"]
    for message in body["messages"]:
        if isinstance(message["content"], list):
            yield from message["content"]
