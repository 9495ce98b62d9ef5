"""The plugin's passport."""

from __future__ import annotations

from typing import Final

from byollm.plugin import Bearer, HeaderKey, Manifest, ModelNote, NoAuth
from byollm_anthropic.options import Options

_OPUS, _SONNET, _HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"

RETIRED: Final[dict[str, tuple[str | None, str]]] = {
    "claude-1.3": ("2024-11-06", _SONNET),
    "claude-instant-1.2": ("2024-11-06", _HAIKU),
    "claude-2.0": ("2025-07-21", _SONNET),
    "claude-2.1": ("2025-07-21", _SONNET),
    "claude-3-sonnet": ("2025-07-21", _SONNET),
    "claude-3-sonnet-20240229": ("2025-07-21", _SONNET),
    "claude-3-opus": ("2026-01-05", _OPUS),
    "claude-3-opus-latest": ("2026-01-05", _OPUS),
    "claude-3-opus-20240229": ("2026-01-05", _OPUS),
    "claude-3-5-sonnet": (None, _SONNET),
    "claude-3.5-sonnet": (None, _SONNET),
    "claude-3-5-haiku-latest": ("2026-02-19", _HAIKU),
    "claude-3-5-haiku-20241022": ("2026-02-19", _HAIKU),
    "claude-3-7-sonnet-latest": ("2026-02-19", _SONNET),
    "claude-3-7-sonnet-20250219": ("2026-02-19", _SONNET),
    "claude-opus-4-0": ("2026-06-15", _OPUS),
    "claude-opus-4-20250514": ("2026-06-15", _OPUS),
    "claude-sonnet-4-0": ("2026-06-15", _SONNET),
    "claude-sonnet-4-20250514": ("2026-06-15", _SONNET),
    "claude-mythos-preview": ("2026-06-30", "claude-mythos-5-2"),
    "claude-sonnet-4-5": ("2026-11-30", _SONNET),
    "claude-sonnet-4-5-20250929": ("2026-11-30", _SONNET),
}
"""End of life by model name: `DEPRECATED_MODELS` of anthropic 2.12.0, read 2026-11-21. The replacement is the
newest model of the same line; None: gone from that list, so the day is not known."""

MANIFEST: Final = Manifest(
    name="anthropic",
    default_endpoint="https://api.anthropic.com",
    base_path="/v1",
    hosts=("api.anthropic.com",),
    credentials={"api_key": ("ANTHROPIC_API_KEY",)},
    authentication={"api-key": HeaderKey("x-api-key"), "bearer-token": Bearer(), "none": NoAuth()},
    apis=("messages",),
    options=Options,
    docs="https://platform.claude.com/docs/en/api/messages",
    models={name: ModelNote(*note) for name, note in RETIRED.items()},
)
