"""Why an answer ended: enums by name or by number, and those that are yet to come."""

from __future__ import annotations

from typing import Any, Final

from byollm.plugin import FinishReason, ProtocolError

_NUMBERS: Final = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
"""`enum-encoding=int`: the numbers that AI Studio and Vertex give the same meaning; from 6 on they differ."""
REASONS: Final[dict[str, FinishReason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
            "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR",
            "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION",
        ),
        "content_filter",
    ),
    **dict.fromkeys(
        (
            "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
            "MALFORMED_RESPONSE", "LANGUAGE", "NO_IMAGE",
        ),
        "error",
    ),
}  # fmt: skip
"""Wire facts of 2026-11-21 after google-genai 3.4.0; everything else is `other`."""


def told(value: Any, what: str) -> str | None:
    """An enum as the server said it; None when it said nothing or "unspecified". Raises ProtocolError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ProtocolError(f"{what} is neither a word nor a number")
    if value in ("", 0, "0") or (isinstance(value, str) and value.endswith("_UNSPECIFIED")):
        return None
    return str(value)


def neutral(raw: str, called: bool) -> FinishReason:
    """The neutral word. The server says STOP for calls as well."""
    number = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 3 else len(_NUMBERS)
    word = _NUMBERS[number] if number < len(_NUMBERS) else raw
    return "tool_calls" if called and word == "STOP" else REASONS.get(word, "other")
