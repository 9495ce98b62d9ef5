"""Names of OpenAI's models that were or will be switched off, and which model of today stands nearest.

Dates from the openai SDK 3.54.0 (`types/shared/chat_model.py`) and litellm 1.109.0's model table, read 2026-11-21.
OpenAI's own table of replacements was not at hand: ours are the nearest of kind and price, and a suggestion.
"""

from __future__ import annotations

from typing import Final

from byollm.plugin import ModelNote

LARGE: Final = "gpt-6.1-sol"
MIDDLE: Final = "gpt-6.1-terra"
SMALL: Final = "gpt-6-luna"

_BY_DATE: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("2024-09-13", SMALL, ("gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613", "gpt-3.5-turbo-16k", "gpt-3.5-turbo-16k-0613")),
    ("2024-12-06", LARGE, ("gpt-4-vision-preview",)),
    ("2025-06-06", LARGE, ("gpt-4-32k", "gpt-4-32k-0314", "gpt-4-32k-0613")),
    ("2025-07-28", LARGE, ("o1-preview", "o1-preview-2024-09-12")),
    ("2025-10-10", "gpt-audio-1.5", ("gpt-4o-audio-preview-2024-10-01",)),
    ("2025-10-27", MIDDLE, ("o1-mini", "o1-mini-2024-09-12")),
    ("2026-02-12", MIDDLE, ("codex-mini-latest",)),
    ("2026-02-17", LARGE, ("chatgpt-4o-latest",)),
    ("2026-03-26", LARGE, ("gpt-4-0125-preview", "gpt-4-turbo-preview", "gpt-4-0314")),
    (
        "2026-05-07",
        "gpt-audio-1.5",
        (
            "gpt-4o-audio-preview", "gpt-4o-audio-preview-2024-12-17", "gpt-4o-audio-preview-2025-06-03",
            "gpt-4o-mini-audio-preview", "gpt-4o-mini-audio-preview-2024-12-17",
        ),
    ),
    (
        "2026-07-23",
        LARGE,
        (
            "gpt-5-codex", "gpt-5.1-codex", "gpt-5.1-codex-max", "gpt-5.2-codex", "gpt-5.1-chat-latest",
            "gpt-5-chat-latest", "gpt-4o-search-preview", "gpt-4o-search-preview-2025-03-11", "o3-deep-research",
            "o3-deep-research-2025-06-26", "computer-use-preview", "computer-use-preview-2025-03-11",
        ),
    ),
    (
        "2026-07-23",
        MIDDLE,
        (
            "gpt-5.1-codex-mini", "gpt-4o-mini-search-preview", "gpt-4o-mini-search-preview-2025-03-11",
            "o4-mini-deep-research", "o4-mini-deep-research-2025-06-26",
        ),
    ),
    ("2026-08-10", LARGE, ("gpt-5.3-chat-latest", "gpt-5.2-chat-latest")),
    ("2026-09-28", SMALL, ("gpt-3.5-turbo-1106",)),
    ("2026-10-23", SMALL, ("gpt-4.1-nano", "gpt-4.1-nano-2025-04-14", "gpt-3.5-turbo", "gpt-3.5-turbo-0125")),
    ("2026-10-23", MIDDLE, ("o4-mini", "o4-mini-2025-04-16", "o3-mini", "o3-mini-2025-01-31")),
    (
        "2026-10-23",
        LARGE,
        (
            "o1", "o1-2024-12-17", "o1-pro", "o1-pro-2025-03-19", "gpt-4o-2024-05-13", "gpt-4-turbo",
            "gpt-4-turbo-2024-04-09", "gpt-4-1106-preview", "gpt-4", "gpt-4-0613",
        ),
    ),
    (
        "2026-12-11",
        LARGE,
        (
            "gpt-5", "gpt-5-2025-08-07", "gpt-5-pro", "gpt-5-pro-2025-10-06", "o3", "o3-2025-04-16", "o3-pro",
            "o3-pro-2025-06-10",
        ),
    ),
    ("2026-12-11", MIDDLE, ("gpt-5-mini", "gpt-5-mini-2025-08-07")),
    ("2026-12-11", SMALL, ("gpt-5-nano", "gpt-5-nano-2025-08-07")),
    ("2027-01-14", LARGE, ("gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4o", "gpt-4o-2024-11-20", "gpt-4o-2024-08-06")),
    ("2027-01-14", SMALL, ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "gpt-4o-mini", "gpt-4o-mini-2024-07-18")),
    (
        "2027-01-20",
        "gpt-audio-1.5",
        ("gpt-audio", "gpt-audio-2025-08-28", "gpt-audio-mini", "gpt-audio-mini-2025-12-15"),
    ),
    ("2027-04-01", LARGE, ("gpt-5.1", "gpt-5.1-2025-11-13", "gpt-5.3-codex")),
    ("2027-04-01", SMALL, ("gpt-5.4-nano", "gpt-5.4-nano-2026-03-17")),
)  # fmt: skip

NOTES: Final[dict[str, ModelNote]] = {
    name: ModelNote(retired=date, replacement=replacement) for date, replacement, names in _BY_DATE for name in names
}
"""By exact name. A date in the future is an announced one."""
