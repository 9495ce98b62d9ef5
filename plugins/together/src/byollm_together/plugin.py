"""The provider `together`.

Facts: the wire facts after together 3.1.1's types, recorded traffic and litellm 1.109.0, read 2026-11-21.
"""

from __future__ import annotations

from typing import Any, Final

from byollm.plugin import Capabilities, Target
from byollm_openai_compatible.dialect import OpenAICompatible, Quirks, refuse_media
from byollm_together.models import MODELS, NOTES

ENDPOINT: Final = "https://api.together.ai/v1"
HOSTS: Final = ("api.together.ai", "api.together.xyz")
GRADED: Final = "openai/gpt-oss"
SWITCHED: Final = {
    "none": {"reasoning": {"enabled": False}},
    **{effort: {"reasoning": {"enabled": True}} for effort in ("low", "medium", "high")},
}
"""Hybrid models know on and off; gpt-oss knows grades."""
_FILES: Final = ("documents", "audio")
_LACKS: Final = (
    "n", "metadata", "store", "verbosity", "service_tier", "cache_hints", "message_names", "parallel_tool_calls_off",
    "strict_tools", *_FILES,
)  # fmt: skip
_HAS: Final = (
    "streaming", "system", "temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "frequency_penalty",
    "presence_penalty", "logit_bias", "logprobs",
)  # fmt: skip


class Together(OpenAICompatible):
    """Together's own habits, where they are more than data."""

    def __init__(self) -> None:
        super().__init__(
            name="together",
            base_url=ENDPOINT,
            hosts=HOSTS,
            docs="https://docs.together.ai/reference/chat-completions",
            source="litellm 1.109.0's model table, read 2026-11-21",
            notes=NOTES,
            knows_store=False,
            end_user_field="",
            cache_key_field="",
            image_types=("image/png", "image/jpeg", "image/gif", "image/webp"),
            capabilities={
                **dict.fromkeys(_LACKS, "unsupported"),
                **dict.fromkeys(_HAS, "full"),
                "temperature_range": (0.0, 2.0),
                "structured_output": "partial",
                "tool_result_media": "partial",
            },
        )

    def describe(self, target: Target) -> Capabilities:
        """By exact name."""
        facts = dict(MODELS.get(target.model, {}))
        if facts.get("reasoning") == "full":
            efforts = ("low", "medium", "high") if target.model.startswith(GRADED) else ("none", "medium")
            facts |= {"reasoning_effort": "full", "reasoning_efforts": efforts}
        return super().describe(target).merged(facts, self.source)

    def quirks(self, target: Target) -> Quirks:
        """How this family is told an effort."""
        bodies = {} if target.model.startswith(GRADED) else SWITCHED
        return self.base_quirks.with_options({"effort_bodies": bodies}).with_options(target.options)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """`logprobs` is how many there shall be, not whether."""
        blind = MODELS.get(target.model, {}).get("images") == "unsupported"
        refuse_media(body, ("images", *_FILES) if blind else _FILES, f"together/{target.model}")
        if body.get("logprobs") is True:
            body["logprobs"] = body.pop("top_logprobs", 1)
        return body


provider = Together()
"""The plugin."""
