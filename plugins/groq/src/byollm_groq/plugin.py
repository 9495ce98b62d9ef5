"""The provider `groq`.

Facts: groq's own SDK and pages, recorded traffic, litellm 1.109.0 and pydantic-ai 2.68.0, read 2026-11-21.
"""

from __future__ import annotations

from typing import Any, Final

from byollm.plugin import Target
from byollm_groq.models import GPT_OSS, MODELS, NOTES, QWEN, QWEN_GRADED, facts_of
from byollm_openai_compatible.dialect import OpenAICompatible, Quirks, refuse_media

ENDPOINT: Final = "https://api.groq.com/openai/v1"
TIERS: Final = ("auto", "on_demand", "flex", "performance")
PARSED: Final = {"reasoning_format": "parsed"}
"""Thoughts in a field of their own: in the other form they stand in the text, between `<think>` and `</think>`."""
_LACKS: Final = (
    "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_k", "n", "metadata", "store", "verbosity",
    "documents", "audio",
)  # fmt: skip
_HAS: Final = (
    "streaming", "system", "temperature", "top_p", "max_tokens", "stop", "seed", "parallel_tool_calls_off",
    "service_tier", "end_user_id",
)  # fmt: skip


class Groq(OpenAICompatible):
    """Groq's own habits, where they are more than data."""

    def __init__(self) -> None:
        super().__init__(
            name="groq",
            base_url=ENDPOINT,
            apis=("chat", "responses"),
            docs="https://console.groq.com/docs",
            source="groq's pages and SDK, recordings, litellm 1.109.0 and pydantic-ai 2.68.0, read 2026-11-21",
            models=MODELS,
            notes=NOTES,
            batch_endpoints=("/v1/chat/completions",),  # not where its requests go (groq's SDK, read 2026-11-22)
            max_tokens_field="max_completion_tokens",
            cache_key_field="",
            error_codes={"capacity_exceeded": "OverloadedError"},
            capabilities={
                **dict.fromkeys(_LACKS, "unsupported"),
                **dict.fromkeys(_HAS, "full"),
                "service_tiers": TIERS,
                "stop_limit": 4,
                "temperature_range": (0.0, 2.0),
                "tool_result_media": "partial",
            },
        )

    def quirks(self, target: Target) -> Quirks:
        """How this family is told an effort, and whether a schema is enforced."""
        own = self.base_quirks.with_options(
            {"effort_bodies": _effort_bodies(target), "strict_schemas": target.model.startswith(GPT_OSS)}
        )
        return own.with_options(target.options)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """System messages as one text each, thoughts apart from the text, and no word about storing.

        Qwen's models think unasked, and would do so in the text. `include_reasoning`, given by `extra`, takes the place
        of `reasoning_format`: both together are refused.
        """
        sees = facts_of(target.model).get("images") != "unsupported"
        refuse_media(body, ("documents", "audio") if sees else ("images", "documents", "audio"), f"groq/{target.model}")
        if target.api == "responses":
            return body
        for message in body["messages"]:
            if message["role"] in ("system", "developer") and isinstance(message["content"], list):
                message["content"] = "\n\n".join(block["text"] for block in message["content"])
        if body.get("store") is False:
            del body["store"]  # it stores nothing, and does not know the word
        if "include_reasoning" in body:
            body.pop("reasoning_format", None)
        elif target.model.startswith(QWEN) and "reasoning_effort" not in body:
            body.setdefault("reasoning_format", "parsed")
        return body


def _effort_bodies(target: Target) -> dict[str, dict[str, Any]]:
    """Neutral effort → fields. Qwen's older models know no grades: their only effort is called `default`."""
    graded = not target.model.startswith(QWEN) or target.model.startswith(QWEN_GRADED)
    words = {"low": "low", "medium": "medium", "high": "high"} if graded else {"medium": "default"}
    if target.api == "responses":
        return {} if graded else {"medium": {"reasoning": {"effort": "default"}}}
    return {effort: {"reasoning_effort": word, **PARSED} for effort, word in words.items()}


provider = Groq()
"""The plugin."""
