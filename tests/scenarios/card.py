"""The feasibility card's customer: three providers in one file, keys of its own for each, and one line that chooses."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

KEYS: Final[Mapping[str, str]] = {
    "ACME_OPENAI": "sk-acme-openai-0123456789abcdefghij",
    "ACME_ANTHROPIC": "sk-acme-anthropic-0123456789abcdefg",
    "ACME_LOCAL": "sk-acme-local-0123456789abcdefghijk",
    "BRAVO_OPENAI": "sk-bravo-openai-0123456789abcdefghi",
}
"""What the customers brought, by variable. Bravo has no key but for OpenAI."""
PLATFORM: Final[Mapping[str, str]] = {
    "OPENAI_API_KEY": "sk-platform-openai-0123456789abcdef",
    "ANTHROPIC_API_KEY": "sk-platform-anthropic-0123456789ab",
    "LLM_API_KEY": "sk-platform-custom-0123456789abcdef",
}
"""The platform's own keys lie about in its environment, and must never travel."""
CHOICES: Final = ("cloud", "rival", "cellar")

FILE: Final = """\
llm_config:
  default: cloud
  deployments:
    cloud: {{provider: openai, model: gpt-4o, endpoint: "{openai}", proxy: none}}
    rival: {{provider: anthropic, model: claude-haiku-4-5, endpoint: "{anthropic}", proxy: none}}
    cellar:
      provider: custom
      model: {model}
      endpoint: "{local}"
      proxy: none
      capabilities: {{temperature_range: [0, 2], max_output_tokens: 48, context_window: 4096}}
  tenants:
    acme:
      credentials:
        openai: {{api_key: "${{ACME_OPENAI}}"}}
        anthropic: {{api_key: "${{ACME_ANTHROPIC}}"}}
        custom: {{api_key: "${{ACME_LOCAL}}"}}
    bravo:
      credentials:
        openai: {{api_key: "${{BRAVO_OPENAI}}"}}
"""
"""The file as a customer writes it; the endpoints stand for the vendors'."""
TOLD: Final[Mapping[str, Mapping[str, tuple[str, float]]]] = {
    "cloud": {"temperature": ("clamped", 2.0), "max_tokens": ("clamped", 16_384)},
    "rival": {"temperature": ("clamped", 1.0), "max_tokens": ("clamped", 64_000)},
    "cellar": {"temperature": ("clamped", 2.0), "max_tokens": ("clamped", 48)},
}
"""What each provider's own limits make of values beyond all of them."""


def switched(text: str, choice: str) -> str:
    """The file with its one line changed."""
    made = text.replace("  default: cloud\n", f"  default: {choice}\n")
    changed = [line for line in difflib.ndiff(text.splitlines(), made.splitlines()) if line[:2] in ("- ", "+ ")]
    assert len(changed) == (0 if choice == "cloud" else 2), changed
    return made
