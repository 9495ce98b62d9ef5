"""The plugin's passport."""

from __future__ import annotations

from typing import Final

from byollm.plugin import Bearer, HeaderKey, Manifest, ModelNote, NoAuth
from byollm_google.options import Options

_FLASH, _LITE, _PRO = "gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-4-argon"

RETIRED: Final[dict[str, tuple[str | None, str]]] = {
    "gemini-pro": (None, _PRO),
    "gemini-1.0-pro": (None, _PRO),
    "gemini-pro-vision": (None, _PRO),
    "gemini-1.5-flash": (None, _FLASH),
    "gemini-1.5-flash-8b": (None, _LITE),
    "gemini-1.5-pro": (None, _PRO),
    "gemini-2.0-flash": ("2026-06-01", _FLASH),
    "gemini-2.0-flash-001": ("2026-06-01", _FLASH),
    "gemini-2.0-flash-exp": (None, _FLASH),
    "gemini-2.0-flash-lite": ("2026-06-01", _LITE),
    "gemini-2.5-computer-use-preview-10-2025": ("2026-07-28", _FLASH),
    "gemini-2.5-flash-preview-05-20": (None, _FLASH),
    "gemini-2.5-flash-lite-preview-09-2025": (None, _LITE),
    "gemini-2.5-pro-preview-05-06": (None, _PRO),
    "gemini-2.5-pro-preview-06-05": (None, _PRO),
    "gemini-3-pro-preview": (None, _PRO),
    "gemini-3-pro-image-preview": ("2026-06-25", "gemini-3-pro-image"),
    "gemini-3.1-flash-image-preview": ("2026-06-25", "gemini-3.1-flash-image"),
    "gemini-3.1-flash-lite-preview": ("2026-05-25", "gemini-3.1-flash-lite"),
}
"""End of life by model name: `deprecation_date` in litellm 1.109.1, read 2026-11-21. None: gone from that list, so the
day is not known. The replacement is the newest model of the same line."""

MANIFEST: Final = Manifest(
    name="google",
    aliases=("gemini",),
    default_endpoint="https://generativelanguage.googleapis.com",
    base_path="/v1beta",
    hosts=("generativelanguage.googleapis.com",),
    credentials={"api_key": ("GEMINI_API_KEY", "GOOGLE_API_KEY")},
    authentication={"api-key": HeaderKey("x-goog-api-key"), "bearer-token": Bearer(), "none": NoAuth()},
    apis=("gemini",),
    options=Options,
    docs="https://ai.google.dev/api/generate-content",
    models={name: ModelNote(*note) for name, note in RETIRED.items()},
)
