"""The provider `fireworks`.

Facts: the wire facts after fireworks-ai 1.2.28's types and litellm 1.109.0, read 2026-11-21. Nothing was recorded.
"""

from __future__ import annotations

from typing import Any, Final

from byollm.plugin import Capabilities, Target
from byollm_fireworks.models import ACCOUNT, MODELS, NOTES, facts_of
from byollm_openai_compatible.dialect import OpenAICompatible, refuse_media

ENDPOINT: Final = "https://api.fireworks.ai/inference/v1"
EFFORTS: Final = ("none", "low", "medium", "high")
_FILES: Final = ("documents", "audio")
_LACKS: Final = (
    "n", "store", "verbosity", "cache_hints", "message_names", "parallel_tool_calls_off", "strict_tools", *_FILES,
)  # fmt: skip
_HAS: Final = (
    "streaming", "system", "temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "frequency_penalty",
    "presence_penalty", "logit_bias", "logprobs", "end_user_id", "cache_key",
)  # fmt: skip


class Fireworks(OpenAICompatible):
    """Fireworks' own habits, where they are more than data."""

    def __init__(self) -> None:
        super().__init__(
            name="fireworks",
            base_url=ENDPOINT,
            docs="https://docs.fireworks.ai/api-reference/post-chatcompletions",
            source="litellm 1.109.0's model table, read 2026-11-21",
            notes=NOTES,
            knows_store=False,
            image_types=("image/png", "image/jpeg", "image/gif", "image/webp"),
            reasoning_field="reasoning_content",
            reasoning_replay="tool_turns",
            capabilities={
                **dict.fromkeys(_LACKS, "unsupported"),
                **dict.fromkeys(_HAS, "full"),
                "temperature_range": (0.0, 2.0),
                "structured_output": "full",
                "tool_result_media": "partial",
            },
        )

    def describe(self, target: Target) -> Capabilities:
        """By exact name, with or without the account's path."""
        facts = dict(facts_of(target.model))
        if facts.get("reasoning") == "full":
            facts |= {"reasoning_effort": "full", "reasoning_efforts": EFFORTS}
        return super().describe(target).merged(facts, self.source)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """A bare name of the table gets its path; an overlong prompt is to be refused, not cut."""
        blind = facts_of(target.model).get("images") == "unsupported"
        refuse_media(body, ("images", *_FILES) if blind else _FILES, f"fireworks/{target.model}")
        if body["model"] in MODELS:
            body["model"] = f"{ACCOUNT}{body['model']}"
        body.setdefault("context_length_exceeded_behavior", "error")
        return body


provider = Fireworks()
"""The plugin."""
