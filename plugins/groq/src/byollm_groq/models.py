"""What Groq's models take, and names that are gone. The first prefix that fits wins.

Sources, all read 2026-11-21: windows and output limits from litellm 1.109.0's model table and from a recorded list of
Groq's models; efforts from pydantic-ai 2.68.0's Groq profile and from recordings; pictures and schemas from litellm's
table. What stands in none of them stays unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from byollm.plugin import ModelNote

WINDOW: Final = 131_072
GPT_OSS: Final = "openai/gpt-oss"
QWEN_GRADED: Final = "qwen/qwen3.8"
QWEN: Final = "qwen/qwen3"

_TEXT_ONLY: Final = {"images": "unsupported"}
_SEES: Final = {"images": "partial", "image_urls": "full"}
_CALLS: Final = dict.fromkeys(("tools", "tool_choice_required", "tool_choice_named"), "full")
_PLAIN: Final = {"reasoning": "unsupported", "reasoning_effort": "unsupported"}
_SYSTEM_OF_TOOLS: Final = {"tools": "unsupported", **_TEXT_ONLY}

GPT_OSS_FACTS: Final[dict[str, Any]] = {
    "context_window": WINDOW,
    "max_output_tokens": 65_536,
    "reasoning": "full",
    "reasoning_effort": "full",
    "reasoning_efforts": ("low", "medium", "high"),
    "default_effort": "medium",
    "structured_output": "full",
    **_CALLS,
    **_TEXT_ONLY,
}

MODELS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (f"{GPT_OSS}-safeguard-20b", {**GPT_OSS_FACTS, "parallel_tool_calls": "unsupported"}),
    (GPT_OSS, {**GPT_OSS_FACTS, "parallel_tool_calls": "full"}),
    (
        QWEN_GRADED,
        {
            "context_window": WINDOW,
            "max_output_tokens": 16_384,
            "reasoning": "full",
            "reasoning_effort": "full",
            "reasoning_efforts": ("none", "low", "medium", "high"),
            "structured_output": "partial",
            **_CALLS,
            **_SEES,
        },
    ),
    (
        "qwen/qwen3.6-27b",
        {
            "context_window": WINDOW,
            "max_output_tokens": 16_384,
            "reasoning": "full",
            "reasoning_effort": "full",
            "reasoning_efforts": ("none", "medium"),
        },
    ),
    (QWEN, {"reasoning": "full", "reasoning_effort": "full", "reasoning_efforts": ("none", "medium")}),
    ("groq/compound", {"context_window": WINDOW, "max_output_tokens": 8_192, **_SYSTEM_OF_TOOLS}),
    ("llama-3.1-8b-instant", {"context_window": WINDOW, "max_output_tokens": WINDOW, **_CALLS, **_PLAIN, **_TEXT_ONLY}),
    (
        "llama-3.3-70b-versatile",
        {"context_window": WINDOW, "max_output_tokens": 32_768, **_CALLS, **_PLAIN, **_TEXT_ONLY},
    ),
    ("meta-llama/llama-4-", {**_CALLS, **_SEES}),
    (
        "meta-llama/llama-prompt-guard-2-",
        {"context_window": 512, "max_output_tokens": 512, **_PLAIN, **_SYSTEM_OF_TOOLS},
    ),
    ("allam-2-7b", {"context_window": 4_096, "max_output_tokens": 4_096, **_PLAIN, **_TEXT_ONLY}),
)
"""Pairs of a name's beginning and what is known of it."""


@lru_cache(maxsize=256)
def facts_of(model: str) -> Mapping[str, Any]:
    """What the table says of a model; nothing of one that stands in no row."""
    return next((facts for prefix, facts in MODELS if model.startswith(prefix)), {})


_LARGE: Final = "openai/gpt-oss-120b"
_SMALL: Final = "openai/gpt-oss-20b"

NOTES: Final[dict[str, ModelNote]] = {
    "llama-guard-3-8b": ModelNote(retired="2025-06-06", replacement="openai/gpt-oss-safeguard-20b"),
    **dict.fromkeys(
        ("llama3-70b-8192", "qwen-qwq-32b", "deepseek-r1-distill-llama-70b"), ModelNote(replacement=_LARGE)
    ),
    **dict.fromkeys(("llama3-8b-8192", "gemma-7b-it", "gemma2-9b-it"), ModelNote(replacement=_SMALL)),
    **dict.fromkeys(("moonshotai/kimi-k2-instruct", "moonshotai/kimi-k2-instruct-0905"), ModelNote(replacement=_LARGE)),
    **dict.fromkeys(("mixtral-8x7b-32768", "llama2-70b-4096", "mistral-saba-24b"), ModelNote(replacement=_LARGE)),
    **dict.fromkeys(
        (
            "meta-llama/llama-4-scout-17b-16e-instruct",
            "meta-llama/llama-4-maverick-17b-128e-instruct",
            "qwen/qwen3-32b",
        ),
        ModelNote(replacement="qwen/qwen3.8-27b"),
    ),
    **dict.fromkeys(("compound-beta", "compound-beta-mini"), ModelNote(replacement="groq/compound")),
}
"""Names that are no longer among Groq's models. A date where a source has one (litellm 1.109.0); the replacement is our
suggestion: the nearest of kind that is served."""
