"""Usage: the wire counts thoughts apart from the answer, and leaves out what is zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.plugin import Usage, checked

_COUNTS: Final = (
    "promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount", "thoughtsTokenCount",
    "cachedContentTokenCount", "totalTokenCount",
)  # fmt: skip


def neutral_usage(wire: Mapping[str, Any], beside: Mapping[str, Any]) -> Usage:
    """`usageMetadata` as `Usage`: total = prompt + toolUsePrompt + candidates + thoughts (google-genai 3.4.0).

    The prompt includes what a cache gave; candidates leave out thoughts. A total without either says that nothing was
    answered. `details` keeps the rest by its own names, and what stood beside the usage (`beside`).
    """
    prompt, used, answered, thought, cached, total = (checked.tokens(wire.get(name), name) for name in _COUNTS)
    details = {name: value for name, value in wire.items() if name not in _COUNTS and value is not None}
    if used:
        details["toolUsePromptTokenCount"] = used
    details.update(beside)
    given = None if prompt is None else prompt + (used or 0)
    if answered is None and thought is None:
        output = max(0, total - given) if total is not None and given is not None else None
    else:
        output = (answered or 0) + (thought or 0)
    return Usage(
        input_tokens=given,
        output_tokens=output,
        cached_tokens=cached,
        reasoning_tokens=thought,
        details=details or None,
    )
